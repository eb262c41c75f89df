package gateway

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/awsapi/identitystore"
	"github.com/atrium-iam/atrium/internal/awsapi/sso"
	"github.com/atrium-iam/atrium/internal/awsapi/ssooidc"
	"github.com/atrium-iam/atrium/internal/awsapi/sts"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

func TestResolve(t *testing.T) {
	var services []*service
	for _, desc := range []*schema.Service{identitystore.Descriptor(), sso.Descriptor(), ssooidc.Descriptor(), sts.Descriptor()} {
		s, err := newService(Service{desc: desc})
		if err != nil {
			t.Fatal(err)
		}
		services = append(services, s)
	}
	g := &Gateway{resolver: newResolver(services)}
	const form = "application/x-www-form-urlencoded"
	cases := []struct {
		name, method, target, contentType, amzTarget, body string
		want                                               string // "service operation", "" when it is no API request
	}{
		{"json", "POST", "/", "application/x-amz-json-1.1", "AWSIdentityStore.CreateUser", "{}", "identitystore CreateUser"},
		{"json, unknown operation", "POST", "/", "application/x-amz-json-1.1", "AWSIdentityStore.Nope", "{}", "identitystore ?"},
		{"json, called a form", "POST", "/", form, "AWSIdentityStore.CreateUser", "{}", "? ?"},
		{"json, elsewhere", "POST", "/x", "application/x-amz-json-1.1", "AWSIdentityStore.CreateUser", "{}", "? ?"},
		{"json, other method", "PUT", "/", "application/x-amz-json-1.1", "AWSIdentityStore.CreateUser", "{}", "? ?"},
		{"json, unknown service", "POST", "/", "", "Nope.CreateUser", "{}", "? ?"},
		{"json, no dot", "POST", "/", "", "CreateUser", "{}", "? ?"},
		{"query", "POST", "/", form + "; charset=utf-8", "", "Action=GetCallerIdentity&Version=2011-06-15", "sts GetCallerIdentity"},
		{"query by GET", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", "", "", "", "sts GetCallerIdentity"},
		{"query, unknown version", "POST", "/", form, "", "Action=GetCallerIdentity&Version=2000-01-01", "? ?"},
		{"query, no action", "POST", "/", form, "", "Version=2011-06-15", "sts ?"},
		{"rest", "GET", "/federation/credentials?role_name=a&account_id=b", "", "", "", "sso GetRoleCredentials"},
		{"rest with a constant query", "POST", "/token?aws_iam=t", "application/json", "", "{}", "sso-oidc CreateTokenWithIAM"},
		{"rest without it", "POST", "/token", "application/json", "", "{}", "sso-oidc CreateToken"},
		{"rest, another query", "POST", "/token?x=aws_iam=t", "application/json", "", "{}", "sso-oidc CreateToken"},
		{"wrong method", "GET", "/token", "", "", "", "sso-oidc ?"},
		{"any other method", "PUT", "/federation/credentials", "", "", "", "sso ?"},
		{"a browser", "GET", "/", "", "", "", ""},
		{"a form elsewhere", "POST", "/signin", form, "", "Action=GetCallerIdentity", ""},
		{"an encoded path is not the path", "POST", "/%2ftoken", "", "", "", ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, tc.target, strings.NewReader(tc.body))
			r.Header.Set("Content-Type", tc.contentType)
			if tc.amzTarget != "" {
				r.Header.Set("X-Amz-Target", tc.amzTarget)
			}
			c := &call{gateway: g, kind: g.resolver.classify(r), body: []byte(tc.body)}
			c.resolve(r)
			got := ""
			if c.kind != kindNone {
				got = "?"
				if c.target.service != nil {
					got = c.target.service.desc.ID
				}
				if c.target.op == nil {
					got += " ?"
				} else {
					got += " " + c.target.op.Name
				}
			}
			if got != tc.want {
				t.Errorf("resolved to %q, want %q", got, tc.want)
			}
		})
	}
}
