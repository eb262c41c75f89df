package pages_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/store"
)

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
	attacker.shows(200, "Check your mail")
	b.get(step + "/mail/forgot").submit(step + "/mail/forgot").shows(200)
}

// TestALinkUsedAgainOnPages has somebody who reads along open a link before the
// person uses it, and press its button afterwards. Looking at a link that was
// used tells nobody anything.
func TestALinkUsedAgainOnPages(t *testing.T) {
	s := newMailSite(t)
	u := s.newPerson("new.person", "new@example.com")
	s.update(func(tx *store.Tx) error { return maillink.Invite(tx, s.clock(), s.flow.Mail, u) })
	link := s.letter(mail.Invitation).Path
	thief, b := s.browser().get(link).shows(200, "Welcome"), s.browser().get(link)
	b.submit(link, "password", chosen, "confirm", chosen).shows(200, "Your password is set")
	s.pass(maillink.ReplayGrace)
	s.browser().get(link).shows(410, "used already")
	if all := s.letters(); len(all) != 0 {
		t.Errorf("looking at a link was told: %+v", all)
	}
	thief.submit(link, "password", "Other-kelp-77", "confirm", "Other-kelp-77").shows(410, "used already")
	told := s.letter(mail.LinkReplayed)
	if told.From == "" || told.UserName != "new.person" {
		t.Errorf("told: %+v", told)
	}
	s.browser().get(told.NotMe).shows(200, "This wasn't me").submit(told.NotMe).shows(200)
	s.letter(mail.PasswordReset)
}

// TestExpiredOneTimePasswordOnPages tells who has a one-time password that it
// has expired, and others nothing.
func TestExpiredOneTimePasswordOnPages(t *testing.T) {
	s := newSite(t)
	s.pass(credential.OneTimeLifetime)
	b := s.passwordPage("sam.lee")
	step := b.path
	b.submit(step+"/password", "password", "not-the-Right-1").shows(422, "Your username or password is not correct")
	b.submit(step+"/password", "password", oneTime).shows(422, "This one-time password has expired", "Ask an administrator")
}
