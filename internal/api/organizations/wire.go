package organizations

import (
	"time"

	wire "github.com/atrium-iam/atrium/internal/awsapi/organizations"
	"github.com/atrium-iam/atrium/internal/organization"
)

// text returns what p points to, "" for nil.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// optional is the inverse of text.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// moment returns t, nil for the zero time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// each maps a list. An empty one is sent as such, not left out.
func each[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i := range in {
		out[i] = f(in[i])
	}
	return out
}

func tagsOf(in []wire.Tag) []organization.Tag {
	return each(in, func(t wire.Tag) organization.Tag {
		return organization.Tag{Key: text(t.Key), Value: text(t.Value)}
	})
}

func wireTag(t organization.Tag) wire.Tag { return wire.Tag{Key: &t.Key, Value: &t.Value} }

// wireOrganization describes o with its management account.
func wireOrganization(o organization.Organization, management organization.Account) *wire.Organization {
	out := &wire.Organization{
		Id: &o.ID, Arn: new(o.ARN()), FeatureSet: new(string(o.FeatureSet)),
		MasterAccountId: &o.ManagementAccountID, MasterAccountArn: new(o.AccountARN(o.ManagementAccountID)),
		MasterAccountEmail: &management.Email, AvailablePolicyTypes: []wire.PolicyTypeSummary{},
	}
	if o.FeatureSet == organization.AllFeatures {
		out.AvailablePolicyTypes = []wire.PolicyTypeSummary{{
			Type: new(wire.PolicyTypeServiceControlPolicy), Status: new(wire.PolicyTypeStatusEnabled),
		}}
	}
	return out
}

func wireUnit(o organization.Organization, c organization.Container) *wire.OrganizationalUnit {
	return &wire.OrganizationalUnit{Id: &c.ID, Arn: new(o.ContainerARN(c)), Name: &c.Name, Path: &c.Path}
}

func wireAccount(o organization.Organization, a organization.Account) *wire.Account {
	return &wire.Account{
		Id: &a.ID, Arn: new(o.AccountARN(a.ID)), Email: &a.Email, Name: &a.Name,
		Status: new(a.Status()), State: new(string(a.State)), Paths: []string{a.Path()},
		JoinedMethod: new(string(a.JoinedMethod)), JoinedTimestamp: moment(a.Joined),
	}
}

func wireAccounts(o organization.Organization, accounts []organization.Account) []wire.Account {
	return each(accounts, func(a organization.Account) wire.Account { return *wireAccount(o, a) })
}

func wireRequest(r organization.CreateAccountRequest) *wire.CreateAccountStatus {
	return &wire.CreateAccountStatus{
		Id: &r.ID, AccountName: &r.AccountName, State: new(string(r.State)),
		RequestedTimestamp: moment(r.Requested), CompletedTimestamp: moment(r.Completed),
		AccountId: optional(r.AccountID), FailureReason: optional(string(r.FailureReason)),
	}
}

func wireAdministrator(o organization.Organization, d organization.DelegatedAdministrator) wire.DelegatedAdministrator {
	return wire.DelegatedAdministrator{
		Id: &d.ID, Arn: new(o.AccountARN(d.ID)), Email: &d.Email, Name: &d.Name,
		Status: new(d.Status()), State: new(string(d.State)),
		JoinedMethod: new(string(d.JoinedMethod)), JoinedTimestamp: moment(d.Joined), DelegationEnabledDate: moment(d.Enabled),
	}
}
