package gateway

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/awsapi/organizations"
	"github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	"github.com/atrium-iam/atrium/internal/awsapi/sts"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/policy"
)

// membersTx is a transaction that knows the organizations of accounts.
type membersTx struct {
	Tx
	organizations map[string]string
}

func (m membersTx) OrganizationOfAccount(id string) (organization.Organization, bool, error) {
	org, found := m.organizations[id]
	return organization.Organization{ID: org}, found, nil
}

func TestConditionValues(t *testing.T) {
	const caller, owner, alone = "111111111111", "123456789012", "999999999999"
	tx := membersTx{organizations: map[string]string{caller: "o-caller", owner: "o-owner"}}
	set := callOf(ssoadmin.Descriptor(), "CreatePermissionSet", &ssoadmin.CreatePermissionSetRequest{
		Tags: []ssoadmin.Tag{{Key: new("team"), Value: new("blue")}, {Key: new("env"), Value: new("dev")}},
	})
	untag := callOf(ssoadmin.Descriptor(), "UntagResource", &ssoadmin.UntagResourceRequest{TagKeys: []string{"team"}})
	linked := callOf(organizations.Descriptor(), "ListRoots", &organizations.ListRootsRequest{})
	linked.request.Referer = "https://example.com/page"
	roots := callOf(organizations.Descriptor(), "ListRoots", &organizations.ListRootsRequest{})
	assume := func(account string) *call {
		return callOf(sts.Descriptor(), "AssumeRole", &sts.AssumeRoleRequest{RoleArn: new("arn:aws:iam::" + account + ":role/R")})
	}
	own := realm{owner: caller, organization: "o-caller"}
	theirs := realm{owner: owner, organization: "o-owner"}
	tests := []struct {
		name      string
		call      *call
		realm     realm
		condition string
		want      policy.Effect
	}{
		{"the owner's account", roots, theirs, `{"StringEquals":{"aws:ResourceAccount":"123456789012"}}`, policy.Allow},
		{"the owner's organization", roots, theirs, `{"StringEquals":{"aws:ResourceOrgID":"o-owner"}}`, policy.Allow},
		{"the caller's organization", roots, theirs, `{"StringEquals":{"aws:PrincipalOrgID":"o-caller"}}`, policy.Allow},
		{"own organization", roots, own, `{"StringEquals":{"aws:ResourceOrgID":"${aws:PrincipalOrgID}"}}`, policy.Allow},
		{"an instance of an account in an organization", roots, realm{owner: caller}, `{"StringEquals":{"aws:PrincipalOrgID":"o-caller","aws:ResourceOrgID":"o-caller"}}`, policy.Allow},
		{"nothing that exists", roots, realm{}, `{"StringNotEquals":{"aws:ResourceAccount":"123456789012"}}`, policy.ImplicitDeny},
		{"the account in an ARN", assume(owner), own, `{"StringEquals":{"aws:ResourceAccount":"123456789012","aws:ResourceOrgID":"o-owner"}}`, policy.Allow},
		{"an account without organization", assume(alone), own, `{"StringEquals":{"aws:ResourceAccount":"999999999999"}}`, policy.Allow},
		{"and so without its id", assume(alone), own, `{"StringEquals":{"aws:ResourceOrgID":"o-caller"}}`, policy.ImplicitDeny},
		{"a tag", set, own, `{"StringEquals":{"aws:RequestTag/team":"blue"}}`, policy.Allow},
		{"another tag", set, own, `{"Null":{"aws:RequestTag/cost":"true"}}`, policy.Allow},
		{"all keys of tags", set, own, `{"ForAllValues:StringEquals":{"aws:TagKeys":["team","env"]}}`, policy.Allow},
		{"not all keys of tags", set, own, `{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}`, policy.ImplicitDeny},
		{"keys of tags to remove", untag, own, `{"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}}`, policy.Allow},
		{"keys have no values", untag, own, `{"Null":{"aws:RequestTag/team":"true"}}`, policy.Allow},
		{"a referer", linked, own, `{"StringLike":{"aws:Referer":"https://example.com/*"}}`, policy.Allow},
		{"no referer", roots, own, `{"Null":{"aws:Referer":"true"}}`, policy.Allow},
		{"no tags", roots, own, `{"Null":{"aws:TagKeys":"true","aws:RequestTag/team":"true"}}`, policy.Allow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.call.gateway = &Gateway{keys: iam.NewGlobalKeys()}
			resources, err := tt.call.resources(tx, tt.realm)
			if err != nil {
				t.Fatal(err)
			}
			values, err := tt.call.conditionValues(tx, tt.realm, resources)
			if err != nil {
				t.Fatal(err)
			}
			p, err := policy.Compile(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":` + tt.condition + `}}`)
			if err != nil {
				t.Fatal(err)
			}
			got := policy.Set{Identity: []*policy.Policy{p}}.Decide(policy.Request{Action: "sso:X", Resource: "*", Context: values})
			if got.Effect != tt.want {
				t.Errorf("got %v, want %v", got.Effect, tt.want)
			}
		})
	}
}
