package identitystore

import (
	wire "github.com/atrium-iam/atrium/internal/awsapi/identitystore"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// CreateGroupMembership puts a user into a group.
func (Service) CreateGroupMembership(c *gateway.Context[Tx], in *wire.CreateGroupMembershipRequest) (*wire.CreateGroupMembershipResponse, error) {
	i, err := instanceOf(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	user, err := userOf(in.MemberId)
	if err != nil {
		return nil, err
	}
	if err := protectGroup(c, i, *in.GroupId); err != nil {
		return nil, err
	}
	m, err := directory.CreateMembership(c.Tx, c.IDs, stamp(c), i.IdentityStoreID, *in.GroupId, user)
	if err != nil {
		return nil, err
	}
	return &wire.CreateGroupMembershipResponse{IdentityStoreId: &m.StoreID, MembershipId: &m.ID}, nil
}

// DescribeGroupMembership returns a membership.
func (Service) DescribeGroupMembership(c *gateway.Context[Tx], in *wire.DescribeGroupMembershipRequest) (*wire.DescribeGroupMembershipResponse, error) {
	store, err := storeID(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	m, err := directory.MembershipByID(c.Tx, store, *in.MembershipId)
	if err != nil {
		return nil, err
	}
	w := wireMembership(&m)
	return &wire.DescribeGroupMembershipResponse{
		IdentityStoreId: w.IdentityStoreId, MembershipId: w.MembershipId, GroupId: w.GroupId, MemberId: w.MemberId,
		CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt, CreatedBy: w.CreatedBy, UpdatedBy: w.UpdatedBy,
	}, nil
}

// GetGroupMembershipId finds the membership of a user in a group.
func (Service) GetGroupMembershipId(c *gateway.Context[Tx], in *wire.GetGroupMembershipIdRequest) (*wire.GetGroupMembershipIdResponse, error) {
	store, user, err := storeAndMember(c, in.IdentityStoreId, in.MemberId)
	if err != nil {
		return nil, err
	}
	m, err := directory.MembershipOf(c.Tx, store, *in.GroupId, user)
	if err != nil {
		return nil, err
	}
	return &wire.GetGroupMembershipIdResponse{IdentityStoreId: &m.StoreID, MembershipId: &m.ID}, nil
}

// IsMemberInGroups tells in which of the groups a user is.
func (Service) IsMemberInGroups(c *gateway.Context[Tx], in *wire.IsMemberInGroupsRequest) (*wire.IsMemberInGroupsResponse, error) {
	store, user, err := storeAndMember(c, in.IdentityStoreId, in.MemberId)
	if err != nil {
		return nil, err
	}
	exists, err := directory.IsMemberInGroups(c.Tx, store, user, in.GroupIds)
	if err != nil {
		return nil, err
	}
	out := &wire.IsMemberInGroupsResponse{Results: make([]wire.GroupMembershipExistenceResult, len(exists))}
	for i := range exists {
		out.Results[i] = wire.GroupMembershipExistenceResult{
			GroupId: &in.GroupIds[i], MemberId: &wire.MemberId{UserId: &user}, MembershipExists: &exists[i],
		}
	}
	return out, nil
}

// ListGroupMemberships returns a page of the memberships of a group.
func (Service) ListGroupMemberships(c *gateway.Context[Tx], in *wire.ListGroupMembershipsRequest) (*wire.ListGroupMembershipsResponse, error) {
	store, err := storeID(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, store, *in.GroupId)
	if err != nil {
		return nil, err
	}
	found, next, err := directory.ListMemberships(c.Tx, store, *in.GroupId, page.After, page.Limit)
	if err != nil {
		return nil, err
	}
	return &wire.ListGroupMembershipsResponse{
		GroupMemberships: wireMemberships(found), NextToken: c.NextToken(next, store, *in.GroupId),
	}, nil
}

// ListGroupMembershipsForMember returns a page of the memberships of a user.
func (Service) ListGroupMembershipsForMember(c *gateway.Context[Tx], in *wire.ListGroupMembershipsForMemberRequest) (*wire.ListGroupMembershipsForMemberResponse, error) {
	store, user, err := storeAndMember(c, in.IdentityStoreId, in.MemberId)
	if err != nil {
		return nil, err
	}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, store, user)
	if err != nil {
		return nil, err
	}
	found, next, err := directory.ListMembershipsOfUser(c.Tx, store, user, page.After, page.Limit)
	if err != nil {
		return nil, err
	}
	return &wire.ListGroupMembershipsForMemberResponse{
		GroupMemberships: wireMemberships(found), NextToken: c.NextToken(next, store, user),
	}, nil
}

// DeleteGroupMembership takes a user out of a group.
func (Service) DeleteGroupMembership(c *gateway.Context[Tx], in *wire.DeleteGroupMembershipRequest) (*wire.DeleteGroupMembershipResponse, error) {
	i, err := instanceOf(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	m, err := directory.MembershipByID(c.Tx, i.IdentityStoreID, *in.MembershipId)
	if err != nil {
		return nil, err
	}
	if err := protectGroup(c, i, m.GroupID); err != nil {
		return nil, err
	}
	if _, err := directory.DeleteMembership(c.Tx, i.IdentityStoreID, m.ID); err != nil {
		return nil, err
	}
	return &wire.DeleteGroupMembershipResponse{}, nil
}

func storeAndMember(c *gateway.Context[Tx], id *string, member *wire.MemberId) (store, user string, err error) {
	if store, err = storeID(c, id); err != nil {
		return "", "", err
	}
	user, err = userOf(member)
	return store, user, err
}
