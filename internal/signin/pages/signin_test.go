package pages_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
)

func TestFirstSignIn(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.get("/").shows(200, "Username", "Next")
	b.submit("/signin", "username", " Sam.Lee ").shows(200, "Password", "Sign in", "Forgot password", "Sam.Lee")
	step := b.path
	b.submit(step+"/password", "password", "wrong").shows(422, "Your username or password is not correct.")
	b.submit(step+"/password", "password", oneTime).shows(200, "New password", "Confirm password", "Set new password")
	b.submit(step+"/new-password", "password", chosen, "confirm", "x"+chosen).shows(422, "not the same")
	b.submit(step+"/new-password", "password", "Password1!", "confirm", "Password1!").shows(422, "too easy to guess")
	b.submit(step+"/new-password", "password", chosen, "confirm", chosen).shows(200, "AWS access portal", "Signed in as Sam Lee", "No accounts yet")
	if b.path != "/start" {
		t.Errorf("signed in at %s", b.path)
	}
	b.get(step).shows(200, "Signed in as Sam Lee")   // as the browser's back button does
	b.get("/signin").shows(200, "AWS access portal") // no need to sign in twice
	b.get("/start").submit("/signin/out").shows(200, "You are signed out")
	b.get("/start").shows(200, "Username")
}

func TestPasswordsAreNeverShown(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.get("/start").submit("/signin", "username", "sam.lee")
	b.submit(b.path+"/password", "password", "My-wrong-1-word")
	if strings.Contains(b.page, "My-wrong-1-word") {
		t.Error("a wrong password is shown again")
	}
}

func TestUnknownUserSeesTheSame(t *testing.T) {
	s := newSite(t)
	see := func(name string) (pages []string) {
		b := s.browser()
		b.get("/start").submit("/signin", "username", name)
		varying := regexp.MustCompile(`[A-Za-z0-9_-]{22,}|nonce="[^"]*"|` + regexp.QuoteMeta(name))
		pages = append(pages, varying.ReplaceAllString(b.page, "…"))
		b.submit(b.path+"/password", "password", "wrong")
		return append(pages, varying.ReplaceAllString(b.page, "…"))
	}
	known, unknown := see("sam.lee"), see("nobody")
	for i := range known {
		if known[i] != unknown[i] {
			t.Errorf("page %d tells a person from nobody:\n%s\n%s", i, known[i], unknown[i])
		}
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.get("/start").submit("/signin", "username", "sam.lee")
	step := b.path
	for range 6 {
		b.submit(step+"/password", "password", "wrong").shows(422)
	}
	b.submit(step+"/password", "password", oneTime).shows(429, "too many tries", "Wait 2 seconds")
	if got := b.header.Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After is %q", got)
	}
	s.pass(2 * time.Second)
	b.submit(step+"/password", "password", oneTime).shows(200, "New password")
}

// TestAttemptBelongsToItsBrowser opens an attempt in another browser.
func TestAttemptBelongsToItsBrowser(t *testing.T) {
	s := newSite(t)
	victim, thief := s.browser(), s.browser()
	victim.get("/start").submit("/signin", "username", "sam.lee")
	thief.get("/start")
	thief.get(victim.path).shows(410, "expired")
	victim.submit(victim.path+"/password", "password", oneTime).shows(200, "New password")
	thief.get(victim.path).shows(410, "expired")
}

func TestEndedSessions(t *testing.T) {
	ends := map[string]func(s *site){
		"expired": func(s *site) { s.pass(session.DefaultDuration) },
		"disabled": func(s *site) {
			s.update(func(tx *store.Tx) error {
				_, _, err := directory.DisableUser(tx, directory.Stamp{At: s.clock(), By: "test"}, s.in.IdentityStoreID, s.sam.ID)
				return err
			})
		},
		"ended": func(s *site) {
			s.update(func(tx *store.Tx) error {
				_, err := session.EndAll(tx, s.in.IdentityStoreID, s.sam.ID)
				return err
			})
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser()
			b.signIn("/start").shows(200, "Signed in")
			end(s)
			b.get("/start").shows(200, "Username")
		})
	}
}

func TestSigningOutEndsTheSessionItself(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.signIn("/start")
	site, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	kept := b.client.Jar.Cookies(site)
	b.submit("/signin/out").shows(200, "You are signed out")
	b.client.Jar.SetCookies(site, kept)
	b.get("/start").shows(200, "Username")
}

func TestNoOpenRedirect(t *testing.T) {
	s := newSite(t)
	for _, to := range []string{
		"https://evil.example/", "//evil.example/", `/\evil.example`, "/device@evil.example", "javascript:alert(1)",
		"/start/../../evil", "/signin/out", "http://" + "localhost" + "/start", "/device\r\nX: y", " /device", "/%2f/evil.example", "",
		"/authorize/consent?request=%0d%0a", "/authorize/consent",
	} {
		b := s.browser()
		b.get("/signin?to="+url.QueryEscape(to)).shows(200, "Username")
		b.submit("/signin", "username", "sam.lee", "to", to)
		b.submit(b.path+"/password", "password", oneTime)
		if strings.Contains(b.page, "New password") {
			b.submit(b.path+"/new-password", "password", chosen, "confirm", chosen)
			s.update(func(tx *store.Tx) error { // for the next round
				p, _, err := tx.PasswordOf(s.in.IdentityStoreID, s.sam.ID)
				if err != nil {
					return err
				}
				hash, err := s.flow.Hasher.Hash(t.Context(), oneTime)
				if err != nil {
					return err
				}
				return credential.Replace(tx, s.clock(), p, hash)
			})
		}
		if b.leads != "" || b.path != "/start" {
			t.Errorf("to=%q leads to %s%s", to, b.path, b.leads)
		}
	}
}
