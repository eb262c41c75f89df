package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/signin/pages"
	"github.com/atrium-iam/atrium/internal/store"
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

// TestVerifyingForACommand goes to the page to which a refused command sends
// people, a quarter of an hour after signing in.
func TestVerifyingForACommand(t *testing.T) {
	s := newSite(t)
	b := s.browser().signIn("/account")
	s.pass(signin.StepUpAge)
	b.get(pages.VerifyPath).shows(200, "Verify that it is you")
	b.submit("/account/verify/password", "password", "not-the-Right-1").shows(422)
	b.submit("/account/verify/password", "password", chosen).shows(200, "It is you", "repeat it now with the same credentials")
	if err := s.flow.Fresh(t.Context(), s.sessions()[0]); err != nil {
		t.Error(err)
	}
}

// sessions are the ids of sam.lee's sessions.
func (s *site) sessions() (ids []string) {
	s.t.Helper()
	s.update(func(tx *store.Tx) error {
		live, _, err := session.List(tx, s.clock(), s.in.IdentityStoreID, s.sam.ID, "", 10)
		ids = nil
		for _, one := range live {
			ids = append(ids, one.ID)
		}
		return err
	})
	return ids
}
