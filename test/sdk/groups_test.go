package sdk

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/types"
)

// group makes a group and returns its id.
func (w *world) group(t *testing.T, name string) *string {
	t.Helper()
	return must(w.Admin.IdentityStore.CreateGroup(t.Context(), &identitystore.CreateGroupInput{
		IdentityStoreId: w.store, DisplayName: &name,
	})).or(t).GroupId
}

// groups creates, describes, finds, changes, lists and deletes a group.
func groups(t *testing.T, w *world) {
	c, ctx := w.Admin.IdentityStore, t.Context()
	made := must(c.CreateGroup(ctx, &identitystore.CreateGroupInput{
		IdentityStoreId: w.store, DisplayName: new("Équipe 漢字"), Description: new("A group's purpose"),
	})).or(t)
	same(t, "store", made.IdentityStoreId, w.store)
	matches(t, "group id", made.GroupId, idForm)
	describe := func() *identitystore.DescribeGroupOutput {
		return must(c.DescribeGroup(ctx, &identitystore.DescribeGroupInput{IdentityStoreId: w.store, GroupId: made.GroupId})).or(t)
	}
	got := describe()
	recent(t, "CreatedAt", got.CreatedAt)
	same(t, "group", got, &identitystore.DescribeGroupOutput{
		IdentityStoreId: w.store, GroupId: made.GroupId, DisplayName: new("Équipe 漢字"), Description: new("A group's purpose"),
		CreatedAt: got.CreatedAt, UpdatedAt: got.CreatedAt, CreatedBy: &w.Admin.ARN, UpdatedBy: &w.Admin.ARN,
	})
	found := must(c.GetGroupId(ctx, &identitystore.GetGroupIdInput{IdentityStoreId: w.store, AlternateIdentifier: unique("displayName", "équipe 漢字")})).or(t)
	same(t, "group by name", found.GroupId, made.GroupId)
	_, err := c.CreateGroup(ctx, &identitystore.CreateGroupInput{IdentityStoreId: w.store, DisplayName: new("ÉQUIPE 漢字")})
	refusedAs(t, "the same name", err, "ConflictException")

	set := func(path string, value any) error {
		op := types.AttributeOperation{AttributePath: &path}
		if value != nil {
			op.AttributeValue = document.NewLazyDocument(value)
		}
		_, err := c.UpdateGroup(ctx, &identitystore.UpdateGroupInput{
			IdentityStoreId: w.store, GroupId: made.GroupId, Operations: []types.AttributeOperation{op},
		})
		return err
	}
	refusedAs(t, "rename", set("displayName", "Team"), "")
	refusedAs(t, "describe anew", set("description", "Else"), "")
	same(t, "name", describe().DisplayName, new("Team"))
	same(t, "description", describe().Description, new("Else"))
	refusedAs(t, "remove the description", set("description", nil), "")
	same(t, "description", describe().Description, nil)
	refusedAs(t, "remove the name", set("displayName", nil), "ValidationException")
	refusedAs(t, "unknown path", set("members", "x"), "ValidationException")
	refusedAs(t, "a name that is taken", set("displayName", "operations"), "ConflictException")

	want := map[string]bool{"Operations": true, "Audit": true, "Builders": true, "Team": true}
	for i := range 4 {
		name := fmt.Sprintf("group%d", i)
		w.group(t, name)
		want[name] = true
	}
	for _, size := range []int32{1, 3, 8, 100} {
		listed := map[string]bool{}
		for _, name := range pages(t, int(size), func(token *string) ([]string, *string, error) {
			out, err := c.ListGroups(ctx, &identitystore.ListGroupsInput{IdentityStoreId: w.store, MaxResults: &size, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return each(out.Groups, func(g types.Group) string { return *g.DisplayName }), out.NextToken, nil
		}) {
			listed[name] = true
		}
		same(t, "groups", listed, want)
	}
	filtered := must(c.ListGroups(ctx, &identitystore.ListGroupsInput{
		IdentityStoreId: w.store, Filters: []types.Filter{{AttributePath: new("DisplayName"), AttributeValue: new("Team")}},
	})).or(t)
	if len(filtered.Groups) != 1 || *filtered.Groups[0].GroupId != *made.GroupId {
		t.Errorf("filtered: %+v", filtered.Groups)
	}
	must(c.DeleteGroup(ctx, &identitystore.DeleteGroupInput{IdentityStoreId: w.store, GroupId: made.GroupId})).or(t)
	_, err = c.DeleteGroup(ctx, &identitystore.DeleteGroupInput{IdentityStoreId: w.store, GroupId: made.GroupId})
	refusedAs(t, "delete again", err, "ResourceNotFoundException")
	_, err = c.DescribeGroup(ctx, &identitystore.DescribeGroupInput{IdentityStoreId: w.store, GroupId: made.GroupId})
	refusedAs(t, "describe after deletion", err, "ResourceNotFoundException")
}

func memberID(id *string) types.MemberId { return &types.MemberIdMemberUserId{Value: *id} }

// memberships puts users into groups and takes them out.
func memberships(t *testing.T, w *world) {
	c, ctx := w.Admin.IdentityStore, t.Context()
	team, other, nobody := w.group(t, "team"), w.group(t, "other"), w.user(t, "nobody")
	var people []*string
	for i := range 5 {
		people = append(people, w.user(t, fmt.Sprintf("p%d", i)))
	}
	join := func(group, user *string) (*string, error) {
		out, err := c.CreateGroupMembership(ctx, &identitystore.CreateGroupMembershipInput{IdentityStoreId: w.store, GroupId: group, MemberId: memberID(user)})
		if err != nil {
			return nil, err
		}
		return out.MembershipId, nil
	}
	ids := map[string]*string{}
	for _, p := range people {
		ids[*p] = must(join(team, p)).or(t)
		matches(t, "membership id", ids[*p], idForm)
	}
	second := must(join(other, people[0])).or(t)
	_, err := join(team, people[0])
	refusedAs(t, "join twice", err, "ConflictException")
	_, err = join(team, new("94482488-3041-7026-18f3-aaaaaaaaaaaa"))
	refusedAs(t, "unknown user", err, "ResourceNotFoundException")
	_, err = join(new("94482488-3041-7026-18f3-aaaaaaaaaaaa"), people[0])
	refusedAs(t, "unknown group", err, "ResourceNotFoundException")

	got := must(c.DescribeGroupMembership(ctx, &identitystore.DescribeGroupMembershipInput{IdentityStoreId: w.store, MembershipId: second})).or(t)
	recent(t, "CreatedAt", got.CreatedAt)
	same(t, "membership", got, &identitystore.DescribeGroupMembershipOutput{
		IdentityStoreId: w.store, MembershipId: second, GroupId: other, MemberId: memberID(people[0]),
		CreatedAt: got.CreatedAt, UpdatedAt: got.CreatedAt, CreatedBy: &w.Admin.ARN, UpdatedBy: &w.Admin.ARN,
	})
	found := must(c.GetGroupMembershipId(ctx, &identitystore.GetGroupMembershipIdInput{IdentityStoreId: w.store, GroupId: other, MemberId: memberID(people[0])})).or(t)
	same(t, "membership by group and user", found.MembershipId, second)
	_, err = c.GetGroupMembershipId(ctx, &identitystore.GetGroupMembershipIdInput{IdentityStoreId: w.store, GroupId: other, MemberId: memberID(nobody)})
	refusedAs(t, "no membership", err, "ResourceNotFoundException")

	is := must(c.IsMemberInGroups(ctx, &identitystore.IsMemberInGroupsInput{
		IdentityStoreId: w.store, MemberId: memberID(people[0]), GroupIds: []string{*other, *team, *w.group(t, "third")},
	})).or(t)
	same(t, "is member", each(is.Results, func(r types.GroupMembershipExistenceResult) bool { return r.MembershipExists }), []bool{true, true, false})
	same(t, "asked about", is.Results[0], types.GroupMembershipExistenceResult{GroupId: other, MemberId: memberID(people[0]), MembershipExists: true})

	members := func(size int32) map[string]bool {
		listed := map[string]bool{}
		for _, id := range pages(t, int(size), func(token *string) ([]string, *string, error) {
			out, err := c.ListGroupMemberships(ctx, &identitystore.ListGroupMembershipsInput{IdentityStoreId: w.store, GroupId: team, MaxResults: &size, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return each(out.GroupMemberships, func(m types.GroupMembership) string { return *m.MembershipId }), out.NextToken, nil
		}) {
			listed[id] = true
		}
		return listed
	}
	all := map[string]bool{}
	for _, id := range ids {
		all[*id] = true
	}
	same(t, "members by 2", members(2), all)
	same(t, "members by 5", members(5), all)
	of := func(user *string) []string {
		return pages(t, 1, func(token *string) ([]string, *string, error) {
			out, err := c.ListGroupMembershipsForMember(ctx, &identitystore.ListGroupMembershipsForMemberInput{
				IdentityStoreId: w.store, MemberId: memberID(user), MaxResults: new(int32(1)), NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			return each(out.GroupMemberships, func(m types.GroupMembership) string { return *m.GroupId }), out.NextToken, nil
		})
	}
	same(t, "groups of a member", len(of(people[0])), 2)
	same(t, "groups of nobody", len(of(nobody)), 0)

	must(c.DeleteGroupMembership(ctx, &identitystore.DeleteGroupMembershipInput{IdentityStoreId: w.store, MembershipId: second})).or(t)
	_, err = c.DeleteGroupMembership(ctx, &identitystore.DeleteGroupMembershipInput{IdentityStoreId: w.store, MembershipId: second})
	refusedAs(t, "leave twice", err, "ResourceNotFoundException")
	same(t, "groups of a member", of(people[0]), []string{*team})

	// Users and groups take their memberships with them.
	must(c.DeleteUser(ctx, &identitystore.DeleteUserInput{IdentityStoreId: w.store, UserId: people[1]})).or(t)
	delete(all, *ids[*people[1]])
	same(t, "members after one was deleted", members(100), all)
	must(c.DeleteGroup(ctx, &identitystore.DeleteGroupInput{IdentityStoreId: w.store, GroupId: team})).or(t)
	same(t, "groups of a member of a deleted group", len(of(people[0])), 0)
	_, err = c.DescribeGroupMembership(ctx, &identitystore.DescribeGroupMembershipInput{IdentityStoreId: w.store, MembershipId: ids[*people[0]]})
	refusedAs(t, "membership of a deleted group", err, "ResourceNotFoundException")
}
