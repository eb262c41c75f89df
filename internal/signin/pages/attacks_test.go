package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// plant has a browser keep cookies that somebody else has chosen, as a program
// at another port of this machine can.
func (b *browser) plant(cookies ...*http.Cookie) {
	b.t.Helper()
	u, err := url.Parse(b.site.url)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range cookies {
		b.client.Jar.SetCookies(u, []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/"}})
	}
}

// cookies are all that a browser keeps.
func (b *browser) cookies() []*http.Cookie {
	b.t.Helper()
	u, err := url.Parse(b.site.url)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.client.Jar.Cookies(u)
}

// TestSessionFixation has an attacker plant all of the attacker's cookies in the
// browser of sam.lee, who then signs in: what the attacker keeps opens nothing,
// neither before the session begins nor after.
func TestSessionFixation(t *testing.T) {
	s := newSite(t)
	attacker := s.browser().get("/start").submit("/signin", "username", "sam.lee").shows(200, "Password")
	begun := attacker.path
	known := attacker.cookies()
	token := &http.Cookie{Name: "atrium_" + installation, Value: strings.Repeat("A", 43)} // of no session
	victim := s.browser()
	victim.plant(append(known, token)...)
	victim.signIn("/account").shows(200, "Sam Lee")
	if c := victim.sessionCookie(); c.Value == token.Value {
		t.Fatal("the session has a token that was planted")
	}
	attacker.plant(token)
	attacker.get("/account").shows(200, "Username")
	attacker.get(begun)
	attacker.shows(200, "Password") // still the attacker's own, at which no password was given

	// A form that the attacker may compute is not of the victim's session.
	attacker.get("/signin")
	forged := formToken.FindStringSubmatch(attacker.page)[1]
	victim.post("/account/sessions/sign-out-everywhere", url.Values{"csrf": {forged}}, http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {s.url}})
	victim.get("/account").shows(200, "Sam Lee") // the form has done nothing

	// Nor does a link to the attacker's own sign-in sign the victim in as the
	// attacker, or go on in the victim's browser.
	other := s.browser().get(begun)
	if strings.Contains(other.page, `action="`+begun+`/password"`) {
		t.Error("a sign-in goes on in another browser")
	}
}

// TestNoPageIsFramed looks at pages of every kind, for people who are signed in
// and who are not, at errors and at redirects: none may be put into a frame.
func TestNoPageIsFramed(t *testing.T) {
	s := newSite(t)
	paths := []string{
		"/start", "/signin", "/signin/out", "/signin/none", "/device", "/authorize/consent?request=x", "/account", "/account/password",
		"/account/devices", "/account/devices/register", "/account/devices/register/app", "/account/sessions", "/account/verify",
		"/link/none", "/root", "/root/link/none",
	}
	look := func(b *browser, who string) {
		t.Helper()
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		for _, path := range paths {
			b.get(path)
			if b.status == http.StatusNotFound && b.header.Get("Content-Security-Policy") == "" {
				continue // not an address of these pages
			}
			if b.header.Get("X-Frame-Options") != "DENY" {
				t.Errorf("%s, %s: %d can be framed", who, path, b.status)
			}
			if csp := b.header.Get("Content-Security-Policy"); b.status == http.StatusOK && !strings.Contains(csp, "frame-ancestors 'none'") {
				t.Errorf("%s, %s: %d has the policy %q", who, path, b.status, csp)
			}
		}
	}
	look(s.browser(), "nobody")
	look(s.browser().signIn("/account"), "sam.lee")
}

// TestOversizedForms sends more than forms hold: what is too much is not read,
// and what is too long for its field is refused like anything else that is
// wrong.
func TestOversizedForms(t *testing.T) {
	s := newSite(t)
	long := func(n int) string { return strings.Repeat("ä", n/2) }
	b := s.browser().get("/start")
	b.submit("/signin", "username", long(17<<10))
	if b.status < 400 || b.status >= 500 {
		t.Errorf("a form of 17 KiB: %d", b.status)
	}
	b.get("/start").submit("/signin", "username", long(4<<10))
	if b.status >= 500 {
		t.Errorf("a user name of 4 KiB: %d", b.status)
	}
	b = s.browser().get("/start").submit("/signin", "username", "sam.lee").shows(200, "Password")
	b.submit(b.path+"/password", "password", strings.Repeat("a", 8<<10))
	if b.status != http.StatusUnprocessableEntity {
		t.Errorf("a password of 8 KiB: %d", b.status)
	}
	b = s.browser().signIn("/account")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/account/devices?to="+strings.Repeat("a", 8<<10), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User-Agent", strings.Repeat("x", 8<<10))
	b.do(r)
	b.shows(200)
	b.get("/account/sessions").shows(200)
}
