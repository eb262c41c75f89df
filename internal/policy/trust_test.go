package policy_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/policy"
)

func TestTrust(t *testing.T) {
	const (
		account = "111122223333"
		user    = "arn:aws:iam::111122223333:user/ops/sam"
		role    = "arn:aws:iam::111122223333:role/Ops"
		session = "arn:aws:sts::111122223333:assumed-role/Ops/sam"
	)
	statement := func(principal, rest string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"` + rest + `}`
	}
	tests := []struct {
		name       string
		statements string
		names      []string
		want       policy.Trusting
	}{
		{"account id", statement(`{"AWS":"111122223333"}`, ""), []string{user}, policy.TrustsAccount},
		{"account root", statement(`{"AWS":"arn:aws:iam::111122223333:root"}`, ""), []string{user}, policy.TrustsAccount},
		{"everybody", statement(`"*"`, ""), []string{user}, policy.TrustsAccount},
		{"everybody in AWS", statement(`{"AWS":"*"}`, ""), []string{user}, policy.TrustsAccount},
		{"user", statement(`{"AWS":["444455556666","`+user+`"]}`, ""), []string{user}, policy.TrustsCaller},
		{"role", statement(`{"AWS":"`+role+`"}`, ""), []string{session, role}, policy.TrustsCaller},
		{"role session", statement(`{"AWS":"`+session+`"}`, ""), []string{session, role}, policy.TrustsCaller},
		{"by name before by account", `[` + statement(`{"AWS":"111122223333"}`, "") + `,` + statement(`{"AWS":"`+role+`"}`, "") + `]`, []string{session, role}, policy.TrustsCaller},
		{"another account", statement(`{"AWS":"444455556666"}`, ""), []string{user}, policy.TrustsNot},
		{"another user", statement(`{"AWS":"`+user+`2"}`, ""), []string{user}, policy.TrustsNot},
		{"an identity provider", statement(`{"Federated":"arn:aws:iam::111122223333:saml-provider/X"}`, ""), []string{user}, policy.TrustsNot},
		{"a service", statement(`{"Service":"ec2.amazonaws.com"}`, ""), []string{user}, policy.TrustsNot},
		{"denied", `[` + statement(`"*"`, "") + `,{"Effect":"Deny","Principal":{"AWS":"` + user + `"},"Action":"sts:*"}]`, []string{user}, policy.TrustDenies},
		{"another is denied", `[` + statement(`"*"`, "") + `,{"Effect":"Deny","Principal":{"AWS":"` + user + `2"},"Action":"sts:*"}]`, []string{user}, policy.TrustsAccount},
		{"another action", `{"Effect":"Allow","Principal":"*","Action":"sts:TagSession"}`, []string{user}, policy.TrustsNot},
		{"condition holds", statement(`"*"`, `,"Condition":{"StringEquals":{"sts:ExternalId":"secret"}}`), []string{user}, policy.TrustsAccount},
		{"condition does not", statement(`"*"`, `,"Condition":{"StringEquals":{"sts:ExternalId":"other"}}`), []string{user}, policy.TrustsNot},
		{"condition unknown", statement(`"*"`, `,"Condition":{"StringEquals":{"sts:RoleSessionName":"x"}}`), []string{user}, policy.TrustsNot},
		{"deny of an unknown condition", `[` + statement(`"*"`, "") + `,{"Effect":"Deny","Principal":"*","Action":"sts:*","Condition":{"StringEquals":{"sts:RoleSessionName":"x"}}}]`, []string{user}, policy.TrustDenies},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trust, err := policy.CompileTrust(`{"Version":"2012-10-17","Statement":` + tt.statements + `}`)
			if err != nil {
				t.Fatal(err)
			}
			values := new(policy.Values)
			values.Set(policy.NewKey("sts:ExternalId"), "secret")
			if got := trust.Decide("sts:AssumeRole", values, account, tt.names...); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestCompileTrustRefuses(t *testing.T) {
	const principal = `"Principal":{"AWS":"111122223333"}`
	for statement, want := range map[string]string{
		`{"Effect":"Allow","Action":"sts:AssumeRole"}`:                                                        "AssumeRole policy must contain a principal.",
		`{"Effect":"Allow",` + principal + `,"Action":"sts:AssumeRole","Resource":"*"}`:                       "Has prohibited field Resource",
		`{"Effect":"Allow",` + principal + `}`:                                                                "Policy statement must contain actions.",
		`{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}`:                  "Syntax errors in policy.",
		`{"Effect":"Allow","Principal":{"AWS":"sam"},"Action":"sts:AssumeRole"}`:                              `Invalid principal in policy: "AWS":"sam"`,
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/*"},"Action":"sts:AssumeRole"}`: `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/*"`,
		`{"Effect":"Allow","Principal":{"GCP":"111122223333"},"Action":"sts:AssumeRole"}`:                     "Syntax errors in policy.",
		`{"Effect":"Allow","Principal":{},"Action":"sts:AssumeRole"}`:                                         "Syntax errors in policy.",
		`{"Effect":"Allow","Principal":{"AWS":[]},"Action":"sts:AssumeRole"}`:                                 "Syntax errors in policy.",
	} {
		_, err := policy.CompileTrust(`{"Version":"2012-10-17","Statement":` + statement + `}`)
		if !fault.Is(err, fault.Invalid) || err.Error() != want {
			t.Errorf("%s: got %v, want %s", statement, err, want)
		}
	}
}

// A principal that the resource names needs no policy of its own, but denials
// and limits hold.
func TestDecideGranted(t *testing.T) {
	one := func(s string) []*policy.Policy {
		return []*policy.Policy{compiled(t, `{"Version":"2012-10-17","Statement":`+s+`}`)}
	}
	deny := one(`{"Effect":"Deny","Action":"s3:*","Resource":"*"}`)
	other := policy.Limit{Kind: policy.PermissionsBoundary, Policies: one(`{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`)}
	for name, tt := range map[string]struct {
		set  policy.Set
		want policy.Decision
	}{
		"no policies": {policy.Set{}, policy.Decision{Effect: policy.Allow}},
		"denied":      {policy.Set{Identity: deny}, policy.Decision{Effect: policy.ExplicitDeny, Kind: policy.IdentityPolicy}},
		"outside":     {policy.Set{Limits: []policy.Limit{other}}, policy.Decision{Effect: policy.ImplicitDeny, Kind: policy.PermissionsBoundary}},
	} {
		if got := tt.set.DecideGranted(policy.Request{Action: "s3:GetObject", Resource: "*"}); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}
