package policy_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/policy"
)

func compiled(t interface {
	Helper()
	Fatalf(string, ...any)
}, document string,
) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(document)
	if err != nil {
		t.Fatalf("%v in %s", err, document)
	}
	return p
}

func TestDecideFollowsEvaluationLogic(t *testing.T) {
	one := func(s string) []*policy.Policy {
		return []*policy.Policy{compiled(t, `{"Version":"2012-10-17","Statement":`+s+`}`)}
	}
	allowAll := one(`{"Effect":"Allow","Action":"*","Resource":"*"}`)
	allowS3 := one(`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`)
	allowGet := one(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`)
	denyGet := one(`[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]`)
	boundary := func(p []*policy.Policy) policy.Limit {
		return policy.Limit{Kind: policy.PermissionsBoundary, Policies: p}
	}
	session := func(p []*policy.Policy) policy.Limit {
		return policy.Limit{Kind: policy.SessionPolicy, Policies: p}
	}
	control := policy.Limit{Kind: policy.ServiceControlPolicy, Policies: allowS3}
	allow := policy.Decision{Effect: policy.Allow}
	tests := []struct {
		name string
		set  policy.Set
		want policy.Decision
	}{
		{"no policies", policy.Set{}, policy.Decision{Effect: policy.ImplicitDeny, Kind: policy.IdentityPolicy}},
		{"allowed", policy.Set{Identity: allowGet}, allow},
		{"denied", policy.Set{Identity: denyGet}, policy.Decision{Effect: policy.ExplicitDeny, Kind: policy.IdentityPolicy}},
		{"deny in another policy wins", policy.Set{Identity: append(append([]*policy.Policy{}, allowAll...), denyGet...)}, policy.Decision{Effect: policy.ExplicitDeny, Kind: policy.IdentityPolicy}},
		{"within boundary", policy.Set{Identity: allowAll, Limits: []policy.Limit{boundary(allowS3)}}, allow},
		{"boundary alone grants nothing", policy.Set{Limits: []policy.Limit{boundary(allowAll)}}, policy.Decision{Effect: policy.ImplicitDeny, Kind: policy.IdentityPolicy}},
		{"outside boundary", policy.Set{Identity: allowAll, Limits: []policy.Limit{boundary(one(`{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`))}}, policy.Decision{Effect: policy.ImplicitDeny, Kind: policy.PermissionsBoundary}},
		{"denied by boundary", policy.Set{Identity: allowAll, Limits: []policy.Limit{boundary(denyGet)}}, policy.Decision{Effect: policy.ExplicitDeny, Kind: policy.PermissionsBoundary}},
		{"identity, boundary and session", policy.Set{Identity: allowAll, Limits: []policy.Limit{boundary(allowS3), session(allowGet)}}, allow},
		{"outside session", policy.Set{Identity: allowAll, Limits: []policy.Limit{boundary(allowS3), session(one(`{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}`))}}, policy.Decision{Effect: policy.ImplicitDeny, Kind: policy.SessionPolicy}},
		{"denied by session", policy.Set{Identity: allowAll, Limits: []policy.Limit{session(denyGet)}}, policy.Decision{Effect: policy.ExplicitDeny, Kind: policy.SessionPolicy}},
		{"within service control policy", policy.Set{Identity: allowAll, Limits: []policy.Limit{control}}, allow},
		{"a limit without policies denies", policy.Set{Identity: allowAll, Limits: []policy.Limit{session(nil)}}, policy.Decision{Effect: policy.ImplicitDeny, Kind: policy.SessionPolicy}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.set.Decide(policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"})
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestDecideMatchesActionsAndResources(t *testing.T) {
	const getObject, object = "s3:GetObject", "arn:aws:s3:::bucket/a/b.txt"
	const role = "arn:aws:iam::123456789012:role/path/Name"
	tests := []struct {
		name, statement, action, resource string
		allowed                           bool
	}{
		{"exact", `"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/a/b.txt"`, getObject, object, true},
		{"action in another case", `"Action":"S3:getOBJECT","Resource":"*"`, getObject, object, true},
		{"request's action in another case", `"Action":"s3:GetObject","Resource":"*"`, "S3:GETobject", object, true},
		{"resource in another case", `"Action":"*","Resource":"arn:aws:s3:::Bucket/*"`, getObject, object, false},
		{"other service", `"Action":"s3:*","Resource":"*"`, "s3express:GetObject", object, false},
		{"wildcard name", `"Action":"s3:Get*","Resource":"*"`, getObject, object, true},
		{"wildcard inside name", `"Action":"s3:*Obj?ct","Resource":"*"`, getObject, object, true},
		{"every action", `"Action":"*","Resource":"*"`, getObject, object, true},
		{"every action of every vendor", `"Action":"*:*","Resource":"*"`, getObject, object, true},
		{"second of list", `"Action":["s3:Put*","s3:GetObject"],"Resource":["arn:aws:s3:::x","arn:aws:s3:::bucket/*"]`, getObject, object, true},
		{"NotAction of others", `"NotAction":["iam:*","s3:Put*"],"Resource":"*"`, getObject, object, true},
		{"NotAction of it", `"NotAction":["iam:*","S3:get*"],"Resource":"*"`, getObject, object, false},
		{"NotResource of others", `"Action":"*","NotResource":["arn:aws:s3:::other/*"]`, getObject, object, true},
		{"NotResource of it", `"Action":"*","NotResource":["arn:aws:s3:::other/*","arn:aws:s3:::bucket/*"]`, getObject, object, false},
		{"wildcard over slashes", `"Action":"*","Resource":"arn:aws:s3:::bucket/*.txt"`, getObject, object, true},
		{"wildcard over colons of the resource part", `"Action":"*","Resource":"arn:aws:logs:*:*:log-group:*"`, "logs:Get", "arn:aws:logs:us-east-1:1:log-group:a:log-stream:b", true},
		{"wildcard region and account", `"Action":"*","Resource":"arn:aws:sns:*:1234*:topic"`, "sns:Publish", "arn:aws:sns:us-east-1:123456789012:topic", true},
		{"wildcard stays in its segment", `"Action":"*","Resource":"arn:aws:sns:*:topic"`, "sns:Publish", "arn:aws:sns:us-east-1:123456789012:topic", false},
		{"wildcard account does not reach the resource", `"Action":"*","Resource":"arn:aws:iam::*:role/Name"`, "iam:GetRole", "arn:aws:iam::1:role/x:role/Name", false},
		{"any partition", `"Action":"*","Resource":"arn:*:iam::*:role/path/*"`, "iam:GetRole", role, true},
		{"other partition", `"Action":"*","Resource":"arn:aws-cn:iam::*:role/path/*"`, "iam:GetRole", role, false},
		{"short ARN", `"Action":"*","Resource":"arn:aws:iam"`, "iam:GetRole", role, true},
		{"short ARN with wildcard", `"Action":"*","Resource":"arn:aws:iam:*"`, "iam:GetRole", role, true},
		{"action without resources needs the asterisk", `"Action":"*","Resource":"arn:aws:s3:::*"`, "s3:ListAllMyBuckets", "*", false},
		{"asterisk covers it", `"Action":"*","Resource":["arn:aws:s3:::*","*"]`, "s3:ListAllMyBuckets", "*", true},
		{"no action", `"Action":"*","Resource":"*"`, "GetObject", object, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for effect, want := range map[string]policy.Effect{"Allow": policy.Allow, "Deny": policy.ExplicitDeny} {
				if !tt.allowed {
					want = policy.ImplicitDeny
				}
				p := compiled(t, `{"Version":"2012-10-17","Statement":{"Effect":"`+effect+`",`+tt.statement+`}}`)
				got := policy.Set{Identity: []*policy.Policy{p}}.Decide(policy.Request{Action: tt.action, Resource: tt.resource})
				if got.Effect != want {
					t.Errorf("%s: got %v, want %v", effect, got.Effect, want)
				}
			}
		})
	}
}

func TestVariablesInResources(t *testing.T) {
	values := new(policy.Values)
	values.Set(policy.NewKey("aws:username"), "sam*")
	values.Set(policy.NewKey("aws:PrincipalTag/team"))
	values.Set(policy.NewKey("aws:TagKeys"), "a", "b")
	tests := []struct {
		name, version, resource, request string
		want                             string
	}{
		{"value", "2012-10-17", "arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/sam*/x", "yes"},
		{"key in another case", "2012-10-17", "arn:aws:s3:::home/${AWS:UserName}/*", "arn:aws:s3:::home/sam*/x", "yes"},
		{"no wildcards in values", "2012-10-17", "arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/samantha/x", "no"},
		{"default", "2012-10-17", "arn:aws:s3:::${aws:PrincipalTag/team, 'shared'}/*", "arn:aws:s3:::shared/x", "yes"},
		{"default not used", "2012-10-17", "arn:aws:s3:::${aws:username, 'shared'}/*", "arn:aws:s3:::shared/x", "no"},
		{"absent", "2012-10-17", "arn:aws:s3:::${aws:PrincipalTag/team}/*", "arn:aws:s3:::any/x", "unknown"},
		{"unknown", "2012-10-17", "arn:aws:s3:::${aws:SourceIdentity, 'x'}/*", "arn:aws:s3:::any/x", "unknown"},
		{"unknown, but elsewhere", "2012-10-17", "arn:aws:s3:::${aws:SourceIdentity}/*", "arn:aws:s3:::any", "no"},
		{"several values", "2012-10-17", "arn:aws:s3:::${aws:TagKeys}/*", "arn:aws:s3:::a/x", "unknown"},
		{"not before the resource part", "2012-10-17", "arn:aws:s3::${aws:username}:x", "arn:aws:s3::sam*:x", "unknown"},
		{"old version", "2008-10-17", "arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/sam*/x", "no"},
		{"old version, literally", "2008-10-17", "arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/${aws:username}/x", "yes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := policy.Request{Action: "s3:GetObject", Resource: tt.request, Context: values}
			statement := `"Action":"*","Resource":"` + tt.resource + `"`
			if got := truthOf(t, tt.version, statement, r); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// truthOf tells by its effects whether a statement applies to r: as an Allow
// and as a Deny ("yes"), as a Deny only ("unknown"), not at all ("no").
func truthOf(t *testing.T, version, statement string, r policy.Request) string {
	t.Helper()
	decide := func(effect string) policy.Effect {
		p := compiled(t, `{"Version":"`+version+`","Statement":{"Effect":"`+effect+`",`+statement+`}}`)
		return policy.Set{Identity: []*policy.Policy{p}}.Decide(r).Effect
	}
	switch allow, deny := decide("Allow"), decide("Deny"); {
	case allow == policy.Allow && deny == policy.ExplicitDeny:
		return "yes"
	case allow == policy.ImplicitDeny && deny == policy.ExplicitDeny:
		return "unknown"
	case allow == policy.ImplicitDeny && deny == policy.ImplicitDeny:
		return "no"
	default:
		return "an Allow that is no Deny"
	}
}
