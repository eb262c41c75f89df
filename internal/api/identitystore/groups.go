package identitystore

import (
	wire "github.com/atrium-iam/atrium/internal/awsapi/identitystore"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// CreateGroup adds a group.
func (Service) CreateGroup(c *gateway.Context[Tx], in *wire.CreateGroupRequest) (*wire.CreateGroupResponse, error) {
	store, err := storeID(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	g, err := directory.CreateGroup(c.Tx, c.IDs, stamp(c), store,
		directory.NewGroup{DisplayName: text(in.DisplayName), Description: text(in.Description)})
	if err != nil {
		return nil, err
	}
	return &wire.CreateGroupResponse{IdentityStoreId: &g.StoreID, GroupId: &g.ID}, nil
}

// DescribeGroup returns a group.
func (Service) DescribeGroup(c *gateway.Context[Tx], in *wire.DescribeGroupRequest) (*wire.DescribeGroupResponse, error) {
	store, err := storeID(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	g, err := directory.GroupByID(c.Tx, store, *in.GroupId)
	if err != nil {
		return nil, err
	}
	w := wireGroup(&g)
	return &wire.DescribeGroupResponse{
		GroupId: w.GroupId, DisplayName: w.DisplayName, ExternalIds: w.ExternalIds, Description: w.Description,
		CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt, CreatedBy: w.CreatedBy, UpdatedBy: w.UpdatedBy,
		IdentityStoreId: w.IdentityStoreId,
	}, nil
}

// ListGroups returns a page of groups.
func (Service) ListGroups(c *gateway.Context[Tx], in *wire.ListGroupsRequest) (*wire.ListGroupsResponse, error) {
	store, err := storeID(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	filter := filterOf(in.Filters)
	sealed := []string{store, filter.Path, filter.Value}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, sealed...)
	if err != nil {
		return nil, err
	}
	groups, next, err := directory.ListGroups(c.Tx, store, filter, page.After, page.Limit)
	if err != nil {
		return nil, err
	}
	out := &wire.ListGroupsResponse{Groups: make([]wire.Group, len(groups)), NextToken: c.NextToken(next, sealed...)}
	for i := range groups {
		out.Groups[i] = wireGroup(&groups[i])
	}
	return out, nil
}

// GetGroupId finds a group by its display name or an external id.
func (Service) GetGroupId(c *gateway.Context[Tx], in *wire.GetGroupIdRequest) (*wire.GetGroupIdResponse, error) {
	store, err := storeID(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	id, err := lookUp[directory.GroupReader](c.Tx, store, in.AlternateIdentifier, directory.GroupIDByAttribute, directory.GroupIDByExternalID)
	if err != nil {
		return nil, err
	}
	return &wire.GetGroupIdResponse{IdentityStoreId: &store, GroupId: &id}, nil
}

// UpdateGroup changes attributes of a group.
func (Service) UpdateGroup(c *gateway.Context[Tx], in *wire.UpdateGroupRequest) (*wire.UpdateGroupResponse, error) {
	i, err := instanceOf(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	if err := protectGroup(c, i, *in.GroupId); err != nil {
		return nil, err
	}
	if _, _, err := directory.UpdateGroup(c.Tx, stamp(c), i.IdentityStoreID, *in.GroupId, operations(in.Operations)); err != nil {
		return nil, err
	}
	return &wire.UpdateGroupResponse{}, nil
}

// DeleteGroup deletes a group and its memberships.
func (Service) DeleteGroup(c *gateway.Context[Tx], in *wire.DeleteGroupRequest) (*wire.DeleteGroupResponse, error) {
	i, err := instanceOf(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	if err := protectGroup(c, i, *in.GroupId); err != nil {
		return nil, err
	}
	if _, _, err := directory.DeleteGroup(c.Tx, i.IdentityStoreID, *in.GroupId); err != nil {
		return nil, err
	}
	return &wire.DeleteGroupResponse{}, nil
}
