package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
)

const another = "Quiet-Harbour-31"

// with signs sam.lee in with a password that needs no replacing.
func (b *browser) with(password string) *browser {
	b.t.Helper()
	b.get("/start").shows(200, "Username").submit("/signin", "username", "sam.lee")
	return b.shows(200, "Password").submit(b.path+"/password", "password", password)
}

// change fills in the form that changes the password.
func (b *browser) change(current, password, confirm string, more ...string) *browser {
	b.t.Helper()
	b.get("/account/password").shows(200, "Change password")
	return b.submit("/account/password", append([]string{"current", current, "password", password, "confirm", confirm}, more...)...)
}

func TestChangePassword(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.signIn("/account").shows(200, "Your account", "Sam Lee", "sam.lee", "Change password", "Where you are signed in")
	for name, tt := range map[string]struct{ current, password, confirm, says string }{
		"a wrong current one":         {"not-mine-1A", another, another, "The current password is not correct."},
		"the one-time password":       {oneTime, another, another, "The current password is not correct."},
		"a wrong one and the current": {"not-mine-1A", chosen, chosen, "The current password is not correct."}, // does not tell that it is
		"two that differ":             {chosen, another, another + "x", "The two passwords are not the same."},
		"too short":                   {chosen, "aB3$", "aB3$", "8 to 64 characters"},
		"one kind of character":       {chosen, "quietharbour", "quietharbour", "an upper-case letter"},
		"too easy":                    {chosen, "Password1!", "Password1!", "too easy to guess"},
		"the same again":              {chosen, chosen, chosen, "one of your last three passwords"},
	} {
		b.change(tt.current, tt.password, tt.confirm).shows(422, tt.says)
		if strings.Contains(b.page, tt.password) || strings.Contains(b.page, tt.current) {
			t.Errorf("%s: the page has a password in it", name)
		}
		s.pass(10 * time.Minute) // past the throttling, which has a test of its own
	}
	b.change(chosen, another, another).shows(200, "Password changed")
	b.get("/start").shows(200, "Signed in as Sam Lee")
	s.browser().with(chosen).shows(422, "not correct")
	s.browser().with(another).shows(200, "Signed in as Sam Lee")
}

// TestChangePasswordEndsWhatIsAsked has a second browser and a program log in,
// and changes the password with and without signing them out.
func TestChangePasswordEndsWhatIsAsked(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.signIn("/start")
	other := s.browser()
	other.with(chosen)
	families := map[*browser]string{}
	for _, at := range []*browser{b, other} {
		families[at] = s.logIn(at)
	}
	b.change(chosen, another, another).shows(200, "Password changed")
	other.get("/start").shows(200, "Signed in as")
	for _, id := range families {
		if !s.lives(id) {
			t.Error("a login ended although nobody asked for that")
		}
	}
	b.change(another, chosen+"2", chosen+"2", "end_others", "yes").shows(200, "Password changed")
	other.get("/start").shows(200, "Username")
	b.get("/start").shows(200, "Signed in as")
	for at, id := range families {
		if s.lives(id) {
			t.Errorf("a login goes on (of this browser: %t)", at == b)
		}
	}
}

// logIn has a program log in through a browser and returns its token family.
func (s *site) logIn(b *browser) string {
	s.t.Helper()
	client := oauth.Client{ID: "c1", Name: "botocore-client-x", Scopes: []string{oauth.ScopeAccountAccess}}
	code := s.newDevice(client.Name, "127.0.0.1")
	b.get("/device?user_code="+code).submit("/device/confirm").submit("/device/allow").shows(200, "Request approved")
	var family string
	s.update(func(tx *store.Tx) error {
		d, _, err := tx.DeviceByUserCode(code)
		if err != nil {
			return err
		}
		family = d.SessionID // one for each will do
		return tx.InsertTokenFamily(oauth.Family{
			ID: family, ClientID: d.ClientID, ClientName: d.ClientName, SessionID: d.SessionID, StoreID: s.in.IdentityStoreID, UserID: s.sam.ID,
			Scopes: client.Scopes, CreatedAt: s.clock(), ExpiresAt: s.clock().Add(time.Hour), Sequence: 1,
		})
	})
	return family
}

func (s *site) lives(family string) (found bool) {
	s.t.Helper()
	s.update(func(tx *store.Tx) (err error) {
		_, found, err = tx.TokenFamily(family)
		return err
	})
	return found
}

// Guesses at the current password count like those at signing in in the same
// browser, and keep nobody out elsewhere.
func TestGuessingAtTheCurrentPasswordIsSlowedDown(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.signIn("/start")
	for range 11 {
		b.change("not-mine-1A", another, another).shows(422, "The current password is not correct.")
	}
	b.change(chosen, another, another).shows(429, "There were too many tries.")
	if b.header.Get("Retry-After") == "" {
		t.Error("it does not say how long to wait")
	}
	s.browser().with(chosen).shows(200, "Signed in as Sam Lee")
	s.pass(5 * time.Minute)
	b.change(chosen, another, another).shows(200, "Password changed")
}

// TestAccountNeedsSignIn opens the pages signed out, and returns to each after
// the sign-in.
func TestAccountNeedsSignIn(t *testing.T) {
	s := newSite(t)
	s.browser().signIn("/start")
	for path, heading := range map[string]string{
		"/account": "Your account", "/account/password": "Change password", "/account/sessions": "Where you are signed in",
	} {
		b := s.browser()
		b.get(path).shows(200, "Username").submit("/signin", "username", "sam.lee")
		b.submit(b.path+"/password", "password", chosen).shows(200, heading)
		if b.path != path {
			t.Errorf("%s leads to %s", path, b.path)
		}
	}
	same := http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {s.url}}
	for _, path := range []string{
		"/account/password", "/account/sessions/end", "/account/sessions/remove-access", "/account/sessions/sign-out-others", "/account/sessions/sign-out-everywhere",
	} {
		b := s.browser()
		b.get("/signin")
		b.post(path, url.Values{"csrf": {formToken.FindStringSubmatch(b.page)[1]}}, same)
		b.shows(200, "Username")
	}
}

func TestSessionsOfAPerson(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.signIn("/start")
	s.pass(time.Minute)
	other := s.browser()
	other.with(chosen)
	login := s.logIn(other)

	b.get("/account/sessions").shows(200, "Where you are signed in", "this browser", "127.0.0.1", "End session", "Sign out everywhere")
	ids := hidden.FindAllStringSubmatch(b.page, -1)
	var sessions []string
	for _, m := range ids {
		if m[1] == "session" {
			sessions = append(sessions, m[2])
		}
	}
	if len(sessions) != 2 || strings.Index(b.page, "this browser") > strings.Index(b.page, sessions[1]) {
		t.Fatalf("the page lists %q, or not this browser first", sessions)
	}

	// Somebody else's session is not theirs to end.
	var strangers string
	s.update(func(tx *store.Tx) error {
		u, err := newPerson(tx, s, "jo.doe")
		if err != nil {
			return err
		}
		stranger, _, err := session.Start(tx, s.clock(), s.flow.IDs, u.StoreID, u.ID, time.Hour, session.Client{})
		strangers = stranger.ID
		return err
	})
	b.submit("/account/sessions/end", "session", strangers).shows(200, "Where you are signed in")
	s.update(func(tx *store.Tx) error {
		if _, found, err := tx.PortalSession(strangers); err != nil || !found {
			t.Errorf("somebody else's session is there: %t (%v)", found, err)
		}
		return nil
	})

	s.pass(15 * time.Minute)
	b.submit("/account/sessions/end", "session", sessions[1]).shows(200, "Verify that it is you")
	other.get("/start").shows(200, "Signed in as")
	b.submit("/account/verify/password", "password", chosen).shows(200, "Where you are signed in")
	b.submit("/account/sessions/end", "session", sessions[1]).shows(200, "Where you are signed in")
	other.get("/start").shows(200, "Username")
	if s.lives(login) {
		t.Error("a login goes on without its session")
	}
	b.get("/account/sessions").submit("/account/sessions/end", "session", sessions[1]).shows(200, "Where you are signed in") // once more

	s.pass(15 * time.Minute)
	b.get("/account/sessions").submit("/account/sessions/end", "session", sessions[0]).shows(200, "You are signed out")
	b.get("/start").shows(200, "Username")
}

func TestSignOutEverywhere(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.signIn("/start")
	other := s.browser()
	other.with(chosen)
	login := s.logIn(other)
	s.pass(15 * time.Minute)
	b.get("/account/sessions").submit("/account/sessions/sign-out-everywhere").shows(200, "Verify that it is you")
	b.submit("/account/verify/password", "password", chosen).shows(200, "Where you are signed in")
	b.submit("/account/sessions/sign-out-everywhere").shows(200, "You are signed out")
	for _, at := range []*browser{b, other} {
		at.get("/start").shows(200, "Username")
	}
	if s.lives(login) {
		t.Error("a login goes on")
	}
}

// TestForgedAccountForms sends the account's forms as other sites can.
func TestForgedAccountForms(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.signIn("/account/sessions")
	token := formToken.FindStringSubmatch(b.page)[1]
	same := http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {s.url}}
	cross := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}
	for _, path := range []string{
		"/account/password", "/account/sessions/end", "/account/sessions/remove-access", "/account/sessions/sign-out-others", "/account/sessions/sign-out-everywhere",
	} {
		fields := func(token string) url.Values {
			return url.Values{"csrf": {token}, "current": {chosen}, "password": {another}, "confirm": {another}}
		}
		for name, c := range map[string]struct {
			token  string
			header http.Header
		}{"another site": {token, cross}, "no token": {"", same}, "a wrong token": {token[1:] + "A", same}} {
			b.post(path, fields(c.token), c.header)
			if shown := strings.HasSuffix(b.path, "?repeat=yes") && b.status == http.StatusOK; b.status != http.StatusForbidden && !(shown && c.token != token) {
				t.Errorf("%s, %s: status %d, %s", path, name, b.status, b.path)
			}
		}
		b.get(path + "?csrf=" + token + "&session=x")
	}
	b.get("/start").shows(200, "Signed in as")
	s.browser().with(chosen).shows(200, "Signed in as")
}

// TestAccountInTheTrail holds what is recorded of the account's pages.
func TestAccountInTheTrail(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.signIn("/start")
	b.change("not-mine-1A", another, another).shows(422)
	b.change(chosen, another, another, "end_others", "yes").shows(200)
	b.get("/account/sessions").submit("/account/sessions/sign-out-everywhere")
	all := s.trail()
	for _, want := range []string{
		`"eventName":"UpdatePassword"`, `"serviceEventDetails":{"UpdatePassword":"Failure"}`, `"serviceEventDetails":{"UpdatePassword":"Success"}`,
		`"endOtherSessions":true`, `"eventName":"BatchDeleteSession"`, `"allSessions":true`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not in the audit trail:\n%s", want, all)
		}
	}
	for _, secret := range []string{oneTime, chosen, another, "not-mine-1A", "sam.lee"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is in the audit trail", secret)
		}
	}
}

// Who has a second factor proves it before the password is changed, and not
// longer ago than a quarter of an hour.
func TestChangePasswordAsksForTheSecondFactor(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.signIn("/start")
	b.get("/account/password").shows(200, "Change password")
	form := url.Values{
		"csrf": {formToken.FindStringSubmatch(b.page)[1]}, "current": {chosen}, "password": {another}, "confirm": {another},
	}
	same := http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {s.url}}
	s.update(func(tx *store.Tx) error {
		return tx.InsertMfaDevice(mfa.Record{Device: mfa.Device{
			StoreID: s.in.IdentityStoreID, UserID: s.sam.ID, ID: "11111111-2222-4333-8444-555555555555", Name: "phone",
			Type: authsettings.Totp, CreatedAt: s.clock(), Version: 1,
		}, Handle: "phone", Secret: []byte("sealed")})
	})
	verified := func(ago time.Duration) {
		s.update(func(tx *store.Tx) error {
			all, err := tx.PortalSessionsOfUser(s.in.IdentityStoreID, s.sam.ID, "", 10)
			for _, one := range all {
				if err := session.Strengthen(tx, s.clock().Add(-ago), one.ID); err != nil {
					return err
				}
			}
			return err
		})
	}
	for _, ago := range []time.Duration{24 * time.Hour, 15 * time.Minute} {
		verified(ago)
		if b.get("/account/password"); !strings.HasPrefix(b.path, "/account/verify?to=%2Faccount%2Fpassword") {
			t.Errorf("%v ago: the form is at %s", ago, b.path)
		}
		if b.post("/account/password", form, same); !strings.HasPrefix(b.path, "/account/verify") {
			t.Errorf("%v ago: the form leads to %s", ago, b.path)
		}
	}
	verified(14 * time.Minute)
	b.post("/account/password", form, same)
	b.shows(200, "Password changed")
}
