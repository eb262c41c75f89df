package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/signin"
)

// sessionCookie is the cookie that proves the browser's session.
func (b *browser) sessionCookie() *http.Cookie {
	b.t.Helper()
	u, err := url.Parse(b.site.url)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(u) {
		if strings.HasSuffix(c.Name, "atrium_"+installation) {
			return c
		}
	}
	b.t.Fatal("the browser has no session")
	return nil
}

// holding is another browser that somebody has given a cookie.
func (s *site) holding(c *http.Cookie) *browser {
	s.t.Helper()
	b := s.browser()
	u, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/"}})
	return b
}

// TestStolenCookiesEnd has somebody copy the cookie of a session: it is worth
// nothing once the person has proved who they are again, nor once the person
// has signed in anew; and forms that were open before go on.
func TestStolenCookiesEnd(t *testing.T) {
	s := newSite(t)
	b := s.browser().get("/start").submit("/signin", "username", "sam.lee").shows(200, "Password")
	begun := b.path // in a tab that stays open
	b.signIn("/account")
	stolen := b.sessionCookie()
	s.holding(stolen).get("/account").shows(200, "Sam Lee")
	s.pass(signin.StepUpAge)
	b.get("/account/devices/register").shows(200, "Password")
	open := *b
	b.submit("/account/verify/password", "password", chosen).shows(200)
	if b.path != "/account/devices/register" {
		t.Errorf("the proof leads to %s", b.path)
	}
	s.holding(stolen).get("/account").shows(200, "Username")
	open.submit("/account/verify/password", "password", chosen).shows(200) // in another tab

	stolen = b.sessionCookie()
	s.holding(stolen).get("/account").shows(200, "Sam Lee")
	b.get(begun).submit(begun+"/password", "password", chosen).get("/account").shows(200, "Sam Lee")
	if b.sessionCookie().Value == stolen.Value {
		t.Error("signing in again keeps the token")
	}
	s.holding(stolen).get("/account").shows(200, "Username")
}
