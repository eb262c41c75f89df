package sdk

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"

	"github.com/atrium-iam/atrium/test/node"
)

// instances lists and describes the organization's instance, as several
// callers, and renames it.
func instances(t *testing.T, w *world) {
	ctx := t.Context()
	for _, c := range []*node.Caller{w.Admin, w.Member, w.Delegated} {
		out := must(c.SSOAdmin.ListInstances(ctx, &ssoadmin.ListInstancesInput{})).or(t)
		if len(out.Instances) != 1 || out.NextToken != nil {
			t.Fatalf("%s sees %+v", c.ARN, out)
		}
		got := out.Instances[0]
		recent(t, "CreatedDate", got.CreatedDate)
		same(t, "instance", got, types.InstanceMetadata{
			InstanceArn: w.instance, IdentityStoreId: w.store, OwnerAccountId: new(node.Management),
			CreatedDate: got.CreatedDate, Status: types.InstanceStatusActive,
		})
	}
	matches(t, "instance ARN", w.instance, `arn:aws:sso:::instance/ssoins-[0-9a-f]{16}`)
	matches(t, "identity store id", w.store, `d-[0-9a-f]{10}`)
	outside := must(w.Outsider.SSOAdmin.ListInstances(ctx, &ssoadmin.ListInstancesInput{})).or(t)
	same(t, "instances of an account outside", len(outside.Instances), 0)

	c := w.Admin.SSOAdmin
	must(c.UpdateInstance(ctx, &ssoadmin.UpdateInstanceInput{InstanceArn: w.instance, Name: new("our-center")})).or(t)
	got := must(c.DescribeInstance(ctx, &ssoadmin.DescribeInstanceInput{InstanceArn: w.instance})).or(t)
	recent(t, "CreatedDate", got.CreatedDate)
	same(t, "name", got.Name, new("our-center"))
	same(t, "owner", got.OwnerAccountId, new(node.Management))
	same(t, "store", got.IdentityStoreId, w.store)
	same(t, "status", got.Status, types.InstanceStatusActive)
	_, err := w.Member.SSOAdmin.DescribeInstance(ctx, &ssoadmin.DescribeInstanceInput{InstanceArn: w.instance})
	refusedAs(t, "describe from a member account", err, "AccessDeniedException")
	_, err = w.Delegated.SSOAdmin.DeleteInstance(ctx, &ssoadmin.DeleteInstanceInput{InstanceArn: w.instance})
	refusedAs(t, "delete by the delegated administrator", err, "AccessDeniedException")
}

// accountInstances lets a member account have an instance of its own, whose
// directory is separate.
func accountInstances(t *testing.T, w *world) {
	c, ctx := w.Member, t.Context()
	made := must(c.SSOAdmin.CreateInstance(ctx, &ssoadmin.CreateInstanceInput{
		Name: new("own"), ClientToken: new("token-1"), Tags: []types.Tag{{Key: new("k"), Value: new("v")}},
	})).or(t)
	same(t, "the same token again", must(c.SSOAdmin.CreateInstance(ctx, &ssoadmin.CreateInstanceInput{
		Name: new("own"), ClientToken: new("token-1"), Tags: []types.Tag{{Key: new("k"), Value: new("v")}},
	})).or(t).InstanceArn, made.InstanceArn)
	_, err := c.SSOAdmin.CreateInstance(ctx, &ssoadmin.CreateInstanceInput{Name: new("other"), ClientToken: new("token-1")})
	refusedAs(t, "the same token for another request", err, "ConflictException")
	_, err = c.SSOAdmin.CreateInstance(ctx, &ssoadmin.CreateInstanceInput{Name: new("second")})
	refusedAs(t, "a second instance", err, "ConflictException")
	_, err = w.Admin.SSOAdmin.CreateInstance(ctx, &ssoadmin.CreateInstanceInput{Name: new("management")})
	refusedAs(t, "an account instance of the management account", err, "ValidationException")

	got := must(c.SSOAdmin.DescribeInstance(ctx, &ssoadmin.DescribeInstanceInput{InstanceArn: made.InstanceArn})).or(t)
	same(t, "owner", got.OwnerAccountId, new(node.Production))
	seen := pages(t, 1, func(token *string) ([]string, *string, error) {
		out, err := c.SSOAdmin.ListInstances(ctx, &ssoadmin.ListInstancesInput{MaxResults: new(int32(1)), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return each(out.Instances, func(i types.InstanceMetadata) string { return *i.InstanceArn }), out.NextToken, nil
	})
	same(t, "instances that the member sees", len(seen), 2)
	others := must(w.Admin.SSOAdmin.ListInstances(ctx, &ssoadmin.ListInstancesInput{})).or(t)
	same(t, "instances that the management account sees", len(others.Instances), 1)

	user := &identitystore.CreateUserInput{}
	*user = *w.newUser("admin") // the organization's directory has one of that name
	user.IdentityStoreId = got.IdentityStoreId
	id := must(c.IdentityStore.CreateUser(ctx, user)).or(t).UserId
	_, err = w.Admin.IdentityStore.DescribeUser(ctx, &identitystore.DescribeUserInput{IdentityStoreId: got.IdentityStoreId, UserId: id})
	refusedAs(t, "the management account in a member's directory", err, "AccessDeniedException")
	_, err = w.Admin.IdentityStore.DescribeUser(ctx, &identitystore.DescribeUserInput{IdentityStoreId: w.store, UserId: id})
	refusedAs(t, "a user of another directory", err, "ResourceNotFoundException")
	_, err = c.SSOAdmin.CreatePermissionSet(ctx, &ssoadmin.CreatePermissionSetInput{InstanceArn: made.InstanceArn, Name: new("Set")})
	refusedAs(t, "a permission set of an account instance", err, "ValidationException")

	must(c.SSOAdmin.DeleteInstance(ctx, &ssoadmin.DeleteInstanceInput{InstanceArn: made.InstanceArn})).or(t)
	_, err = c.SSOAdmin.DescribeInstance(ctx, &ssoadmin.DescribeInstanceInput{InstanceArn: made.InstanceArn})
	refusedAs(t, "describe after deletion", err, "AccessDeniedException")
	_, err = c.IdentityStore.DescribeUser(ctx, &identitystore.DescribeUserInput{IdentityStoreId: got.IdentityStoreId, UserId: id})
	refusedAs(t, "a user of a deleted directory", err, "ResourceNotFoundException")
}

// accessControlAttributes enables, replaces and disables attributes for access
// control.
func accessControlAttributes(t *testing.T, w *world) {
	c, ctx := w.Admin.SSOAdmin, t.Context()
	config := func(names ...string) *types.InstanceAccessControlAttributeConfiguration {
		return &types.InstanceAccessControlAttributeConfiguration{AccessControlAttributes: each(names, func(name string) types.AccessControlAttribute {
			return types.AccessControlAttribute{Key: &name, Value: &types.AccessControlAttributeValue{Source: []string{fmt.Sprintf("${path:enterprise.%s}", name)}}}
		})}
	}
	describe := func() (*ssoadmin.DescribeInstanceAccessControlAttributeConfigurationOutput, error) {
		return c.DescribeInstanceAccessControlAttributeConfiguration(ctx, &ssoadmin.DescribeInstanceAccessControlAttributeConfigurationInput{InstanceArn: w.instance})
	}
	update := func(names ...string) error {
		_, err := c.UpdateInstanceAccessControlAttributeConfiguration(ctx, &ssoadmin.UpdateInstanceAccessControlAttributeConfigurationInput{
			InstanceArn: w.instance, InstanceAccessControlAttributeConfiguration: config(names...),
		})
		return err
	}
	_, err := describe()
	refusedAs(t, "not enabled", err, "ResourceNotFoundException")
	refusedAs(t, "update before it is enabled", update("x"), "ResourceNotFoundException")
	create := &ssoadmin.CreateInstanceAccessControlAttributeConfigurationInput{InstanceArn: w.instance, InstanceAccessControlAttributeConfiguration: config("costCenter", "division")}
	must(c.CreateInstanceAccessControlAttributeConfiguration(ctx, create)).or(t)
	_, err = c.CreateInstanceAccessControlAttributeConfiguration(ctx, create)
	refusedAs(t, "enable again", err, "ConflictException")
	got := must(describe()).or(t)
	same(t, "status", got.Status, types.InstanceAccessControlAttributeConfigurationStatusEnabled)
	same(t, "attributes", got.InstanceAccessControlAttributeConfiguration, config("costCenter", "division"))
	refusedAs(t, "update", update("department"), "")
	same(t, "attributes", must(describe()).or(t).InstanceAccessControlAttributeConfiguration, config("department"))
	must(c.DeleteInstanceAccessControlAttributeConfiguration(ctx, &ssoadmin.DeleteInstanceAccessControlAttributeConfigurationInput{InstanceArn: w.instance})).or(t)
	_, err = describe()
	refusedAs(t, "after it was disabled", err, "ResourceNotFoundException")
}

// TestTokensEnd holds that a request with the token of an earlier one gets the
// earlier one's answer for a day, and is a request of its own afterwards.
func TestTokensEnd(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		member := n.Administrator(t, node.Production)
		create := node.Call{
			Method: "POST", Target: "/", Service: "sso", Body: []byte(`{"ClientToken":"token"}`),
			Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"SWBExternalService.CreateInstance"}},
		}
		first := n.Send(t, member, create)
		same(t, "status", first.Status, http.StatusOK)
		n.Clock.Advance(23 * time.Hour)
		same(t, "answer after 23 hours", string(n.Send(t, member, create).Body), string(first.Body))
		n.Clock.Advance(2 * time.Hour)
		same(t, "code after 25 hours", n.Send(t, member, create).Code, "ConflictException")
	})
}
