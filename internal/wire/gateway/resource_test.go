package gateway

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/awsapi/identitystore"
	"github.com/atrium-iam/atrium/internal/awsapi/organizations"
	"github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// membershipTx is a transaction that holds one membership.
type membershipTx struct {
	Tx
	membership directory.Membership
}

func (m membershipTx) DirectoryMembership(storeID, id string) (directory.Membership, bool, error) {
	if m.membership.StoreID == storeID && m.membership.ID == id {
		return m.membership, true, nil
	}
	return directory.Membership{}, false, nil
}

func callOf(desc *schema.Service, op string, in any) *call {
	return &call{
		target: target{service: &service{Service: Service{desc: desc}}, op: desc.OperationByName(op)},
		caller: iam.Principal{AccountID: "111111111111"}, input: in,
	}
}

func TestResources(t *testing.T) {
	tx := membershipTx{membership: directory.Membership{StoreID: "d-1", ID: "m", GroupID: "g", UserID: "u"}}
	rl := realm{owner: "123456789012", organization: "o-x"}
	ids, orgs := identitystore.Descriptor(), organizations.Descriptor()
	cases := []struct {
		name string
		call *call
		want []string
	}{
		{"facts of a membership", callOf(ids, "DeleteGroupMembership", &identitystore.DeleteGroupMembershipRequest{
			IdentityStoreId: new("d-1"), MembershipId: new("m"),
		}), []string{
			"arn:aws:identitystore::123456789012:identitystore/d-1", "arn:aws:identitystore:::group/g",
			"arn:aws:identitystore:::membership/m", "arn:aws:identitystore:::user/u",
		}},
		{"unknown membership", callOf(ids, "DeleteGroupMembership", &identitystore.DeleteGroupMembershipRequest{
			IdentityStoreId: new("d-1"), MembershipId: new("other"),
		}), []string{
			"arn:aws:identitystore::123456789012:identitystore/d-1", "arn:aws:identitystore:::group/*",
			"arn:aws:identitystore:::membership/other", "arn:aws:identitystore:::user/*",
		}},
		{"one ARN per element of a list", callOf(ids, "IsMemberInGroups", &identitystore.IsMemberInGroupsRequest{
			IdentityStoreId: new("d-1"), MemberId: &identitystore.MemberId{UserId: new("u")}, GroupIds: []string{"a", "b"},
		}), []string{
			"arn:aws:identitystore::123456789012:identitystore/d-1", "arn:aws:identitystore:::group/a",
			"arn:aws:identitystore:::group/b", "arn:aws:identitystore:::membership/*", "arn:aws:identitystore:::user/u",
		}},
		{"what is not named", callOf(ids, "DescribeUser", &identitystore.DescribeUserRequest{IdentityStoreId: new("d-1")}), []string{
			"arn:aws:identitystore::123456789012:identitystore/d-1", "arn:aws:identitystore:::user/*",
		}},
		{"the kind of resource that the value is", callOf(orgs, "ListTagsForResource", &organizations.ListTagsForResourceRequest{
			ResourceId: new("ou-ab12-12345678"),
		}), []string{"arn:aws:organizations::123456789012:ou/o-x/ou-ab12-12345678"}},
		{"an account id", callOf(orgs, "ListTagsForResource", &organizations.ListTagsForResourceRequest{
			ResourceId: new("222222222222"),
		}), []string{"arn:aws:organizations::123456789012:account/o-x/222222222222"}},
		{"no kind fits", callOf(orgs, "ListTagsForResource", &organizations.ListTagsForResourceRequest{
			ResourceId: new("p-12345678"),
		}), []string{"*"}},
		{"no template", callOf(orgs, "ListRoots", &organizations.ListRootsRequest{}), []string{"*"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.call.resources(tx, rl)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPickKeepsOnlyWhatIsNamed(t *testing.T) {
	desc := identitystore.Descriptor()
	in := &identitystore.ListUsersRequest{
		IdentityStoreId: new("d-1"), NextToken: new("token"),
		Filters: []identitystore.Filter{
			{AttributePath: new("UserName"), AttributeValue: new("secret-name")}, {AttributePath: new("DisplayName")},
		},
	}
	ref := desc.OperationByName("ListUsers").Input
	got := pick(desc, ref, in, []string{"IdentityStoreId", "Filters.AttributePath", "Filters.AttributeValue", "MaxResults", "NoSuchMember"})
	want := map[string]any{
		"identityStoreId": "d-1",
		"filters":         map[string]any{"attributePath": []any{"UserName", "DisplayName"}, "attributeValue": hidden},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestTokensAreBound holds what a paging token belongs to.
func TestTokensAreBound(t *testing.T) {
	binding := func(account string, desc *schema.Service, filters ...string) string {
		c := callOf(desc, "ListTagsForResource", nil)
		return string((&Context[Tx]{Caller: iam.Principal{AccountID: account}, call: c}).tokenBinding(filters))
	}
	orgs, sso := organizations.Descriptor(), ssoadmin.Descriptor()
	seen := make(map[string]string)
	for name, b := range map[string]string{
		"one": binding("111111111111", orgs, "a", "b"), "another account": binding("222222222222", orgs, "a", "b"),
		"another service": binding("111111111111", sso, "a", "b"), "another filter": binding("111111111111", orgs, "a", "c"),
		"no filter": binding("111111111111", orgs), "filters in one": binding("111111111111", orgs, "ab"),
	} {
		if other, ok := seen[b]; ok {
			t.Errorf("%s and %s share their tokens", name, other)
		}
		seen[b] = name
	}
}
