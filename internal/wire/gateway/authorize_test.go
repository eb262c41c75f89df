package gateway

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
)

// delegationTx is a transaction with one instance, whose organization has a
// delegated administrator.
type delegationTx struct {
	Tx
	in       instance.Instance
	delegate string
}

func (d delegationTx) InstanceByID(id string) (instance.Instance, bool, error) {
	return d.in, id == d.in.ID, nil
}

func (d delegationTx) InstanceByIdentityStore(id string) (instance.Instance, bool, error) {
	return d.in, id == d.in.IdentityStoreID, nil
}

func (d delegationTx) OrganizationOfAccount(id string) (organization.Organization, bool, error) {
	in := id == d.in.OwnerAccountID || id == d.delegate
	return organization.Organization{ID: d.in.OrganizationID, ManagementAccountID: d.in.OwnerAccountID}, in, nil
}

func (d delegationTx) AccountByID(id string) (organization.Account, bool, error) {
	return organization.Account{ID: id, State: organization.Active, OrganizationID: d.in.OrganizationID}, id == d.delegate, nil
}

func (d delegationTx) DelegationExists(_, accountID, _ string) (bool, error) {
	return accountID == d.delegate, nil
}

// TestOwnerAlone expects that an operation for the management account alone
// lets the delegated administrator in no more than others, and that others do
// let it in.
func TestOwnerAlone(t *testing.T) {
	const owner, delegate, other = "123456789012", "222222222222", "333333333333"
	tx := delegationTx{delegate: delegate, in: instance.Instance{ID: "ssoins-1234567890abcdef", IdentityStoreID: "d-1234567890", OwnerAccountID: owner, OrganizationID: "o-x", Region: "us-east-1"}}
	remove := &settings.DeleteInstanceRequest{InstanceArn: new(tx.in.ARN())}
	describe := &settings.DescribeDirectoryRequest{IdentityStoreId: new(tx.in.IdentityStoreID)}
	for _, tt := range []struct {
		account, operation string
		in                 any
		denied             bool
	}{
		{owner, "DeleteInstance", remove, false},
		{delegate, "DeleteInstance", remove, true},
		{other, "DeleteInstance", remove, true},
		{owner, "DescribeDirectory", describe, false},
		{delegate, "DescribeDirectory", describe, false},
		{other, "DescribeDirectory", describe, true},
	} {
		c := callOf(settings.Descriptor(), tt.operation, tt.in)
		c.gateway, c.caller = new(Gateway), iam.Root(tt.account)
		if _, err := c.passAccountGate(tx); fault.Is(err, fault.Denied) != tt.denied || err != nil && !tt.denied {
			t.Errorf("%s from %s: %v", tt.operation, tt.account, err)
		}
	}
}
