package settings

import (
	"github.com/atrium-iam/atrium/internal/administrator"
	"github.com/atrium-iam/atrium/internal/assignment"
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
)

// StartSSO enables IAM Identity Center for the organization whose management
// account calls, and lets it work in the organization's accounts.
func (Service) StartSSO(c Context, _ *wire.StartSSOInput) (*wire.StartSSOResponse, error) {
	o, member, err := organization.OfAccount(c.Tx, c.Caller.AccountID)
	if err != nil {
		return nil, err
	}
	if !member || o.ManagementAccountID != c.Caller.AccountID {
		return nil, denied(c, "only the management account of an organization can enable IAM Identity Center for it")
	}
	i, err := instance.Enable(c.Tx, c.Request.Time, c.IDs, o, c.Request.Region)
	if err != nil {
		return nil, err
	}
	err = organization.EnableServiceAccess(c.Tx, c.Request.Time, o, organization.IdentityCenter)
	return answer(&wire.StartSSOResponse{InstanceArn: new(i.ARN()), IdentityStoreId: &i.IdentityStoreID}, err)
}

// GetSSOStatus tells whether IAM Identity Center is enabled for the caller's
// organization or, outside of one, for the caller's account.
func (Service) GetSSOStatus(c Context, _ *wire.GetSSOStatusInput) (*wire.GetSSOStatusResponse, error) {
	visible, err := instance.ListVisible(c.Tx, c.Caller.AccountID, "")
	if err != nil || len(visible) == 0 {
		return answer(&wire.GetSSOStatusResponse{Status: new(wire.SsoStatusNotEnabled)}, err)
	}
	i := visible[0]
	for _, other := range visible {
		if other.IsOrganization() {
			i = other
		}
	}
	return &wire.GetSSOStatusResponse{
		Status: new(wire.SsoStatusEnabled), InstanceArn: new(i.ARN()), IdentityStoreId: &i.IdentityStoreID,
		OwnerAccountId: &i.OwnerAccountID, Region: &i.Region,
	}, nil
}

// DeleteInstance deletes an instance with its people, its settings and all
// access that it gave. Whoever does so types the instance's id, as on the
// console's page. Only the account that owns the instance may.
func (s Service) DeleteInstance(c Context, in *wire.DeleteInstanceRequest) (*wire.DeleteInstanceResponse, error) {
	i, err := instance.ByARN(c.Tx, *in.InstanceArn)
	if err != nil {
		return nil, err
	}
	if c.Caller.AccountID != i.OwnerAccountID {
		return nil, denied(c, "only the account that owns the instance can delete it")
	}
	if *in.Confirmation != i.ID {
		return nil, fault.New(fault.Invalid, "confirmation", "To delete this instance with everything in it, give its id as the Confirmation.")
	}
	if err := s.proved(c, i); err != nil {
		return nil, err
	}
	farewell := administrator.Farewell{Mail: s.Mail, Policies: s.Policies}
	from := administrator.Where{Address: c.Request.SourceIP, Client: c.Request.UserAgent}
	if err := farewell.Say(c.Tx, c.Request.Time, i, c.Caller, from); err != nil {
		return nil, err
	}
	if err := assignment.Withdraw(c.Tx, i); err != nil {
		return nil, err
	}
	return answer(&wire.DeleteInstanceResponse{}, instance.Delete(c.Tx, i))
}

// DescribeDirectory describes where the people of an instance come from, and
// the addresses of their portal.
func (s Service) DescribeDirectory(c Context, in *wire.DescribeDirectoryRequest) (*wire.DescribeDirectoryResponse, error) {
	i, err := instanceOfStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	alias, _, err := c.Tx.PortalAlias(i.IdentityStoreID)
	out := &wire.DescribeDirectoryResponse{
		IdentityStoreId: &i.IdentityStoreID, InstanceArn: new(i.ARN()), DirectoryType: new(wire.DirectoryTypeUserPool),
		AuthenticationMethod: new(wire.AuthenticationMethodPassword), ProvisioningMethod: new(wire.ProvisioningMethodDirect),
		Alias: optional(alias), PortalUrls: []string{s.URL.JoinPath("start").String(), i.StartURL()},
	}
	if alias != "" {
		out.PortalUrls = append(out.PortalUrls, instance.AliasURL(alias))
	}
	return answer(out, err)
}

// ListDirectoryAssociations names the identity source of an instance.
func (Service) ListDirectoryAssociations(c Context, in *wire.ListDirectoryAssociationsRequest) (*wire.ListDirectoryAssociationsResponse, error) {
	i, err := instance.ByARN(c.Tx, *in.InstanceArn)
	return answer(&wire.ListDirectoryAssociationsResponse{DirectoryAssociations: []wire.DirectoryAssociation{
		{DirectoryId: &i.IdentityStoreID, DirectoryType: new(wire.DirectoryTypeUserPool)},
	}}, err)
}

// CreateAlias gives the access portal a name of its own in its start URL.
func (Service) CreateAlias(c Context, in *wire.CreateAliasRequest) (*wire.CreateAliasResponse, error) {
	i, err := instanceOfStore(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	alias, err := instance.SetAlias(c.Tx, i, *in.Alias)
	return answer(&wire.CreateAliasResponse{IdentityStoreId: &i.IdentityStoreID, Alias: &alias}, err)
}

// denied refuses the caller in the words of a policy's refusal.
func denied(c Context, because string) error {
	return fault.New(fault.Denied, "", "User: %s is not authorized to perform: %s because %s", c.Caller.ARN, c.Op.Action, because)
}
