package pages_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
)

var shownProgram = regexp.MustCompile(`name="program" value="([^"]*)"`)

// TestProgramsOfASession shows what hangs on each session, and takes the access
// of one program away.
func TestProgramsOfASession(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.signIn("/start")
	login := s.logIn(b)
	s.pass(time.Minute)
	other := s.browser()
	other.with(chosen)
	stays := s.logIn(other)
	s.update(func(tx *store.Tx) error {
		f, _, err := tx.TokenFamily(stays)
		if err != nil {
			return err
		}
		f.Sequence, f.Exchanges = 2, []time.Time{s.clock().Add(10 * time.Minute)}
		return tx.UpdateTokenFamily(f)
	})
	s.pass(time.Hour - time.Minute - time.Second)

	at := func(d time.Duration) string { return s.clock().Add(d).UTC().Format("2006-01-02 15:04 MST") }
	b.get("/account/sessions").shows(200,
		"botocore-client-x", "not verified", "see the AWS accounts and roles", "It holds a refresh token", "Remove access",
		"renewed "+at(-49*time.Minute+time.Second), "Last known use")
	if n := strings.Count(b.page, `name="program"`); n != 2 {
		t.Errorf("%d programs are shown", n)
	}
	if strings.Index(b.page, login) > strings.Index(b.page, stays) {
		t.Error("a program stands under another session than its own")
	}

	// Somebody else's is not theirs to take away.
	strangers := s.strangersLogin()
	b.submit("/account/sessions/remove-access", "program", strangers).shows(200, "Where you are signed in")
	if !s.lives(strangers) {
		t.Error("somebody else's login has ended")
	}

	b.submit("/account/sessions/remove-access", "program", login).shows(200, "Where you are signed in")
	if s.lives(login) || !s.lives(stays) {
		t.Error("not exactly the one login has ended")
	}
	if got := shownProgram.FindAllStringSubmatch(b.page, -1); len(got) != 1 || got[0][1] != stays {
		t.Errorf("the page shows %q", got)
	}
	b.get("/start").shows(200, "Signed in as")
	trail := s.trail()
	for _, want := range []string{`"eventName":"RevokeAuthorization"`, `"eventSource":"sso.amazonaws.com"`, `"clientId":"c1"`} {
		if !strings.Contains(trail, want) {
			t.Errorf("%s is not in the audit trail:\n%s", want, trail)
		}
	}
	if n := strings.Count(trail, "RevokeAuthorization"); n != 1 {
		t.Errorf("recorded %d times", n)
	}
}

// strangersLogin is a login of somebody else.
func (s *site) strangersLogin() string {
	s.t.Helper()
	const id = "00000000000000000000000000000001"
	s.update(func(tx *store.Tx) error {
		u, err := newPerson(tx, s, "jo.doe")
		if err != nil {
			return err
		}
		open, _, err := session.Start(tx, s.clock(), s.flow.IDs, u.StoreID, u.ID, time.Hour, session.Client{})
		if err != nil {
			return err
		}
		return tx.InsertTokenFamily(oauth.Family{
			ID: id, ClientID: "c1", ClientName: "theirs", SessionID: open.ID, StoreID: u.StoreID, UserID: u.ID,
			CreatedAt: s.clock(), ExpiresAt: s.clock().Add(time.Hour), Sequence: 1,
		})
	})
	return id
}

// TestHowSessionsBegan says what was proved to begin each session.
func TestHowSessionsBegan(t *testing.T) {
	s := newSite(t)
	s.settings(func(a *authsettings.Settings) { a.MfaMode, a.NoMfa = authsettings.MfaAlwaysOn, authsettings.NoMfaAllow })
	b := s.browser().signIn("/account/sessions").shows(200, "Password")
	if strings.Contains(b.page, "authenticator") {
		t.Error("a device is named where none was used")
	}
	s.pass(time.Minute)
	b.get("/account/devices/register/app")
	secret := b.found(shownSecret)
	b.submit("/account/devices/register/app", "name", "phone", "first", s.code(secret, -1), "second", s.code(secret, 0)).shows(200, "phone")
	s.pass(time.Minute)
	other := s.browser()
	other.with(chosen).shows(200, "Additional verification required")
	other.submit(other.at()+"/factor", "code", s.code(secret, 0)).shows(200, "AWS access portal")
	other.get("/account/sessions").shows(200, "Password and authenticator app", "MFA confirmed again", "Last known use")
}

// TestOthersAfterADevice offers to end the other sessions after a device was
// added or removed, and ends them.
func TestOthersAfterADevice(t *testing.T) {
	const offer = "Sign out of all other sessions"
	s := newSite(t)
	s.settings(func(a *authsettings.Settings) { a.MfaMode = authsettings.MfaDisabled })
	b := s.browser().signIn("/start")
	other := s.browser()
	other.with(chosen)
	if b.get("/account/devices"); strings.Contains(b.page, offer) {
		t.Error("it is offered before anything was changed")
	}
	b.get("/account/devices/register/app")
	secret := b.found(shownSecret)
	b.submit("/account/devices/register/app", "name", "phone", "first", s.code(secret, -1), "second", s.code(secret, 0)).shows(200, "Your MFA devices were changed", offer)
	b.submit("/account/sessions/sign-out-others").shows(200, "Where you are signed in", "You are signed out everywhere else.")
	other.get("/start").shows(200, "Username")
	b.get("/start").shows(200, "Signed in as")

	other.with(chosen)
	b.get("/account/devices").submit("/account/devices/remove/"+b.found(deviceRemove)).shows(200, "You have not registered any.", offer)
	s.pass(15 * time.Minute)
	b.submit("/account/sessions/sign-out-others").shows(200, "Verify that it is you")
	other.get("/start").shows(200, "Signed in as")
	b.submit("/account/verify/password", "password", chosen).shows(200, "Where you are signed in")
	b.submit("/account/sessions/sign-out-others").shows(200, "You are signed out everywhere else.")
	other.get("/start").shows(200, "Username")
}

// TestOthersAfterADeviceInASignIn offers the same to who registers a device in
// a sign-in while another session is open, and goes on after it.
func TestOthersAfterADeviceInASignIn(t *testing.T) {
	s := newSite(t)
	old := s.browser().signIn("/start")
	s.settings(func(a *authsettings.Settings) {
		a.MfaMode, a.NoMfa = authsettings.MfaAlwaysOn, authsettings.NoMfaEnroll
	})
	b := s.browser()
	b.get("/account/sessions").submit("/signin", "username", "sam.lee")
	b.submit(b.path+"/password", "password", chosen).shows(200, "Register MFA device")
	b.registerApp()
	b.shows(200, "MFA devices", "Your MFA devices were changed", "Sign out of all other sessions", `href="/account/sessions">Continue`)
	b.get("/account/devices?changed&to=https://evil.example").shows(200, `href="/start">Continue`)
	b.submit("/account/sessions/sign-out-others").shows(200, "You are signed out everywhere else.")
	old.get("/start").shows(200, "Username")
}
