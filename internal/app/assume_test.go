package app

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/store"
)

const accessRole = "arn:aws:iam::111111111111:role/OrganizationAccountAccessRole"

// administrator returns a long-term key of the management account's
// administrator.
func (c *cluster) administrator() keyPair {
	c.t.Helper()
	key, err := c.nodes[0].NewAdministratorKey(c.t.Context(), sampleManagement)
	if err != nil {
		c.t.Fatal(err)
	}
	return keyPair{id: key.ID, secret: key.Secret}
}

// user makes an IAM user of the management account who may do what a policy
// says, and returns a key and the ARN.
func (c *cluster) user(name, policy string) (k keyPair, arn string) {
	c.t.Helper()
	c.do(func(tx *store.Tx) error {
		u, err := iam.CreateUser(tx, ident.Millis(c.now()), c.ids, sampleManagement, "/", name)
		if err != nil {
			return err
		}
		if policy != "" {
			if u, err = iam.PutUserPolicy(tx, u, "policy", policy); err != nil {
				return err
			}
		}
		key, secret, err := iam.CreateAccessKey(tx, ident.Millis(c.now()), c.ids, c.nodes[0].secrets(), u)
		k, arn = keyPair{id: key.ID, secret: secret}, u.ARN()
		return err
	})
	return k, arn
}

// role makes a role with a trust policy's statements.
func (c *cluster) role(account, name, statements string, p iam.Policies) string {
	c.t.Helper()
	r := iam.Role{
		AccountID: account, ID: c.ids.UniqueID("AROA"), Name: name, Path: "/team/", MaxSessionDuration: 4 * time.Hour, CreatedAt: ident.Millis(c.now()),
		TrustPolicy: `{"Version":"2012-10-17","Statement":` + statements + `}`, Policies: p,
	}
	c.do(func(tx *store.Tx) error { return iam.CreateRole(tx, r) })
	return r.ARN()
}

const allowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

func anything() iam.Policies { return iam.Policies{Inline: map[string]string{"all": allowAll}} }

// assume assumes a role; changes alter the request.
func (n *node) assume(t *testing.T, k keyPair, role string, changes ...func(*sts.AssumeRoleInput)) (*sts.AssumeRoleOutput, error) {
	in := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: new("session")}
	for _, change := range changes {
		change(in)
	}
	return n.sts(k).AssumeRole(t.Context(), in)
}

// TestChain goes from a person's role to a role of another account, and ends
// the person.
func TestChain(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		admin := c.person("admin")
		first := c.open(admin, sampleManagement, "Administrator")
		out, err := c.last().assume(t, first, accessRole)
		if err != nil {
			t.Fatal(err)
		}
		if arn := "arn:aws:sts::111111111111:assumed-role/OrganizationAccountAccessRole/session"; *out.AssumedRoleUser.Arn != arn {
			t.Errorf("ARN %s", *out.AssumedRoleUser.Arn)
		}
		if id := *out.AssumedRoleUser.AssumedRoleId; !strings.HasPrefix(id, "AROA") || !strings.HasSuffix(id, ":session") {
			t.Errorf("id %s", id)
		}
		if left := out.Credentials.Expiration.Sub(c.now()); left < 59*time.Minute || left > time.Hour {
			t.Errorf("the session lasts %v", left)
		}
		second := pairOf(out.Credentials)
		if arn, code := c.last().whoami(t.Context(), second); arn != *out.AssumedRoleUser.Arn {
			t.Errorf("who am I: %s %s", arn, code)
		}
		if _, err := c.last().organizations(second).DescribeOrganization(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if _, err := c.last().assume(t, first, accessRole, func(in *sts.AssumeRoleInput) { in.DurationSeconds = new(int32(3601)) }); codeOf(err) != "ValidationError" {
			t.Errorf("a chain of more than an hour: %v", err)
		}
		c.do(func(tx *store.Tx) error {
			_, _, err := directory.DisableUser(tx, c.stamp(), c.in.IdentityStoreID, admin)
			return err
		})
		deadline := time.Now().Add(time.Second)
		for _, key := range []keyPair{first, second} {
			for {
				_, code := c.last().whoami(t.Context(), key)
				if code == "ExpiredToken" {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("a second after the person was disabled: %q", code)
				}
			}
		}
	})
}

// TestWhoMayAssume holds trust policy, identity policy and conditions together.
func TestWhoMayAssume(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		admin := c.administrator()
		bare, bareARN := c.user("bare", "")
		barred, _ := c.user("barred", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"sts:AssumeRole","Resource":"`+accessRole+`"}]}`)
		some, _ := c.user("some", `{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/team/*"}}`)
		sam := c.open(c.person("sam.lee"), sampleDevelopment, "Builder")
		statement := func(principal, action, rest string) string {
			return `{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":` + action + rest + `}`
		}
		own := c.role(sampleManagement, "Own", statement(bareARN, `"sts:AssumeRole"`, ""), anything())
		theirs := c.role(sampleProduction, "Theirs", statement(bareARN, `"sts:AssumeRole"`, ""), anything())
		external := c.role(sampleProduction, "External", statement(sampleManagement, `"sts:AssumeRole"`, `,"Condition":{"StringEquals":{"sts:ExternalId":"secret"}}`), anything())
		organized := c.role(sampleProduction, "Organized", statement("*", `"sts:AssumeRole"`, `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"`+c.org.ID+`","aws:ResourceOrgID":"`+c.org.ID+`","aws:ResourceAccount":"111111111111"}}`), anything())
		tagged := c.role(sampleProduction, "Tagged", statement(sampleManagement, `["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]`, ""), anything())
		reserved, _ := c.last().whoami(t.Context(), sam)
		reserved = "arn:aws:iam::222222222222:role/aws-reserved/sso.amazonaws.com/" + strings.Split(reserved, "/")[1]
		closed := c.role(sampleDevelopment, "Closed", statement(sampleManagement, `"sts:AssumeRole"`, ""), anything())
		c.do(func(tx *store.Tx) error { return organization.CloseAccount(tx, c.org, sampleDevelopment) })

		withID := func(id string) func(*sts.AssumeRoleInput) {
			return func(in *sts.AssumeRoleInput) { in.ExternalId = &id }
		}
		tag := func(in *sts.AssumeRoleInput) { in.Tags = []ststypes.Tag{{Key: new("team"), Value: new("blue")}} }
		source := func(in *sts.AssumeRoleInput) { in.SourceIdentity = new("sam") }
		for _, tt := range []struct {
			name   string
			key    keyPair
			role   string
			change func(*sts.AssumeRoleInput)
			want   string
		}{
			{"account trusted, user allowed", admin, accessRole, nil, ""},
			{"account trusted, user not allowed", bare, accessRole, nil, "AccessDenied"},
			{"account trusted, user denied", barred, accessRole, nil, "AccessDenied"},
			{"allowed on some roles", some, accessRole, nil, "AccessDenied"},
			{"allowed on this one", some, tagged, nil, ""},
			{"user of the same account trusted by name", bare, own, nil, ""},
			{"user of another account trusted by name", bare, theirs, nil, "AccessDenied"},
			{"another user than the trusted one", admin, own, nil, "AccessDenied"},
			{"external id", admin, external, withID("secret"), ""},
			{"wrong external id", admin, external, withID("other"), "AccessDenied"},
			{"no external id", admin, external, nil, "AccessDenied"},
			{"organization", admin, organized, nil, ""},
			{"tags", admin, tagged, tag, ""},
			{"tags without permission", admin, accessRole, tag, "AccessDenied"},
			{"tags that the caller may not set", some, tagged, tag, "AccessDenied"},
			{"source identity", admin, tagged, source, ""},
			{"source identity without permission", admin, accessRole, source, "AccessDenied"},
			{"a role of Identity Center's", admin, reserved, nil, "AccessDenied"},
			{"a role that does not exist", admin, accessRole + "2", nil, "AccessDenied"},
			{"without the path", admin, strings.Replace(tagged, "/team", "", 1), nil, "AccessDenied"},
			{"in a closed account", admin, closed, nil, "AccessDenied"},
			{"no ARN", admin, "OrganizationAccountAccessRole", nil, "ValidationError"},
			{"an MFA code", admin, accessRole, func(in *sts.AssumeRoleInput) {
				in.SerialNumber, in.TokenCode = new("arn:aws:iam::123456789012:mfa/a"), new("123456")
			}, "AccessDenied"},
		} {
			change := tt.change
			if change == nil {
				change = func(*sts.AssumeRoleInput) {}
			}
			out, err := c.last().assume(t, tt.key, tt.role, change)
			if codeOf(err) != tt.want {
				t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
				continue
			}
			if err == nil {
				if _, code := c.last().whoami(t.Context(), pairOf(out.Credentials)); code != "" {
					t.Errorf("%s: the credentials answer %s", tt.name, code)
				}
			}
		}
	})
}

// TestSessionPolicies limits what a session may do, below what its role may.
func TestSessionPolicies(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		admin := c.administrator()
		target := c.role(sampleManagement, "Target", `{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":["sts:AssumeRole","sts:TagSession"]}`, anything())
		// may tells which of two operations a session may call.
		may := func(changes ...func(*sts.AssumeRoleInput)) string {
			t.Helper()
			out, err := c.last().assume(t, admin, target, changes...)
			if err != nil {
				return codeOf(err)
			}
			var allowed []string
			orgs := c.last().organizations(pairOf(out.Credentials))
			if _, err = orgs.DescribeOrganization(t.Context(), nil); err == nil {
				allowed = append(allowed, "describe")
			}
			if _, err = orgs.ListRoots(t.Context(), nil); err == nil {
				allowed = append(allowed, "list")
			} else if !strings.Contains(err.Error(), "session policy") {
				t.Errorf("the refusal does not name the session policy: %v", err)
			}
			return strings.Join(allowed, " ")
		}
		document := func(text string) func(*sts.AssumeRoleInput) {
			return func(in *sts.AssumeRoleInput) { in.Policy = &text }
		}
		managed := func(arns ...string) func(*sts.AssumeRoleInput) {
			return func(in *sts.AssumeRoleInput) {
				for _, arn := range arns {
					in.PolicyArns = append(in.PolicyArns, ststypes.PolicyDescriptorType{Arn: &arn})
				}
			}
		}
		const describe = `{"Statement":{"Effect":"Allow","Action":"organizations:DescribeOrganization","Resource":"*"}}`
		const readOrganization, billing = "arn:aws:iam::aws:policy/AWSOrganizationsReadOnlyAccess", "arn:aws:iam::aws:policy/job-function/Billing"
		for _, tt := range []struct {
			name    string
			changes []func(*sts.AssumeRoleInput)
			want    string
		}{
			{"none", nil, "describe list"},
			{"a document", []func(*sts.AssumeRoleInput){document(describe)}, "describe"},
			{"a document that denies", []func(*sts.AssumeRoleInput){document(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"organizations:ListRoots","Resource":"*"}]}`)}, "describe"},
			{"a managed policy", []func(*sts.AssumeRoleInput){managed(readOrganization)}, "describe list"},
			{"together they allow what any allows", []func(*sts.AssumeRoleInput){document(describe), managed(billing)}, "describe"},
			{"one that does not exist", []func(*sts.AssumeRoleInput){managed("arn:aws:iam::aws:policy/Nothing")}, "MalformedPolicyDocument"},
			{"eleven", []func(*sts.AssumeRoleInput){managed(readOrganization, readOrganization, readOrganization, readOrganization, readOrganization, readOrganization, readOrganization, readOrganization, readOrganization, readOrganization, readOrganization)}, "ValidationError"},
			{"no policy", []func(*sts.AssumeRoleInput){document(`{"Statement":{}}`)}, "MalformedPolicyDocument"},
			{"too large", []func(*sts.AssumeRoleInput){document(describe[:len(describe)-1] + strings.Repeat(" ", 5000) + "}")}, "PackedPolicyTooLarge"},
			{"tags", []func(*sts.AssumeRoleInput){func(in *sts.AssumeRoleInput) {
				in.Tags = []ststypes.Tag{{Key: new("team"), Value: new("blue")}}
			}, document(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"organizations:Describe*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"blue"}}}}`)}, "describe"},
			{"a tag twice", []func(*sts.AssumeRoleInput){func(in *sts.AssumeRoleInput) {
				in.Tags = []ststypes.Tag{{Key: new("team"), Value: new("blue")}, {Key: new("TEAM"), Value: new("red")}}
			}}, "ValidationError"},
			{"a reserved tag", []func(*sts.AssumeRoleInput){func(in *sts.AssumeRoleInput) {
				in.Tags = []ststypes.Tag{{Key: new("aws:team"), Value: new("blue")}}
			}}, "ValidationError"},
		} {
			if got := may(tt.changes...); got != tt.want {
				t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
			}
		}
	})
}

func TestGetSessionToken(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		admin := c.administrator()
		out, err := c.last().sts(admin).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: new(int32(900))})
		if err != nil {
			t.Fatal(err)
		}
		if left := out.Credentials.Expiration.Sub(c.now()); left < 14*time.Minute || left > 15*time.Minute {
			t.Errorf("the session lasts %v", left)
		}
		key := pairOf(out.Credentials)
		arn, code := c.last().whoami(t.Context(), key)
		if arn != "arn:aws:iam::123456789012:user/administrator" {
			t.Errorf("who am I: %s %s", arn, code)
		}
		if _, err := c.last().organizations(key).ListRoots(t.Context(), nil); err != nil {
			t.Errorf("the user's rights: %v", err)
		}
		if _, err := c.last().assume(t, key, accessRole); err != nil {
			t.Errorf("assuming a role: %v", err)
		}
		if _, err := c.last().sts(key).GetSessionToken(t.Context(), nil); codeOf(err) != "AccessDenied" {
			t.Errorf("with session credentials: %v", err)
		}
		person := c.open(c.person("admin"), sampleManagement, "Administrator")
		if _, err := c.last().sts(person).GetSessionToken(t.Context(), nil); codeOf(err) != "AccessDenied" {
			t.Errorf("with a role's credentials: %v", err)
		}
		_, err = c.last().sts(admin).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{SerialNumber: new("GAHT12345678"), TokenCode: new("123456")})
		if codeOf(err) != "AccessDenied" {
			t.Errorf("with an MFA code: %v", err)
		}
	})
}
