package pages_test

import (
	"strings"
	"testing"
	"time"
)

// TestRootLooksAfterTheAccount has the root user see and end sessions, choose
// another password and sign out elsewhere, with Identity Center and without.
func TestRootLooksAfterTheAccount(t *testing.T) {
	for name, prepare := range map[string]func(*site){"with Identity Center": func(*site) {}, "without": (*site).disable} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			prepare(s)
			root, other := s.browser(), s.browser()
			secret := root.asRoot()
			signIn := func(b *browser, password string) *browser {
				s.pass(time.Minute)
				b.get("/root/signin").submit("/root/signin", "username", rootEmail)
				b.submit(b.at()+"/password", "password", password)
				return b.submit(b.at()+"/factor", "code", s.code(secret, 0)).shows(200, "Root user")
			}
			signIn(other, chosen)

			root.get("/account").shows(200, "Your account", "Change password", "Where you are signed in")
			root.get("/account/sessions").shows(200, "this browser", "127.0.0.1", "Password and authenticator app", "End session")
			if n := strings.Count(root.page, `name="session"`); n != 2 || strings.Contains(root.page, `name="program"`) {
				t.Fatalf("%d sessions are shown, or programs:\n%s", n, root.page)
			}
			theirs := hidden.FindAllStringSubmatch(root.page, -1)
			var last string
			for _, m := range theirs {
				if m[1] == "session" {
					last = m[2]
				}
			}
			root.submit("/account/sessions/end", "session", last).shows(200, "Where you are signed in")
			if n := strings.Count(root.page, `name="session"`); n != 1 {
				t.Errorf("%d sessions are left", n)
			}
			other.get("/root").shows(200, "Root user sign in")

			signIn(other, chosen)
			root.change("not-mine-1A", another, another).shows(422, "The current password is not correct.")
			root.change(chosen, another, another, "end_others", "yes").shows(200, "Password changed")
			other.get("/root").shows(200, "Root user sign in")
			other.get("/root/signin").submit("/root/signin", "username", rootEmail)
			other.submit(other.at()+"/password", "password", chosen).shows(422, "not correct")
			s.pass(10 * time.Minute) // past the throttling
			signIn(other, another)

			root.get("/account/sessions").submit("/account/sessions/sign-out-others").shows(200, "You are signed out everywhere else.")
			other.get("/root").shows(200, "Root user sign in")
			root.get("/account/sessions").submit("/account/sessions/sign-out-everywhere").shows(200, "You are signed out")
			root.get("/root").shows(200, "Root user sign in")

			trail := s.trail()
			for _, want := range []string{
				`"eventName":"BatchDeleteSession"`, `"eventName":"UpdatePassword"`, `"serviceEventDetails":{"UpdatePassword":"Success"}`,
				`"type":"Root"`, `"recipientAccountId":"` + s.in.OwnerAccountID + `"`,
			} {
				if !strings.Contains(trail, want) {
					t.Errorf("%s is not in the audit trail:\n%s", want, trail)
				}
			}
		})
	}
}
