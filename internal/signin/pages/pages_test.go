package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/signin/pages"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestForgedForms sends forms that are not of our pages.
func TestForgedForms(t *testing.T) {
	s := newSite(t)
	code := s.newDevice("botocore-client-x", "127.0.0.1")
	b := s.browser()
	b.signIn("/device?user_code="+code).submit("/device/confirm").shows(200, "Allow access")
	token := formToken.FindStringSubmatch(b.page)[1]
	same := http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {s.url}}
	form := func(token string) url.Values { return url.Values{"user_code": {code}, "csrf": {token}} }
	cases := map[string]struct {
		token  string
		header http.Header
	}{
		"another site":                     {token, http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}},
		"a sibling":                        {token, http.Header{"Sec-Fetch-Site": {"same-site"}}},
		"another origin, an old browser":   {token, http.Header{"Origin": {"https://evil.example"}}},
		"no origin":                        {token, http.Header{"Origin": {"null"}}},
		"no token, nobody says where from": {"", http.Header{}},
	}
	for name, c := range cases {
		b.post("/device/allow", form(c.token), c.header)
		if b.status != http.StatusForbidden || s.device(code).Status != oauth.Pending {
			t.Errorf("%s: status %d, the request is %s", name, b.status, s.device(code).Status)
		}
	}
	other := s.browser()
	other.get("/signin")
	for name, token := range map[string]string{
		"no token": "", "a wrong token": token[1:] + "A", "another browser's token": formToken.FindStringSubmatch(other.page)[1],
	} {
		b.post("/device/allow", form(token), same)
		if b.path != "/device?user_code="+code || s.device(code).Status != oauth.Pending {
			t.Errorf("%s: leads to %s, the request is %s", name, b.path, s.device(code).Status)
		}
	}
	b.post("/device/allow", form(token), same)
	if b.status != http.StatusOK || s.device(code).Status != oauth.Approved {
		t.Errorf("the right form: status %d, the request is %s", b.status, s.device(code).Status)
	}
}

// TestNothingChangesByGet opens the address of every form.
func TestNothingChangesByGet(t *testing.T) {
	s := newSite(t)
	code := s.newDevice("botocore-client-x", "127.0.0.1")
	b := s.browser()
	b.signIn("/start").shows(200)
	for _, path := range []string{"/device/allow", "/device/deny", "/device/confirm", "/authorize/allow", "/authorize/deny", "/signin/out"} {
		b.get(path + "?user_code=" + code)
	}
	if d := s.device(code); d.Status != oauth.Pending {
		t.Errorf("the request is %s", d.Status)
	}
	b.get("/start").shows(200, "Signed in")
}

func TestPlainHTTPIsForThisMachineOnly(t *testing.T) {
	s := newSite(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/signin", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "portal.example.com"
	b := s.browser()
	b.do(r)
	b.shows(403, "secure connection")
	if len(b.header.Values("Set-Cookie")) != 0 {
		t.Error("a cookie was set")
	}
}

func TestCookies(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	check := func(prefix string) {
		t.Helper()
		for _, line := range b.header.Values("Set-Cookie") {
			c, err := http.ParseSetCookie(line)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(c.Name, prefix+installation) || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure != s.secure {
				t.Errorf("cookie %s", line)
			}
		}
	}
	b.get("/signin")
	if len(b.header.Values("Set-Cookie")) != 1 {
		t.Errorf("cookies: %q", b.header.Values("Set-Cookie"))
	}
	check("atrium_")
	s.secure = true
	b = s.browser() // which has none yet
	b.get("/signin")
	if len(b.header.Values("Set-Cookie")) != 1 {
		t.Errorf("cookies over TLS: %q", b.header.Values("Set-Cookie"))
	}
	check("__Host-atrium_")
}

func TestNoInstance(t *testing.T) {
	s := newSiteOn(t, store.Config{})
	s.update(func(tx *store.Tx) error { return tx.DeleteInstance(s.in) })
	s.browser().get("/start").shows(404, "not enabled")
}

func TestUnknownAddress(t *testing.T) {
	newSite(t).browser().get("/nothing/here").shows(404, "Page not found")
}

func TestErrorsOfTheStoreAreNotShown(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.get("/signin")
	s.pass(time.Second)
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	b.get("/signin")
	if b.status < 500 || !strings.Contains(b.page, "give your administrator this number") || strings.Contains(b.page, "store") || strings.Contains(b.page, "sql") {
		t.Errorf("status %d:\n%s", b.status, b.page)
	}
}

// TestEvents wants one event for each request, with nothing of the visitor in
// what metrics are counted by.
func TestEvents(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.get("/signin?to=secret").get("/nothing/here").get("/signin/0123").get("/device?user_code=BBBB-BBBB")
	want := map[pages.Event]int{
		{Page: "GET /signin", Status: 200}: 2, {Page: "/", Status: 404}: 1, {Page: "GET /signin/{id}", Status: 410}: 1,
		{Page: "GET /device", Status: 303}: 1,
	}
	got := make(map[pages.Event]int)
	for range 5 {
		got[<-s.events]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
