package sdk

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"

	"github.com/atrium-iam/atrium/test/node"
)

// members reads, from a member account, what AWS lets member accounts read, and
// gets the same answers as the management account.
func members(t *testing.T, w *world) {
	ctx, group, user := t.Context(), w.group(t, "team"), w.user(t, "pat")
	membership := must(w.Admin.IdentityStore.CreateGroupMembership(ctx, &identitystore.CreateGroupMembershipInput{
		IdentityStoreId: w.store, GroupId: group, MemberId: memberID(user),
	})).or(t).MembershipId
	for what, read := range map[string]func(*node.Caller) (any, error){
		"ListInstances": func(c *node.Caller) (any, error) {
			out, err := c.SSOAdmin.ListInstances(ctx, &ssoadmin.ListInstancesInput{})
			return first(out, err, func() any { return out.Instances })
		},
		"DescribeUser": func(c *node.Caller) (any, error) {
			out, err := c.IdentityStore.DescribeUser(ctx, &identitystore.DescribeUserInput{IdentityStoreId: w.store, UserId: user})
			return first(out, err, func() any { return *out.UserName + *out.Name.GivenName })
		},
		"DescribeGroup": func(c *node.Caller) (any, error) {
			out, err := c.IdentityStore.DescribeGroup(ctx, &identitystore.DescribeGroupInput{IdentityStoreId: w.store, GroupId: group})
			return first(out, err, func() any { return *out.DisplayName })
		},
		"DescribeGroupMembership": func(c *node.Caller) (any, error) {
			out, err := c.IdentityStore.DescribeGroupMembership(ctx, &identitystore.DescribeGroupMembershipInput{IdentityStoreId: w.store, MembershipId: membership})
			return first(out, err, func() any { return *out.GroupId })
		},
		"ListUsers": func(c *node.Caller) (any, error) {
			out, err := c.IdentityStore.ListUsers(ctx, &identitystore.ListUsersInput{IdentityStoreId: w.store})
			return first(out, err, func() any { return len(out.Users) })
		},
		"ListGroups": func(c *node.Caller) (any, error) {
			out, err := c.IdentityStore.ListGroups(ctx, &identitystore.ListGroupsInput{IdentityStoreId: w.store})
			return first(out, err, func() any { return len(out.Groups) })
		},
		"ListGroupMemberships": func(c *node.Caller) (any, error) {
			out, err := c.IdentityStore.ListGroupMemberships(ctx, &identitystore.ListGroupMembershipsInput{IdentityStoreId: w.store, GroupId: group})
			return first(out, err, func() any { return len(out.GroupMemberships) })
		},
		"ListGroupMembershipsForMember": func(c *node.Caller) (any, error) {
			out, err := c.IdentityStore.ListGroupMembershipsForMember(ctx, &identitystore.ListGroupMembershipsForMemberInput{IdentityStoreId: w.store, MemberId: memberID(user)})
			return first(out, err, func() any { return len(out.GroupMemberships) })
		},
		"GetUserId": func(c *node.Caller) (any, error) {
			out, err := c.IdentityStore.GetUserId(ctx, &identitystore.GetUserIdInput{IdentityStoreId: w.store, AlternateIdentifier: unique("userName", "pat")})
			return first(out, err, func() any { return *out.UserId })
		},
		"DescribeOrganization": func(c *node.Caller) (any, error) {
			out, err := c.Organizations.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
			return first(out, err, func() any { return *out.Organization.Id })
		},
	} {
		ours := must(read(w.Admin)).or(t)
		theirs, err := read(w.Member)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		same(t, what, theirs, ours)
		if _, err := read(w.Outsider); codeOf(err) == "" && what != "ListInstances" {
			t.Errorf("%s from outside the organization succeeds", what)
		}
	}
	_, err := w.Member.IdentityStore.CreateUser(ctx, w.newUser("mallory"))
	refusedAs(t, "create from a member account", err, "AccessDeniedException")
}

// first reads an output when there is one.
func first[T any](_ *T, err error, read func() any) (any, error) {
	if err != nil {
		return nil, err
	}
	return read(), nil
}
