package app

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	portalwire "github.com/atrium-iam/atrium/internal/awsapi/portal"
	ssowire "github.com/atrium-iam/atrium/internal/awsapi/sso"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin/pages"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// browser is a person's browser on the portal's page.
type browser struct {
	t       testing.TB
	node    *node
	session session.Session
	cookies []*http.Cookie
	csrf    string
}

// browse signs a person in and opens the portal.
func (c *cluster) browse(user string) *browser {
	c.t.Helper()
	b := &browser{t: c.t, node: c.last()}
	var token string
	c.do(func(tx *store.Tx) (err error) {
		b.session, token, err = session.Start(tx, ident.Millis(c.now()), c.ids, c.in.IdentityStoreID, user, session.DefaultDuration, session.Client{})
		return err
	})
	installation, err := installationID(c.t.Context(), b.node.Store, c.ids)
	if err != nil {
		c.t.Fatal(err)
	}
	b.cookies = []*http.Cookie{{Name: "atrium_" + installation, Value: token}}
	r := b.request(http.MethodGet, "/start", nil)
	answer := b.do(r)
	b.cookies = append(b.cookies, answer.cookies...)
	found := regexp.MustCompile(`name="csrf(?:-token)?" (?:value|content)="([^"]+)"`).FindStringSubmatch(string(answer.body))
	if answer.status != http.StatusOK || found == nil {
		c.t.Fatalf("GET /start: %d, no token\n%s", answer.status, answer.body)
	}
	b.csrf = html.UnescapeString(found[1])
	return b
}

// reply is an answer to a page.
type reply struct {
	status  int
	code    string // of an error
	message string
	header  http.Header
	cookies []*http.Cookie
	body    []byte
}

func (b *browser) request(method, path string, body []byte) *http.Request {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.node.url+path, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	return r
}

func (b *browser) do(r *http.Request) (a reply) {
	b.t.Helper()
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	if a.body, err = io.ReadAll(response.Body); err != nil {
		b.t.Fatal(err)
	}
	a.status, a.header, a.cookies = response.StatusCode, response.Header, response.Cookies()
	if strings.HasPrefix(a.header.Get("Content-Type"), "application/json") && a.status != http.StatusOK {
		var told struct {
			Code    string `json:"__type"`
			Message string `json:"message"`
		}
		if err := json.Unmarshal(a.body, &told); err != nil {
			b.t.Errorf("%v: %s", err, a.body)
		}
		a.code, a.message = told.Code, told.Message
	}
	return a
}

// call is the request that the page's script makes.
func (b *browser) call(operation, input string) *http.Request {
	b.t.Helper()
	r := b.request(http.MethodPost, portalPath+operation, []byte(input))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", b.node.url)
	r.Header.Set(pages.TokenHeader, b.csrf)
	return r
}

// ask calls an operation and reads its output.
func (b *browser) ask(operation, input string, out any) reply {
	b.t.Helper()
	a := b.do(b.call(operation, input))
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "", "Set-Cookie": "",
	} {
		if got := a.header.Get(name); got != want {
			b.t.Errorf("%s: %s is %q, want %q", operation, name, got, want)
		}
	}
	if a.status == http.StatusOK {
		if err := json.Unmarshal(a.body, out); err != nil {
			b.t.Fatalf("%s: %v: %s", operation, err, a.body)
		}
	}
	return a
}

// pageOperations are what pages may call, with inputs that are valid for
// sam.lee.
func pageOperations(t *testing.T) map[string]string {
	inputs := map[string]string{
		"DescribePortal": `{}`, "ListPortalAccounts": `{}`, "GetConfiguration": `{}`, "ListAccounts": `{}`,
		"ListAccountRoles":   `{"accountId":"222222222222"}`,
		"GetRoleCredentials": `{"accountId":"222222222222","roleName":"Builder"}`,
		"GetAccessTexts":     `{"accountId":"222222222222","roleName":"Builder"}`,
	}
	open := 0
	for _, s := range []*schema.Service{portalwire.Descriptor(), ssowire.Descriptor()} {
		for _, o := range s.Operations {
			if !o.Page {
				continue
			}
			open++
			if inputs[o.Name] == "" {
				t.Errorf("no input for %s: every operation that pages may call is tested", o.Name)
			}
		}
	}
	if open != len(inputs) {
		t.Errorf("%d operations, %d inputs", open, len(inputs))
	}
	return inputs
}

func TestPageOperations(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam := c.browse(c.person("sam.lee"))
		for operation, input := range pageOperations(t) {
			var out map[string]any
			if a := sam.ask(operation, input, &out); a.status != http.StatusOK || len(out) == 0 {
				t.Errorf("%s: %d %s", operation, a.status, a.body)
			}
		}
	})
}

// TestPageRefusals puts every operation to every caller who may not call it.
func TestPageRefusals(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam, admin := c.browse(c.person("sam.lee")), c.browse(c.person("admin"))
		disabled, ended := c.browse(c.person("disabled")), c.browse(c.person("sam.lee"))
		c.do(func(tx *store.Tx) error {
			if err := session.End(tx, ended.session.ID); err != nil {
				return err
			}
			u, err := directory.UserByID(tx, c.in.IdentityStoreID, disabled.session.UserID)
			if err != nil {
				return err
			}
			u.Status = directory.Disabled
			u.Version++
			_, err = tx.UpdateDirectoryUser(u)
			return err
		})
		for name, tt := range map[string]struct {
			by     *browser
			change func(r *http.Request)
			status int
			code   string
		}{
			"nobody":                       {sam, func(r *http.Request) { r.Header.Del("Cookie") }, 401, "UnauthorizedException"},
			"a browser without a session":  {sam, onlyCookie("_browser"), 401, "UnauthorizedException"},
			"a session without a browser":  {sam, onlyCookie(sam.cookies[0].Name), 403, "InvalidCsrfTokenException"},
			"a session that was ended":     {ended, nil, 401, "UnauthorizedException"},
			"a person who is disabled":     {disabled, nil, 401, "UnauthorizedException"},
			"no form token":                {sam, func(r *http.Request) { r.Header.Del(pages.TokenHeader) }, 403, "InvalidCsrfTokenException"},
			"a wrong form token":           {sam, func(r *http.Request) { r.Header.Set(pages.TokenHeader, "x"+sam.csrf[1:]) }, 403, "InvalidCsrfTokenException"},
			"another person's form token":  {sam, func(r *http.Request) { r.Header.Set(pages.TokenHeader, admin.csrf) }, 403, "InvalidCsrfTokenException"},
			"another site":                 {sam, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403, "ForbiddenException"},
			"another host of this site":    {sam, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, 403, "ForbiddenException"},
			"an address that was typed":    {sam, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") }, 403, "ForbiddenException"},
			"another origin beside it":     {sam, func(r *http.Request) { r.Header.Set("Origin", "https://example.com") }, 403, "ForbiddenException"},
			"two opinions":                 {sam, func(r *http.Request) { r.Header.Add("Sec-Fetch-Site", "cross-site") }, 403, "ForbiddenException"},
			"an old browser, another site": {sam, from("https://example.com"), 403, "ForbiddenException"},
			"an old browser, another port": {sam, from("http://127.0.0.1:1"), 403, "ForbiddenException"},
			"an old browser, TLS":          {sam, from(strings.Replace(sam.node.url, "http:", "https:", 1)), 403, "ForbiddenException"},
			"an old browser, nothing said": {sam, from(""), 403, "ForbiddenException"},
			"an opaque origin":             {sam, from("null"), 403, "ForbiddenException"},
			"a GET":                        {sam, func(r *http.Request) { r.Method = http.MethodGet; r.Body = nil; r.ContentLength = 0 }, 405, "UnsupportedMethodException"},
			"a PUT":                        {sam, func(r *http.Request) { r.Method = http.MethodPut }, 405, "UnsupportedMethodException"},
			"too much":                     {sam, body(`{"x":"` + strings.Repeat("x", 16<<10) + `"}`), 413, "RequestEntityTooLargeException"},
			"no JSON":                      {sam, body(`accountId=222222222222`), 400, "SerializationException"},
		} {
			for operation, input := range pageOperations(t) {
				r := tt.by.call(operation, input)
				if tt.change != nil {
					tt.change(r)
				}
				a := tt.by.do(r)
				if name == "no JSON" && input == "{}" && a.status == http.StatusOK {
					continue // takes no input at all
				}
				if a.status != tt.status || a.code != tt.code || a.message == "" && a.code != "SerializationException" {
					t.Errorf("%s, %s: %d %s", name, operation, a.status, a.body)
				}
			}
		}
	})
}

// onlyCookie leaves the cookie whose name ends in suffix.
func onlyCookie(suffix string) func(*http.Request) {
	return func(r *http.Request) {
		all := r.Cookies()
		r.Header.Del("Cookie")
		for _, c := range all {
			if strings.HasSuffix(c.Name, suffix) {
				r.AddCookie(c)
			}
		}
	}
}

// from makes the request one of a browser that sends no Sec-Fetch-Site.
func from(origin string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Del("Sec-Fetch-Site")
		r.Header.Del("Origin")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
	}
}

func body(text string) func(*http.Request) {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	}
}

// TestPageUnknownOperations asks for what pages may not call: what there is not,
// and what there is for others.
func TestPageUnknownOperations(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam := c.browse(c.person("sam.lee"))
		for _, operation := range []string{
			"", "Nothing", "Logout", "CreateUser", "UpdatePassword", "GetCallerIdentity", "AssumeRole", "RegisterClient", "CreateToken",
			"describeportal", "DescribePortal/", "DescribePortal/x", "sso.ListAccounts", "%2e%2e/start", strings.Repeat("x", 1000),
		} {
			a := sam.do(sam.call(operation, `{}`))
			if a.status != http.StatusNotFound || a.code != "UnknownOperationException" || a.message == "" {
				t.Errorf("%.50s: %d %v %s", operation, a.status, a.header, a.body)
			}
		}
	})
}

// TestPortalServiceIsForPagesOnly tries to reach the portal's own service, and
// the pages' way in, as programs do.
func TestPortalServiceIsForPagesOnly(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam := c.browse(c.person("sam.lee"))
		for _, target := range []string{"portal.DescribePortal", ".DescribePortal", "DescribePortal", "AtriumPortal.DescribePortal", "AtriumSettings.DescribePortal"} {
			for _, path := range []string{"/", portalPath + "DescribePortal"} {
				r := sam.call("", `{}`)
				r.URL.Path = path
				r.Header.Set("X-Amz-Target", target)
				r.Header.Set("Content-Type", "application/x-amz-json-1.1")
				if a := sam.do(r); a.status != http.StatusBadRequest || !strings.Contains(string(a.body), "UnknownOperationException") {
					t.Errorf("%s at %s: %d %s", target, path, a.status, a.body)
				}
			}
		}
		// A bearer token is no cookie.
		r := sam.call("ListAccounts", `{"accessToken":"x"}`)
		r.Header.Del("Cookie")
		r.Header.Set("X-Amz-Sso_bearer_token", c.logIn(sam.session))
		if a := sam.do(r); a.status != http.StatusUnauthorized {
			t.Errorf("with a token: %d %s", a.status, a.body)
		}
		// AWS's own addresses read no cookies.
		r = sam.request(http.MethodGet, "/assignment/accounts", nil)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set(pages.TokenHeader, sam.csrf)
		if a := sam.do(r); a.status != http.StatusUnauthorized {
			t.Errorf("AWS's address with a cookie: %d %s", a.status, a.body)
		}
	})
}

// TestPagesCallThePeopleHostOnly asks a node whose hosts are different.
func TestPagesCallThePeopleHostOnly(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam := c.browse(c.person("sam.lee"))
		people, data := &url.URL{Scheme: "http", Host: "localhost:8484"}, &url.URL{Scheme: "http", Host: "127.0.0.1:8484"}
		o := c.nodes[0].Options
		o.PeopleURL, o.DataURL = people, data
		p, err := New(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for host, want := range map[string]int{
			people.Host: http.StatusOK, data.Host: http.StatusForbidden, "localhost:1": http.StatusMisdirectedRequest, "example.com": http.StatusMisdirectedRequest,
		} {
			r := sam.call("DescribePortal", `{}`)
			r.Host, r.RemoteAddr = host, "127.0.0.1:1"
			r.Header.Set("Origin", "http://"+host)
			w := httptest.NewRecorder()
			p.handler.ServeHTTP(w, r)
			if w.Code != want || w.Code != http.StatusOK && strings.Contains(w.Body.String(), "sam.lee") {
				t.Errorf("%s: %d %s", host, w.Code, w.Body)
			}
		}
		// From another machine it takes TLS.
		r := sam.call("DescribePortal", `{}`)
		r.Host, r.RemoteAddr = people.Host, "203.0.113.9:1"
		r.Header.Set("Origin", people.String())
		w := httptest.NewRecorder()
		if p.handler.ServeHTTP(w, r); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "TLS") {
			t.Errorf("without TLS: %d %s", w.Code, w.Body)
		}
	})
}

// TestPageExpired lets a session run to its end.
func TestPageExpired(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam := c.browse(c.person("sam.lee"))
		c.shift.Store(int64(session.DefaultDuration))
		for operation, input := range pageOperations(t) {
			if a := sam.do(sam.call(operation, input)); a.status != http.StatusUnauthorized || a.code != "UnauthorizedException" {
				t.Errorf("%s: %d %s", operation, a.status, a.body)
			}
		}
	})
}

// TestPageEndedMeanwhile holds that a session which ends between the look at the
// cookie and the operation gives nothing any more.
func TestPageEndedMeanwhile(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		for operation, input := range pageOperations(t) {
			sam, w := c.browse(c.person("sam.lee")), httptest.NewRecorder()
			c.last().handler.gateway.ServePage(w, sam.call(operation, input), operation, func(*http.Request) (iam.Principal, error) {
				c.do(func(tx *store.Tx) error { return session.End(tx, sam.session.ID) })
				return iam.IdentityCenterUser(c.in.OwnerAccountID, c.in.IdentityStoreID, sam.session.UserID, sam.session.ID), nil
			})
			if w.Code != http.StatusUnauthorized {
				t.Errorf("%s: %d %s", operation, w.Code, w.Body)
			}
		}
	})
}

// TestPagesAreSlowedDown has one person ask for very much at one moment.
func TestPagesAreSlowedDown(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam, again, admin := c.browse(c.person("sam.lee")), c.browse(c.person("sam.lee")), c.browse(c.person("admin"))
		moment := c.now()
		o := c.last().Options
		o.Now = func() time.Time { return moment }
		p, err := New(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		ask := func(b *browser) *httptest.ResponseRecorder {
			r, w := b.call("DescribePortal", `{}`), httptest.NewRecorder()
			r.Host, r.RemoteAddr = p.PeopleURL.Host, "127.0.0.1:1"
			p.handler.ServeHTTP(w, r)
			return w
		}
		for i := range portalBurst + 1 {
			if w := ask(sam); w.Code != http.StatusOK {
				t.Fatalf("request %d: %d %s", i+1, w.Code, w.Body)
			}
		}
		if w := ask(sam); w.Code != http.StatusTooManyRequests || !strings.Contains(w.Body.String(), `"__type":"TooManyRequestsException"`) {
			t.Errorf("one too many: %d %s", w.Code, w.Body)
		}
		if w := ask(again); w.Code != http.StatusTooManyRequests {
			t.Errorf("the same person's other browser: %d", w.Code)
		}
		if w := ask(admin); w.Code != http.StatusOK {
			t.Errorf("another person: %d %s", w.Code, w.Body)
		}
		moment = moment.Add(portalPeriod)
		if w := ask(sam); w.Code != http.StatusOK {
			t.Errorf("a moment later: %d %s", w.Code, w.Body)
		}
	})
}

// TestRequestsWithoutToken holds what programs are told that send no token: the
// same as for a wrong one.
func TestRequestsWithoutToken(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		for _, target := range []string{
			"GET /assignment/accounts", "GET /assignment/roles?account_id=222222222222", "POST /logout",
			"GET /federation/credentials?account_id=222222222222&role_name=Builder",
		} {
			for _, token := range [][]string{nil, {""}, {"x"}} {
				method, path, _ := strings.Cut(target, " ")
				r, err := http.NewRequestWithContext(t.Context(), method, c.nodes[0].url+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				if token != nil {
					r.Header["X-Amz-Sso_bearer_token"] = token
				}
				a := (&browser{t: t}).do(r)
				if a.status != http.StatusUnauthorized || a.header.Get("X-Amzn-Errortype") != "UnauthorizedException" || a.message != "Session token not found or invalid" {
					t.Errorf("%s with %q: %d %v %s", target, token, a.status, a.header, a.body)
				}
			}
		}
	})
}
