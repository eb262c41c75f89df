package pages_test

import "testing"

// TestAKnownBrowserAsksForLetters has others in the same network ask for letters
// to sam.lee until it is too often, and sam.lee then ask in a browser in which
// sam.lee has signed in before.
func TestAKnownBrowserAsksForLetters(t *testing.T) {
	s := newMailSite(t)
	b := s.browser().signIn("/account")
	b.get("/account/sessions").submit("/account/sessions/sign-out-everywhere").shows(200, "You are signed out")
	b.get("/start").submit("/signin", "username", "sam.lee").shows(200, "Password")
	step := b.path
	attacker := s.passwordPage("sam.lee")
	theirs := attacker.path
	for range 5 {
		attacker.get(theirs + "/mail/forgot").submit(theirs + "/mail/forgot")
	}
	attacker.shows(429)
	b.get(step + "/mail/forgot").submit(step + "/mail/forgot").shows(200)
}
