package pages_test

import (
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/signin"
)

// TestSettingsChangeOnPages changes the rule for people without MFA device
// while somebody is at a step: loading its page again, and sending its form,
// lead to the step that is asked for now, and at last to where the person
// wanted to go.
func TestSettingsChangeOnPages(t *testing.T) {
	s := newMailSite(t)
	rule := func(n authsettings.NoMfa) {
		s.settings(func(a *authsettings.Settings) { a.MfaMode, a.NoMfa = authsettings.MfaAlwaysOn, n })
	}
	rule(authsettings.NoMfaBlock)
	b := s.browser().signIn("/account/sessions").shows(403, "You cannot sign in")
	attempt := b.path
	rule(authsettings.NoMfaEmail)
	b.get(attempt).shows(200, "Verification code")
	b.submit(attempt+"/emailed/again").shows(200, "Verification code", `role="status">A new code is on its way.`)
	rule(authsettings.NoMfaEnroll)
	b.submit(attempt+"/emailed", "code", "12345678").shows(200, "Register MFA device")
	b.get(attempt+"/register/app").shows(200, "Set up the authenticator app")
	rule(authsettings.NoMfaBlock)
	b.submit(attempt+"/register/app", "name", "x", "first", "1", "second", "2").shows(403, "You cannot sign in")
	rule(authsettings.NoMfaEnroll)
	b.get(attempt).shows(200, "Register MFA device")
	rule(authsettings.NoMfaAllow)
	if b.get(attempt+"/register/app").shows(200, "Where you are signed in"); b.path != "/account/sessions" {
		t.Errorf("signed in at %s", b.path)
	}
}

// TestAStepTwice sends the form of a step that another tab has taken already.
func TestAStepTwice(t *testing.T) {
	s := newSite(t)
	b := s.browser().get("/account/sessions").submit("/signin", "username", "sam.lee")
	attempt, first := b.path, *b
	b.submit(attempt+"/password", "password", oneTime).shows(200, "New password")
	second := *b
	first.submit(attempt+"/password", "password", oneTime).shows(200, "New password")
	first.get(attempt+"/mail/forgot").shows(200, "New password")
	b.submit(attempt+"/new-password", "password", chosen, "confirm", chosen).shows(200, "Where you are signed in")
	second.submit(attempt+"/new-password", "password", chosen, "confirm", chosen).shows(200, "Signed in as Sam Lee")
}

// TestExpiredGoesOn starts again after a sign-in took too long: to where the
// person wanted to go, in the browser that began it, and in no other.
func TestExpiredGoesOn(t *testing.T) {
	s := newSite(t)
	code := s.newDevice("botocore-client-x", "127.0.0.1")
	b := s.browser().get("/device?user_code="+code).submit("/signin", "username", "sam.lee").shows(200, "Password")
	attempt, other := b.path, s.browser().get("/signin")
	s.pass(signin.AttemptLifetime)
	b.submit(attempt+"/password", "password", oneTime).shows(410, "expired")
	if got := b.found(shownButton); !strings.Contains(got, code) {
		t.Errorf("Start again leads to %s", got)
	}
	b.get(b.found(shownButton)).shows(200, "Username")
	other.get(attempt).shows(410, "expired")
	if strings.Contains(other.page, code) {
		t.Error("another browser learns where the sign-in was to lead")
	}
}
