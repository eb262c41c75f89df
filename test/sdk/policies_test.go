package sdk

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"

	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/test/node"
)

// TestPolicies gives users policies of all kinds and looks at what they may do.
func TestPolicies(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		w := &world{n, n.Callers(t), new(n.Instance.ARN()), &n.Instance.IdentityStoreID}
		ctx, root := t.Context(), w.root(t)
		group, other, user := w.group(t, "team"), w.group(t, "other"), w.user(t, "pat")
		set, otherSet := w.set(t, "Set"), w.set(t, "Other")
		unit, otherUnit := w.unit(t, root.Id, "Unit"), w.unit(t, root.Id, "Another")
		describeGroup := func(id *string) func(*node.Caller) error {
			return func(c *node.Caller) error {
				_, err := c.IdentityStore.DescribeGroup(ctx, &identitystore.DescribeGroupInput{IdentityStoreId: w.store, GroupId: id})
				return err
			}
		}
		isMember := func(ids ...string) func(*node.Caller) error {
			return func(c *node.Caller) error {
				_, err := c.IdentityStore.IsMemberInGroups(ctx, &identitystore.IsMemberInGroupsInput{IdentityStoreId: w.store, MemberId: memberID(user), GroupIds: ids})
				return err
			}
		}
		describeSet := func(arn *string) func(*node.Caller) error {
			return func(c *node.Caller) error {
				_, err := c.SSOAdmin.DescribePermissionSet(ctx, &ssoadmin.DescribePermissionSetInput{InstanceArn: w.instance, PermissionSetArn: arn})
				return err
			}
		}
		updateUnit := func(u string) func(*node.Caller) error {
			return func(c *node.Caller) error {
				_, err := c.Organizations.UpdateOrganizationalUnit(ctx, &organizations.UpdateOrganizationalUnitInput{OrganizationalUnitId: &u})
				return err
			}
		}
		createUnit := func(parent string) func(*node.Caller) error {
			names := 0
			return func(c *node.Caller) error {
				names++
				_, err := c.Organizations.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: &parent, Name: new(fmt.Sprintf("Made%d", names))})
				return err
			}
		}
		listUsers := func(c *node.Caller) error {
			_, err := c.IdentityStore.ListUsers(ctx, &identitystore.ListUsersInput{IdentityStoreId: w.store, Filters: []types.Filter{{AttributePath: new("UserName"), AttributeValue: new("pat")}}})
			return err
		}
		directory := "arn:aws:identitystore::" + node.Management + ":identitystore/" + *w.store
		aGroup := "arn:aws:identitystore:::group/" + *group
		for i, c := range []struct {
			name, policy string
			allowed      []func(*node.Caller) error
			denied       []func(*node.Caller) error
		}{
			{"one group", statement("Allow", "identitystore:DescribeGroup", "", directory, aGroup), []func(*node.Caller) error{describeGroup(group)}, []func(*node.Caller) error{describeGroup(other), listUsers}},
			{"the group without its directory", statement("Allow", "identitystore:*", "", aGroup), nil, []func(*node.Caller) error{describeGroup(group)}},
			{"a directory of another account", statement("Allow", "identitystore:*", "", "arn:aws:identitystore::"+node.Outside+":identitystore/*", "arn:aws:identitystore:::*"), nil, []func(*node.Caller) error{describeGroup(group), listUsers}},
			{
				"all but one group", statements(statement("Allow", "identitystore:*", "", "*"), statement("Deny", "identitystore:*", "", aGroup)),
				[]func(*node.Caller) error{describeGroup(other), isMember(*other)},
				[]func(*node.Caller) error{describeGroup(group), isMember(*group), isMember(*other, *group), isMember(*group, *other)},
			},
			{"one permission set", statement("Allow", "sso:Describe*", "", *w.instance, *set), []func(*node.Caller) error{describeSet(set)}, []func(*node.Caller) error{describeSet(otherSet)}},
			{"actions in other case", statement("Allow", "SSO:dEsCrIbE?ermissionSet", "", "*"), []func(*node.Caller) error{describeSet(set)}, []func(*node.Caller) error{listUsers}},
			{"all actions but", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"sso:*","Resource":"*"}]}`, []func(*node.Caller) error{listUsers}, []func(*node.Caller) error{describeSet(set)}},
			{"all resources but", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","NotResource":"` + *set + `"}]}`, []func(*node.Caller) error{describeSet(otherSet)}, []func(*node.Caller) error{describeSet(set)}},
			{"one unit", statement("Allow", "organizations:*", "", *unit.Arn), []func(*node.Caller) error{updateUnit(*unit.Id), createUnit(*unit.Id)}, []func(*node.Caller) error{updateUnit(*otherUnit.Id), createUnit(*root.Id)}},
			{"the root", statement("Allow", "organizations:CreateOrganizationalUnit", "", *root.Arn), []func(*node.Caller) error{createUnit(*root.Id)}, []func(*node.Caller) error{createUnit(*otherUnit.Id)}},
			{"from here", statement("Allow", "*", `"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}`, "*"), []func(*node.Caller) error{listUsers}, nil},
			{"from elsewhere", statement("Allow", "*", `"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}`, "*"), nil, []func(*node.Caller) error{listUsers}},
			{"encrypted only", statements(statement("Allow", "*", "", "*"), statement("Deny", "*", `"Bool":{"aws:SecureTransport":"false"}`, "*")), nil, []func(*node.Caller) error{listUsers}},
			{"by name", statement("Allow", "*", `"StringLike":{"aws:username":"user-*"}`, "*"), []func(*node.Caller) error{listUsers}, nil},
			{"by another name", statement("Allow", "*", `"StringEquals":{"aws:username":"nobody"}`, "*"), nil, []func(*node.Caller) error{listUsers}},
			{"this account's", statement("Allow", "*", `"StringEquals":{"aws:PrincipalAccount":"`+node.Management+`"}`, "*"), []func(*node.Caller) error{listUsers}, nil},
			{"this organization's", statement("Allow", "*", `"StringEquals":{"aws:PrincipalOrgID":"`+n.Organization.ID+`"}`, "*"), []func(*node.Caller) error{listUsers}, nil},
			{"in this region", statement("Allow", "*", `"StringEquals":{"aws:RequestedRegion":"us-east-1"}`, "*"), []func(*node.Caller) error{listUsers}, nil},
			{"until last year", statement("Allow", "*", `"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`, "*"), nil, []func(*node.Caller) error{listUsers}},
			{"with a second factor", statement("Allow", "*", `"Bool":{"aws:MultiFactorAuthPresent":"true"}`, "*"), nil, []func(*node.Caller) error{listUsers}},
			{"an unknown key allows nothing", statement("Allow", "*", `"StringEquals":{"nobody:Knows":"x"}`, "*"), nil, []func(*node.Caller) error{listUsers}},
			{"another action", statement("Allow", "identitystore:ListGroups", "", "*"), nil, []func(*node.Caller) error{listUsers}},
		} {
			caller := n.User(t, node.Management, fmt.Sprintf("user-%d", i), c.policy)
			for j, call := range c.allowed {
				if err := call(caller); err != nil {
					t.Errorf("%s: call %d: %v", c.name, j, err)
				}
			}
			for j, call := range c.denied {
				refusedAs(t, fmt.Sprintf("%s: call %d", c.name, j), call(caller), "AccessDeniedException")
			}
		}
	})
}

// statement is a policy of one statement.
func statement(effect, action, condition string, resources ...string) string {
	list := ""
	for _, r := range resources {
		list += `,"` + r + `"`
	}
	if condition != "" {
		condition = `,"Condition":{` + condition + `}`
	}
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":%q,"Resource":[%s]%s}]}`, effect, action, list[1:], condition)
}

// statements joins two policies of one statement.
func statements(a, b string) string {
	const start, end = `{"Version":"2012-10-17","Statement":[`, `]}`
	return a[:len(a)-len(end)] + "," + b[len(start):]
}

// TestRevokedKeys holds that a key which was taken away, or switched off, opens
// nothing any more.
func TestRevokedKeys(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		for what, revoke := range map[string]func(*store.Tx, string) error{
			"switched off": func(tx *store.Tx, id string) error { return tx.SetAccessKeyActive(id, false) },
			"deleted":      func(tx *store.Tx, id string) error { return tx.DeleteAccessKey(id) },
		} {
			c := n.User(t, node.Management, "user-"+what[:7], node.AdministratorAccess)
			list := func() error {
				_, err := c.SSOAdmin.ListInstances(t.Context(), &ssoadmin.ListInstancesInput{})
				return err
			}
			refusedAs(t, "before", list(), "")
			if err := n.Store.Update(t.Context(), func(tx *store.Tx) error { return revoke(tx, c.KeyID) }); err != nil {
				t.Fatal(err)
			}
			refusedAs(t, what, list(), "UnrecognizedClientException")
		}
	})
}

// TestDelegatedAdministratorKeepsOff holds that a delegated administrator cannot
// get at the management account by way of the people who have access to it.
func TestDelegatedAdministratorKeepsOff(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		w := &world{n, n.Callers(t), new(n.Instance.ARN()), &n.Instance.IdentityStoreID}
		ctx, d := t.Context(), w.Delegated.IdentityStore
		operations := must(d.GetGroupId(ctx, &identitystore.GetGroupIdInput{IdentityStoreId: w.store, AlternateIdentifier: unique("displayName", "Operations")})).or(t).GroupId
		admin := must(d.GetUserId(ctx, &identitystore.GetUserIdInput{IdentityStoreId: w.store, AlternateIdentifier: unique("userName", "admin")})).or(t).UserId
		mallory := must(d.CreateUser(ctx, w.newUser("mallory"))).or(t).UserId
		_, err := d.CreateGroupMembership(ctx, &identitystore.CreateGroupMembershipInput{IdentityStoreId: w.store, GroupId: operations, MemberId: memberID(mallory)})
		refusedAs(t, "join a group with access", err, "AccessDeniedException")
		err = w.setUserAs(t, w.Delegated, admin, "emails", []any{map[string]any{"value": "evil@example.com"}})
		refusedAs(t, "change the address of somebody with access", err, "AccessDeniedException")
		for _, set := range must(w.Delegated.SSOAdmin.ListPermissionSets(ctx, &ssoadmin.ListPermissionSetsInput{InstanceArn: w.instance})).or(t).PermissionSets {
			got := must(w.Delegated.SSOAdmin.DescribePermissionSet(ctx, &ssoadmin.DescribePermissionSetInput{InstanceArn: w.instance, PermissionSetArn: &set})).or(t)
			_, err := w.Delegated.SSOAdmin.PutInlinePolicyToPermissionSet(ctx, &ssoadmin.PutInlinePolicyToPermissionSetInput{
				InstanceArn: w.instance, PermissionSetArn: &set, InlinePolicy: new(statement("Allow", "*", "", "*")),
			})
			want := map[string]string{"Administrator": "AccessDeniedException", "Auditor": "AccessDeniedException", "Builder": ""}[*got.PermissionSet.Name]
			refusedAs(t, "edit "+*got.PermissionSet.Name, err, want)
		}
	})
}
