package assignment

import (
	"time"

	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/permissionset"
)

// RoleTx is what keeping roles needs of a transaction.
type RoleTx interface{}

func rolePolicies(tx ProvisionTx, s permissionset.PermissionSet, accountID string) (permissionset.Policies, string, error) {
	p, err := permissionset.PoliciesOf(tx, s)
	return p, "", err
}

func createRole(tx ProvisionTx, now time.Time, in instance.Instance, s permissionset.PermissionSet, p Provision, provider string, policies permissionset.Policies) error {
	return nil
}

func updateRole(tx ProvisionTx, now time.Time, in instance.Instance, s permissionset.PermissionSet, p Provision, policies permissionset.Policies) error {
	return nil
}

func deleteRole(tx ProvisionTx, p Provision) error { return nil }
