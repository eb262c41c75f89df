package organizations

import (
	wire "github.com/atrium-iam/atrium/internal/awsapi/organizations"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// CreateOrganization makes the caller's account a management account.
func (Service) CreateOrganization(c *gateway.Context[Tx], in *wire.CreateOrganizationRequest) (*wire.CreateOrganizationResponse, error) {
	o, err := organization.CreateOrganization(c.Tx, c.Request.Time, c.IDs, c.Caller.AccountID, organization.FeatureSet(text(in.FeatureSet)))
	if err != nil {
		return nil, err
	}
	management, err := organization.MemberAccount(c.Tx, o, o.ManagementAccountID)
	return answer(&wire.CreateOrganizationResponse{Organization: wireOrganization(o, management)}, err)
}

// DescribeOrganization describes the caller's organization.
func (Service) DescribeOrganization(c *gateway.Context[Tx], _ *wire.DescribeOrganizationInput) (*wire.DescribeOrganizationResponse, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	management, err := organization.MemberAccount(c.Tx, o, o.ManagementAccountID)
	return answer(&wire.DescribeOrganizationResponse{Organization: wireOrganization(o, management)}, err)
}

// DeleteOrganization deletes the caller's organization.
func (Service) DeleteOrganization(c *gateway.Context[Tx], _ *wire.DeleteOrganizationInput) (*wire.DeleteOrganizationOutput, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	_, found, err := c.Tx.InstanceOfOrganization(o.ID)
	if err != nil {
		return nil, err
	}
	if found {
		return nil, fault.New(fault.Conflict, "organization_not_empty", "To delete an organization you must first delete its instance of IAM Identity Center.")
	}
	return answer(&wire.DeleteOrganizationOutput{}, organization.DeleteOrganization(c.Tx, o))
}

// ListRoots lists the one root.
func (Service) ListRoots(c *gateway.Context[Tx], in *wire.ListRootsRequest) (*wire.ListRootsResponse, error) {
	o, _, err := ownPage(c, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	root, err := organization.Root(c.Tx, o)
	return answer(&wire.ListRootsResponse{Roots: []wire.Root{{
		Id: &root.ID, Arn: new(o.ContainerARN(root)), Name: &root.Name, PolicyTypes: []wire.PolicyTypeSummary{},
	}}}, err)
}

// CreateOrganizationalUnit creates an organizational unit.
func (Service) CreateOrganizationalUnit(c *gateway.Context[Tx], in *wire.CreateOrganizationalUnitRequest) (*wire.CreateOrganizationalUnitResponse, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	u, err := organization.CreateOrganizationalUnit(c.Tx, c.Request.Time, c.IDs, o, *in.ParentId, *in.Name, tagsOf(in.Tags))
	return answer(&wire.CreateOrganizationalUnitResponse{OrganizationalUnit: wireUnit(o, u)}, err)
}

// DescribeOrganizationalUnit describes an organizational unit.
func (Service) DescribeOrganizationalUnit(c *gateway.Context[Tx], in *wire.DescribeOrganizationalUnitRequest) (*wire.DescribeOrganizationalUnitResponse, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	u, err := organization.DescribeOrganizationalUnit(c.Tx, o, *in.OrganizationalUnitId)
	return answer(&wire.DescribeOrganizationalUnitResponse{OrganizationalUnit: wireUnit(o, u)}, err)
}

// UpdateOrganizationalUnit renames an organizational unit. Without a name it
// changes nothing.
func (Service) UpdateOrganizationalUnit(c *gateway.Context[Tx], in *wire.UpdateOrganizationalUnitRequest) (*wire.UpdateOrganizationalUnitResponse, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	var u organization.Container
	if in.Name == nil {
		u, err = organization.DescribeOrganizationalUnit(c.Tx, o, *in.OrganizationalUnitId)
	} else {
		u, err = organization.RenameOrganizationalUnit(c.Tx, o, *in.OrganizationalUnitId, *in.Name)
	}
	return answer(&wire.UpdateOrganizationalUnitResponse{OrganizationalUnit: wireUnit(o, u)}, err)
}

// DeleteOrganizationalUnit deletes an empty organizational unit.
func (Service) DeleteOrganizationalUnit(c *gateway.Context[Tx], in *wire.DeleteOrganizationalUnitRequest) (*wire.DeleteOrganizationalUnitOutput, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	return answer(&wire.DeleteOrganizationalUnitOutput{}, organization.DeleteOrganizationalUnit(c.Tx, o, *in.OrganizationalUnitId))
}

// ListOrganizationalUnitsForParent lists the organizational units directly in
// a root or unit.
func (Service) ListOrganizationalUnitsForParent(c *gateway.Context[Tx], in *wire.ListOrganizationalUnitsForParentRequest) (*wire.ListOrganizationalUnitsForParentResponse, error) {
	o, page, err := ownPage(c, in.NextToken, in.MaxResults, *in.ParentId)
	if err != nil {
		return nil, err
	}
	units, next, err := organization.ListOrganizationalUnitsForParent(c.Tx, o, *in.ParentId, page.After, page.Limit)
	return answer(&wire.ListOrganizationalUnitsForParentResponse{
		OrganizationalUnits: each(units, func(u organization.Container) wire.OrganizationalUnit { return *wireUnit(o, u) }),
		NextToken:           c.NextToken(next, *in.ParentId),
	}, err)
}

// ListChildren lists the ids of the accounts or units directly in a root or
// unit.
func (Service) ListChildren(c *gateway.Context[Tx], in *wire.ListChildrenRequest) (*wire.ListChildrenResponse, error) {
	o, page, err := ownPage(c, in.NextToken, in.MaxResults, *in.ParentId, *in.ChildType)
	if err != nil {
		return nil, err
	}
	var ids []string
	var next string
	if *in.ChildType == wire.ChildTypeAccount {
		var accounts []organization.Account
		accounts, next, err = organization.ListAccountsForParent(c.Tx, o, *in.ParentId, page.After, page.Limit)
		ids = each(accounts, func(a organization.Account) string { return a.ID })
	} else {
		var units []organization.Container
		units, next, err = organization.ListOrganizationalUnitsForParent(c.Tx, o, *in.ParentId, page.After, page.Limit)
		ids = each(units, func(u organization.Container) string { return u.ID })
	}
	return answer(&wire.ListChildrenResponse{
		Children:  each(ids, func(id string) wire.Child { return wire.Child{Id: &id, Type: in.ChildType} }),
		NextToken: c.NextToken(next, *in.ParentId, *in.ChildType),
	}, err)
}

// ListParents lists the one container that holds an account or unit.
func (Service) ListParents(c *gateway.Context[Tx], in *wire.ListParentsRequest) (*wire.ListParentsResponse, error) {
	o, _, err := ownPage(c, in.NextToken, in.MaxResults, *in.ChildId)
	if err != nil {
		return nil, err
	}
	p, err := organization.ParentOf(c.Tx, o, *in.ChildId)
	kind := wire.ParentTypeOrganizationalUnit
	if p.IsRoot() {
		kind = wire.ParentTypeRoot
	}
	return answer(&wire.ListParentsResponse{Parents: []wire.Parent{{Id: &p.ID, Type: &kind}}}, err)
}
