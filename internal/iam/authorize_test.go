package iam_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/policy"
	"github.com/atrium-iam/atrium/internal/policy/awsmanaged"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func awsManaged(arn string) (string, bool) {
	p, ok := awsmanaged.Lookup(arn)
	return p.Document(), ok
}

// setOf compiles documents as identity policies.
func setOf(t *testing.T, documents ...string) policy.Set {
	t.Helper()
	var set policy.Set
	for _, d := range documents {
		p, err := policy.Compile(d)
		if err != nil {
			t.Fatal(err)
		}
		set.Identity = append(set.Identity, p)
	}
	return set
}

func TestAuthorizeUsesAWSWords(t *testing.T) {
	const allow = `{"Statement":{"Effect":"Allow","Action":"sso:*","Resource":"*"}}`
	const deny = `{"Statement":{"Effect":"Deny","Action":"sso:*","Resource":"*"}}`
	limited := func(kind policy.Kind, document string) policy.Set {
		s := setOf(t, allow)
		s.Limits = []policy.Limit{{Kind: kind, Policies: setOf(t, document).Identity}}
		return s
	}
	const other = `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`
	const prefix = "User: arn:aws:iam::111122223333:user/sam is not authorized to perform: sso:DescribeInstance on resource: arn:aws:sso:::instance/ssoins-1 "
	tests := []struct {
		name string
		set  policy.Set
		want string // "" when allowed
	}{
		{"allowed", setOf(t, allow), ""},
		{"nothing allows", policy.Set{}, "because no identity-based policy allows the sso:DescribeInstance action"},
		{"denied", setOf(t, allow, deny), "with an explicit deny in an identity-based policy"},
		{"boundary", limited(policy.PermissionsBoundary, other), "because no permissions boundary allows the sso:DescribeInstance action"},
		{"denied by boundary", limited(policy.PermissionsBoundary, deny), "with an explicit deny in a permissions boundary"},
		{"session policy", limited(policy.SessionPolicy, other), "because no session policy allows the sso:DescribeInstance action"},
		{"denied by session policy", limited(policy.SessionPolicy, deny), "with an explicit deny in a session policy"},
		{"service control policy", limited(policy.ServiceControlPolicy, other), "because no service control policy allows the sso:DescribeInstance action"},
		{"denied by service control policy", limited(policy.ServiceControlPolicy, deny), "with an explicit deny in a service control policy"},
	}
	p := iam.Principal{Kind: iam.KindUser, AccountID: account, ARN: "arn:aws:iam::111122223333:user/sam"}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := iam.Authorize(tt.set, p, "sso:DescribeInstance", []string{"arn:aws:sso:::instance/ssoins-1"}, nil)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e, ok := errors.AsType[*fault.Error](err)
			if !ok || e.Category != fault.Denied || e.Message != prefix+tt.want {
				t.Errorf("got %v\nwant %s", err, prefix+tt.want)
			}
		})
	}
}

func TestAuthorizeAsksForEveryResource(t *testing.T) {
	set := setOf(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":["arn:aws:sso:::a","arn:aws:sso:::b"]}}`)
	p := iam.Root(account)
	if err := iam.Authorize(set, p, "sso:X", []string{"arn:aws:sso:::a", "arn:aws:sso:::b"}, nil); err != nil {
		t.Error(err)
	}
	if err := iam.Authorize(set, p, "sso:X", []string{"arn:aws:sso:::a", "arn:aws:sso:::c"}, nil); !fault.Is(err, fault.Denied) {
		t.Errorf("got %v", err)
	}
}

func TestPoliciesOf(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		const allowS3 = `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`
		own := iam.ManagedPolicyARN(account, "/", "own")
		role := func(id string, p iam.Policies) iam.Role {
			return iam.Role{AccountID: account, ID: id, Name: id, Path: "/", TrustPolicy: "{}", CreatedAt: now, Policies: p}
		}
		roles := []iam.Role{
			role("AROAMANAGED", iam.Policies{Managed: []string{power}}),
			role("AROAINLINE", iam.Policies{Inline: map[string]string{"a": allowS3}}),
			role("AROACUSTOMER", iam.Policies{Managed: []string{own}}),
			role("AROABOUND", iam.Policies{Managed: []string{admin}, Boundary: own}),
			role("AROANONE", iam.Policies{}),
		}
		var user iam.User
		do(t, s, func(tx *store.Tx) (err error) {
			ids := newIDs()
			if _, err := iam.CreatePolicy(tx, now, ids, account, "/", "own", allowS3); err != nil {
				return err
			}
			for _, r := range roles {
				if err := iam.CreateRole(tx, r); err != nil {
					return err
				}
			}
			if user, err = iam.CreateUser(tx, now, ids, account, "", "sam"); err != nil {
				return err
			}
			user, err = iam.AttachUserPolicy(tx, user, power)
			return err
		})
		session := func(id string) iam.Principal {
			return iam.Role{AccountID: account, ID: id, Name: id, Path: "/"}.Session("x")
		}
		elsewhere := session("AROAMANAGED")
		elsewhere.AccountID = "444455556666"
		const s3, ec2, makeUser = "s3:CreateBucket", "ec2:RunInstances", "iam:CreateUser"
		tests := []struct {
			name    string
			p       iam.Principal
			allowed []string
		}{
			{"root", iam.Root(account), []string{s3, ec2, makeUser}},
			{"user", iam.Principal{Kind: iam.KindUser, AccountID: account, UserID: user.ID}, []string{s3, ec2}},
			{"user that is gone", iam.Principal{Kind: iam.KindUser, AccountID: account, UserID: "AIDAGONE"}, nil},
			{"AWS's policy", session("AROAMANAGED"), []string{s3, ec2}},
			{"role of another account", elsewhere, nil},
			{"inline policy", session("AROAINLINE"), []string{s3}},
			{"customer's policy", session("AROACUSTOMER"), []string{s3}},
			{"boundary", session("AROABOUND"), []string{s3}},
			{"no policies", session("AROANONE"), nil},
			{"role that is gone", session("AROAGONE"), nil},
			{"Identity Center user", iam.Principal{Kind: iam.KindIdentityCenterUser, AccountID: account}, nil},
			{"anonymous", iam.Principal{}, nil},
		}
		for _, limit := range []int{1000, 1} { // with a memory, and with next to none
			compiler := iam.NewCompiler(awsManaged, limit)
			for range 2 {
				for _, tt := range tests {
					var set policy.Set
					do(t, s, func(tx *store.Tx) (err error) {
						set, err = compiler.PoliciesOf(tx, tt.p)
						return err
					})
					allowed := map[string]bool{}
					for _, action := range tt.allowed {
						allowed[action] = true
					}
					for _, action := range []string{s3, ec2, makeUser} {
						got := set.Decide(policy.Request{Action: action, Resource: "*"}).Effect == policy.Allow
						if got != allowed[action] {
							t.Errorf("%s, limit %d: %s allowed: %v", tt.name, limit, action, got)
						}
					}
				}
			}
		}
	})
}

// What a role may do changes as soon as its policies do, whatever the compiler
// remembers.
func TestPoliciesOfSeesChanges(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	compiler := iam.NewCompiler(awsManaged, 100)
	r := iam.Role{AccountID: account, ID: "AROA", Name: "r", Path: "/", TrustPolicy: "{}", CreatedAt: now}
	do(t, s, func(tx *store.Tx) error { return iam.CreateRole(tx, r) })
	for _, action := range []string{"s3:Get", "s3:Put", "s3:Get"} {
		r.Policies.Inline = map[string]string{"p": `{"Statement":{"Effect":"Allow","Action":"` + action + `","Resource":"*"}}`}
		do(t, s, func(tx *store.Tx) error { return iam.UpdateRole(tx, r) })
		do(t, s, func(tx *store.Tx) error {
			set, err := compiler.PoliciesOf(tx, r.Session("x"))
			for _, asked := range []string{"s3:Get", "s3:Put"} {
				if got := set.Decide(policy.Request{Action: asked, Resource: "*"}).Effect == policy.Allow; got != (asked == action) {
					t.Errorf("%s is the role's, %s allowed: %v", action, asked, got)
				}
			}
			return err
		})
	}
}

func TestStoredPolicyThatDoesNotCompileIsAnInternalError(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	r := iam.Role{AccountID: account, ID: "AROA", Name: "r", Path: "/", TrustPolicy: "{}", CreatedAt: now}
	r.Policies.Inline = map[string]string{"p": `{}`}
	do(t, s, func(tx *store.Tx) error { return iam.CreateRole(tx, r) })
	do(t, s, func(tx *store.Tx) error {
		set, err := iam.NewCompiler(awsManaged, 1).PoliciesOf(tx, r.Session("x"))
		if !fault.Is(err, fault.Internal) || len(set.Identity) != 0 {
			t.Errorf("got %v", err)
		}
		return nil
	})
}

func TestConditionKeys(t *testing.T) {
	role := iam.Role{AccountID: account, ID: "AROAEXAMPLE", Path: "/p/", Name: "R"}
	session := role.Session("sam.lee")
	session.IssuedAt, session.SourceIdentity, session.IdentityStoreUserID = now, "sam", "user-1"
	session.MFAAt = now.Add(-time.Minute)
	session.Tags = map[string]string{"team": "blue"}
	user := iam.Principal{Kind: iam.KindUser, AccountID: account, ARN: "arn:aws:iam::111122223333:user/sam", ID: "AIDAEXAMPLE", UserName: "sam"}
	facts := iam.Facts{
		Time: now.Add(500 * time.Millisecond), SourceIP: netip.MustParseAddr("::ffff:203.0.113.7"), UserAgent: "aws-cli/2", Referer: "https://example.com/",
		RequestedRegion: "us-east-1", OrganizationID: "o-example",
		ResourceAccount: "444455556666", ResourceOrganizationID: "o-example",
		RequestTags: map[string]string{"cost": "1", "env": "dev"},
	}
	bare := iam.Facts{Time: now}
	tests := []struct {
		name      string
		p         iam.Principal
		f         iam.Facts
		condition string
		want      string
	}{
		{"principal ARN of a user", user, facts, `{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/sam"}}`, "yes"},
		{"principal ARN of a session is the role's", session, facts, `{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/p/R"}}`, "yes"},
		{"account", session, facts, `{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`, "yes"},
		{"type of a root", iam.Root(account), facts, `{"StringEquals":{"aws:PrincipalType":"Account"}}`, "yes"},
		{"type of a user", user, facts, `{"StringEquals":{"aws:PrincipalType":"User"}}`, "yes"},
		{"type of a session", session, facts, `{"StringEquals":{"aws:PrincipalType":"AssumedRole"}}`, "yes"},
		{"type of a federated user", iam.FederatedUser(account, "bob"), facts, `{"StringEquals":{"aws:PrincipalType":"FederatedUser"}}`, "yes"},
		{"user id", session, facts, `{"StringLike":{"aws:userid":"*:sam.lee"}}`, "yes"},
		{"user name", user, facts, `{"StringEquals":{"aws:username":"sam"}}`, "yes"},
		{"sessions have no user name", session, facts, `{"Null":{"aws:username":"true"}}`, "yes"},
		{"address", user, facts, `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, "yes"},
		{"no address", user, bare, `{"Null":{"aws:SourceIp":"true"}}`, "yes"},
		{"user agent", user, facts, `{"StringLike":{"aws:UserAgent":"aws-cli/*"}}`, "yes"},
		{"referer", user, facts, `{"StringLike":{"aws:referer":"https://example.com/*"}}`, "yes"},
		{"plain HTTP", user, facts, `{"Bool":{"aws:SecureTransport":"false"}}`, "yes"},
		{"region", user, facts, `{"StringNotEquals":{"aws:RequestedRegion":["us-east-1","eu-west-1"]}}`, "no"},
		{"time", user, facts, `{"DateEquals":{"aws:CurrentTime":"2026-01-15T12:00:00Z"}}`, "yes"},
		{"epoch time", user, facts, `{"NumericEquals":{"aws:EpochTime":"1768478400"}}`, "yes"},
		{"organization", user, facts, `{"StringEquals":{"aws:PrincipalOrgID":"o-example"}}`, "yes"},
		{"no organization", user, bare, `{"StringNotEquals":{"aws:PrincipalOrgID":"o-example"}}`, "yes"},
		{"MFA of a session", session, facts, `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`, "yes"},
		{"its age, in whole seconds", session, facts, `{"NumericEquals":{"aws:MultiFactorAuthAge":"60"}}`, "yes"},
		{"a session without MFA says so", role.Session("sam.lee"), facts, `{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`, "yes"},
		{"and that has no age", role.Session("sam.lee"), facts, `{"Null":{"aws:MultiFactorAuthAge":"true"}}`, "yes"},
		{"so that no age is small enough", role.Session("sam.lee"), facts, `{"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}`, "no"},
		{"long-term keys say nothing of MFA", user, facts, `{"Null":{"aws:MultiFactorAuthPresent":"true"}}`, "yes"},
		{"so BoolIfExists denies them", user, facts, `{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}`, "yes"},
		{"issue time", session, facts, `{"DateLessThan":{"aws:TokenIssueTime":"2026-01-15T12:00:01Z"}}`, "yes"},
		{"long-term keys have none", user, facts, `{"DateLessThan":{"aws:TokenIssueTime":"2026-01-15T12:00:01Z"}}`, "no"},
		{"source identity", session, facts, `{"StringEquals":{"aws:SourceIdentity":"sam"}}`, "yes"},
		{"person", session, facts, `{"StringEquals":{"identitystore:UserId":"user-1"}}`, "yes"},
		{"no person", user, facts, `{"StringEquals":{"identitystore:UserId":"user-1"}}`, "no"},
		{"principal tag", session, facts, `{"StringEquals":{"aws:PrincipalTag/Team":"blue"}}`, "yes"},
		{"other principal tag", session, facts, `{"StringEquals":{"aws:PrincipalTag/cost":"blue"}}`, "no"},
		{"not via a service", user, facts, `{"Bool":{"aws:ViaAWSService":"false","aws:PrincipalIsAWSService":"false"}}`, "yes"},
		{"not called via one", user, facts, `{"Null":{"aws:CalledVia":"true"}}`, "yes"},
		{"not from a VPC", user, facts, `{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}`, "yes"},
		{"resource account", user, facts, `{"StringEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}}`, "no"},
		{"resource organization", user, facts, `{"StringEquals":{"aws:ResourceOrgID":"${aws:PrincipalOrgID}"}}`, "yes"},
		{"resource account unknown", user, bare, `{"StringNotEquals":{"aws:ResourceAccount":"1"}}`, "unknown"},
		{"request tag", user, facts, `{"StringEquals":{"aws:RequestTag/env":"dev"}}`, "yes"},
		{"absent request tag", user, facts, `{"Null":{"aws:RequestTag/team":"true"}}`, "yes"},
		{"tag keys", user, facts, `{"ForAllValues:StringEquals":{"aws:TagKeys":["cost","env"]}}`, "yes"},
		{"request tags unknown", user, bare, `{"Null":{"aws:RequestTag/team":"true"}}`, "unknown"},
		{"resource tags are for the service to tell", user, facts, `{"Null":{"aws:ResourceTag/team":"true"}}`, "unknown"},
	}
	keys := iam.NewGlobalKeys()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			values := keys.Values(tt.p, tt.f)
			decide := func(effect string) policy.Effect {
				set := setOf(t, `{"Version":"2012-10-17","Statement":{"Effect":"`+effect+`","Action":"*","Resource":"*","Condition":`+tt.condition+`}}`)
				return set.Decide(policy.Request{Action: "sso:X", Resource: "*", Context: values}).Effect
			}
			got := "no"
			if decide("Deny") == policy.ExplicitDeny {
				got = "unknown"
			}
			if decide("Allow") == policy.Allow {
				got = "yes"
			}
			if got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.condition, got, tt.want)
			}
		})
	}
}
