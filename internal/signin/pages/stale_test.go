package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
)

const repeats = "Do it once more."

// endAll ends the sessions of sam.lee.
func (s *site) endAll() {
	s.t.Helper()
	s.update(func(tx *store.Tx) error {
		_, err := session.EndAll(tx, s.in.IdentityStoreID, s.sam.ID)
		return err
	})
}

// state is what forms could change of sam.lee.
func (s *site) state() (all []any) {
	s.t.Helper()
	s.update(func(tx *store.Tx) error {
		all = nil
		p, _, err := tx.PasswordOf(s.in.IdentityStoreID, s.sam.ID)
		if err != nil {
			return err
		}
		devices, err := tx.MfaDevices(s.in.IdentityStoreID, s.sam.ID)
		if err != nil {
			return err
		}
		held, err := tx.PortalSessionsOfUser(s.in.IdentityStoreID, s.sam.ID, "", 100)
		all = []any{p.Hash, p.Version, devices, held}
		return err
	})
	return all
}

// TestFormsOfAnEndedSession sends every form that stood open when the session
// ended: nothing is changed, and after signing in the form is there again.
func TestFormsOfAnEndedSession(t *testing.T) {
	s := newSite(t)
	s.settings(func(a *authsettings.Settings) { a.MfaMode = authsettings.MfaDisabled })
	code := s.newDevice("botocore-client-x", "127.0.0.1")
	b := s.browser().signIn("/account/devices/register/app")
	secret := b.found(shownSecret)
	b.submit("/account/devices/register/app", "name", "phone", "first", s.code(secret, -1), "second", s.code(secret, 0)).shows(200, "phone")
	id := b.found(deviceRemove)
	verify := func() {
		if b.at() == "/account/verify" {
			s.pass(time.Minute) // for another code
			b.submit("/account/verify/factor", "code", s.code(secret, 0))
		}
	}
	for _, tc := range []struct {
		page, form string
		fields     []string
		heading    string
		at         string
	}{
		{"/account/password", "/account/password", []string{"current", chosen, "password", another, "confirm", another}, "Change password", "/account/password?repeat=yes"},
		{"/account/devices", "/account/devices/rename/" + id, []string{"name", "other"}, "MFA devices", "/account/devices?repeat=rename-" + id},
		{"/account/devices", "/account/devices/remove/" + id, nil, "MFA devices", "/account/devices?repeat=remove-" + id},
		{"/account/devices/register/app", "/account/devices/register/app", []string{"name", "x", "first", "1", "second", "2"}, "Set up the authenticator app", "/account/devices/register/app?repeat=yes"},
		{"/account/sessions", "/account/sessions/sign-out-everywhere", nil, "Where you are signed in", "/account/sessions?repeat=yes"},
		{"/device?user_code=" + code, "/device/confirm", nil, "Authorization requested", "/device?user_code=" + code},
		{"/device?user_code=" + code, "/device/deny", nil, "Authorization requested", "/device?user_code=" + code},
	} {
		b.get(tc.page)
		verify()
		page := *b
		s.endAll()
		before := s.state()
		b.page = page.page
		b.submit(tc.form, tc.fields...).shows(200, "Username")
		if diff := cmp.Diff(before, s.state()); diff != "" || s.device(code).Status != oauth.Pending {
			t.Errorf("%s has changed something (-before +after):\n%s", tc.form, diff)
		}
		b.submit("/signin", "username", "sam.lee")
		b.submit(b.path+"/password", "password", chosen)
		verify()
		b.shows(200, tc.heading)
		if b.path != tc.at {
			t.Errorf("%s led to %s, want %s", tc.form, b.path, tc.at)
		}
		if strings.HasPrefix(tc.at, "/account") {
			b.shows(200, repeats)
		}
	}
	b.get("/start").shows(200)
	s.endAll()
	b.submit("/signin/out").shows(200, "You are signed out")
}

// TestTwoTabs signs in in two tabs, which both wait for the password.
func TestTwoTabs(t *testing.T) {
	s := newSite(t)
	b := s.browser().signIn("/start")
	b.submit("/signin/out")
	b.get("/account/sessions").submit("/signin", "username", "sam.lee")
	first := *b
	b.get("/account/password").shows(200, "Username")
	name := *b
	b.submit("/signin", "username", "sam.lee").shows(200, "Password")
	second := *b

	first.submit(first.path+"/password", "password", chosen).shows(200, "Where you are signed in")
	before := s.state()
	second.submit(second.path+"/password", "password", chosen).shows(200, "Change password")
	name.submit("/signin", "username", "sam.lee").shows(200, "Change password")
	if diff := cmp.Diff(before, s.state()); diff != "" {
		t.Errorf("the other tab has changed something (-before +after):\n%s", diff)
	}

	// A form of the session before leads to where one is.
	old := *first.get("/account/password")
	first.submit("/signin/out")
	first.get("/start").submit("/signin", "username", "sam.lee")
	first.submit(first.path+"/password", "password", chosen).shows(200)
	before = s.state()
	old.submit("/account/password", "current", chosen, "password", another, "confirm", another).shows(200, "Change password", repeats)
	if diff := cmp.Diff(before, s.state()); diff != "" {
		t.Errorf("a form of the session before has changed something (-before +after):\n%s", diff)
	}
}

// TestFormsWithoutCookies sends forms in a browser that keeps no cookies, and
// one whose cookie is none of ours.
func TestFormsWithoutCookies(t *testing.T) {
	s := newSite(t)
	b := s.browser().get("/signin")
	b.client.Jar = nil
	b.submit("/signin", "username", "sam.lee").shows(403, "Cookies have to be allowed")
	same := http.Header{"Sec-Fetch-Site": {"same-origin"}, "Cookie": {"atrium_" + installation + "_browser=x"}}
	b.post("/signin", url.Values{"username": {"sam.lee"}}, same)
	b.shows(403, "Cookies have to be allowed")
}

func TestTooLargeAForm(t *testing.T) {
	s := newSite(t)
	b := s.browser().get("/start").submit("/signin", "username", "sam.lee")
	b.submit(b.path+"/password", "password", strings.Repeat("a", 20_000)).shows(413, "too much at once", "make it shorter")
}

// TestStepUpKeepsWhatWasAsked proves who one is in the middle of every kind of
// change: nothing is changed, and the form is there again.
func TestStepUpKeepsWhatWasAsked(t *testing.T) {
	s := newSite(t)
	s.settings(func(a *authsettings.Settings) { a.MfaMode = authsettings.MfaDisabled })
	b := s.browser().signIn("/account/devices/register/app")
	secret := b.found(shownSecret)
	b.submit("/account/devices/register/app", "name", "phone", "first", s.code(secret, -1), "second", s.code(secret, 0)).shows(200, "phone")
	id := b.found(deviceRemove)
	for _, tc := range []struct {
		page, form string
		fields     []string
		at         string
	}{
		{"/account/password", "/account/password", []string{"current", chosen, "password", another, "confirm", another}, "/account/password?repeat=yes"},
		{"/account/devices", "/account/devices/rename/" + id, []string{"name", "other"}, "/account/devices?repeat=rename-" + id},
		{"/account/devices", "/account/devices/remove/" + id, nil, "/account/devices?repeat=remove-" + id},
		{"/account/sessions", "/account/sessions/sign-out-everywhere", nil, "/account/sessions?repeat=yes"},
		{"/account/devices?changed", "/account/sessions/sign-out-others", nil, "/account/sessions?repeat=yes"},
	} {
		b.get(tc.page).shows(200)
		s.pass(signin.StepUpAge)
		b.submit(tc.form, tc.fields...).shows(200, "Verify that it is you")
		before := s.state()
		b.submit("/account/verify/factor", "code", s.code(secret, 0)).shows(200, repeats)
		if b.path != tc.at {
			t.Errorf("%s led to %s, want %s", tc.form, b.path, tc.at)
		}
		after := s.state()
		if diff := cmp.Diff(before[:2], after[:2]); diff != "" {
			t.Errorf("%s (-before +after):\n%s", tc.form, diff)
		}
		if strings.Contains(b.path, id) != strings.Contains(b.page, "<details open>") {
			t.Errorf("%s: the form of the device is not as it was", tc.form)
		}
	}
	b.get("/account/devices").shows(200, "phone")
	if b.get("/account/devices?repeat=<script>").shows(200); strings.Contains(b.page, repeats) {
		t.Error("anything asks to repeat it")
	}
}
