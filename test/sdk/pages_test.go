package sdk

import (
	"net/http"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/awsapi/portal"
	"github.com/atrium-iam/atrium/internal/awsapi/sso"
	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/test/node"
)

// pageCall is the call that a page of the access portal makes, without cookies.
func pageCall(operation string, header http.Header) node.Call {
	header.Set("Content-Type", "application/json")
	return node.Call{Method: "POST", Target: "/portal/api/" + operation, Header: header, Body: []byte(`{}`), Service: "sso"}
}

// TestPagesOnly puts to every operation that the portal's pages may call those
// callers who are no page, or nobody's: administrators among them. What people
// may do there is asked with their sessions in package app.
func TestPagesOnly(t *testing.T) {
	sameOrigin := func() http.Header { return http.Header{"Sec-Fetch-Site": {"same-origin"}, "X-Atrium-Csrf": {"x"}} }
	onSQLite(t, func(t *testing.T, n *node.Node) {
		shown, err := http.DefaultTransport.RoundTrip(n.Request(t, nil, node.Call{Method: "GET", Target: "/signin"}))
		if err != nil {
			t.Fatal(err)
		}
		defer shown.Body.Close()
		browser, _, _ := strings.Cut(shown.Header.Get("Set-Cookie"), ";")
		session, _, found := strings.Cut(browser, "_browser=")
		if !found {
			t.Fatalf("the browser gets the cookie %q", browser)
		}
		admin, asked := n.Administrator(t, node.Management), 0
		for _, s := range []*schema.Service{sso.Descriptor(), portal.Descriptor()} {
			for _, o := range s.Operations {
				if !o.Page {
					continue
				}
				asked++
				cookie, get := sameOrigin(), pageCall(o.Name, sameOrigin())
				cookie.Set("Cookie", session+"=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; "+browser)
				get.Method = "GET"
				for name, c := range map[string]struct {
					call   node.Call
					by     *node.Caller
					status int
					code   string
				}{
					"nobody":            {pageCall(o.Name, sameOrigin()), nil, 401, "UnauthorizedException"},
					"an invented token": {pageCall(o.Name, cookie), nil, 401, "UnauthorizedException"},
					"an administrator":  {pageCall(o.Name, sameOrigin()), admin, 401, "UnauthorizedException"},
					"a program":         {pageCall(o.Name, http.Header{}), nil, 403, "ForbiddenException"},
					"another site":      {pageCall(o.Name, http.Header{"Sec-Fetch-Site": {"cross-site"}}), nil, 403, "ForbiddenException"},
					"a link":            {get, nil, 405, "UnsupportedMethodException"},
				} {
					if got := n.Send(t, c.by, c.call); got.Status != c.status || got.Code != c.code || got.Message == "" {
						t.Errorf("%s, %s: %d %s %q", o.Name, name, got.Status, got.Code, got.Message)
					}
				}
				if s.ID != "portal" {
					continue
				}
				for _, target := range []string{".", "portal.", "atrium.", "AtriumPortal."} {
					if got := n.Send(t, admin, with(jsonCall("", `{}`), "X-Amz-Target", target+o.Name)); got.Code != "UnknownOperationException" {
						t.Errorf("%s%s: %d %s", target, o.Name, got.Status, got.Body)
					}
				}
			}
		}
		if asked < 7 {
			t.Errorf("only %d operations are for pages", asked)
		}
	})
}
