package assignment

import (
	"fmt"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/permissionset"
)

// What AWS calls and sets on every role of a permission set.
const (
	inlinePolicyName = "AwsSSOInlinePolicy"
	rolePath         = "/aws-reserved/sso.amazonaws.com/"
	// unmarkedRegion is the Region whose instances' roles have no Region in
	// their path.
	unmarkedRegion = "us-east-1"
	// maxRoleSession is the role's own limit; Identity Center opens sessions
	// as long as the permission set says.
	maxRoleSession = 12 * time.Hour
)

// trustPolicy lets the account's SAML provider of the instance assume a role.
const trustPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
	`"Principal":{"Federated":"arn:aws:iam::%s:saml-provider/%s"},` +
	`"Action":["sts:AssumeRoleWithSAML","sts:TagSession"],` +
	`"Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}}]}`

// rolePolicies returns the policies of the permission set as the role in the
// account carries them. It returns why the role cannot be made when the
// account lacks one that the permission set refers to.
func rolePolicies(tx ProvisionTx, s permissionset.PermissionSet, accountID string) (role iam.Policies, failure string, err error) {
	set, err := permissionset.PoliciesOf(tx, s)
	if err != nil {
		return iam.Policies{}, "", err
	}
	role = iam.Policies{Managed: set.Managed, Boundary: set.Boundary.ManagedPolicyARN}
	if set.Inline != "" {
		role.Inline = map[string]string{inlinePolicyName: set.Inline}
	}
	for _, ref := range set.Customer {
		role.Managed = append(role.Managed, customerARN(accountID, ref))
	}
	own := role.Managed[len(set.Managed):]
	if set.Boundary.Customer.Name != "" {
		role.Boundary = customerARN(accountID, set.Boundary.Customer)
		own = append(own[:len(own):len(own)], role.Boundary)
	}
	for _, arn := range own {
		_, found, err := tx.ManagedPolicyByARN(arn)
		if err != nil {
			return iam.Policies{}, "", err
		}
		if !found {
			return iam.Policies{}, fmt.Sprintf("Received a 404 status error: Not supported policy %s.", arn), nil
		}
	}
	return role, "", nil
}

func customerARN(accountID string, ref permissionset.PolicyReference) string {
	return iam.ManagedPolicyARN(accountID, ref.Path, ref.Name)
}

// createRole makes the role of p, which trusts the SAML provider.
func createRole(tx iam.RoleTx, now time.Time, in instance.Instance, s permissionset.PermissionSet, p Provision, provider string, policies iam.Policies) error {
	path := rolePath
	if in.Region != unmarkedRegion {
		path += in.Region + "/"
	}
	return iam.CreateRole(tx, iam.Role{
		AccountID:          p.AccountID,
		ID:                 p.RoleID,
		Name:               p.RoleName,
		Path:               path,
		Description:        s.Description,
		TrustPolicy:        fmt.Sprintf(trustPolicy, p.AccountID, provider),
		MaxSessionDuration: maxRoleSession,
		SessionDuration:    s.Duration(),
		Policies:           policies,
		CreatedAt:          now,
	})
}

// updateRole gives the role of p what the permission set says now.
func updateRole(tx iam.RoleTx, s permissionset.PermissionSet, p Provision, policies iam.Policies) error {
	role, found, err := tx.RoleByID(p.AccountID, p.RoleID)
	if err != nil {
		return err
	}
	if !found {
		return fault.New(fault.Internal, "role", "the role %s of the account %s is missing", p.RoleID, p.AccountID)
	}
	role.Description = s.Description
	role.SessionDuration = s.Duration()
	role.Policies = policies
	return iam.UpdateRole(tx, role)
}
