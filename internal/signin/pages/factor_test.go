package pages_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/hotp"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
)

func newFactors(t *testing.T, ids ident.Source) *mfa.Factors {
	t.Helper()
	f, err := mfa.New(mfa.Options{
		URL: &url.URL{Scheme: "http", Host: "localhost:8484"}, Name: "Atrium", Seeds: plainKey{}, Cookies: plainKey{}, IDs: ids,
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (s *site) settings(edit func(*authsettings.Settings)) {
	s.t.Helper()
	s.update(func(tx *store.Tx) error {
		_, err := authsettings.Change(tx, s.in.IdentityStoreID, edit)
		return err
	})
}

// code is what an app with a secret shows, some steps from now.
func (s *site) code(secret string, steps int64) string {
	s.t.Helper()
	code, err := hotp.GenerateCode(strings.ReplaceAll(secret, " ", ""), uint64(s.clock().Unix()/30+steps))
	if err != nil {
		s.t.Fatal(err)
	}
	return code
}

var (
	shownSecret  = regexp.MustCompile(`<code>([A-Z2-7 ]+)</code>`)
	shownOptions = regexp.MustCompile(`data-options="([^"]*)"`)
	deviceRemove = regexp.MustCompile(`action="/account/devices/remove/([^"]+)"`)
)

// found is what a pattern finds in the page.
func (b *browser) found(pattern *regexp.Regexp) string {
	b.t.Helper()
	m := pattern.FindStringSubmatch(b.page)
	if m == nil {
		b.t.Fatalf("%s: nothing is %s:\n%s", b.path, pattern, b.page)
	}
	return html.UnescapeString(m[1])
}

// path of the page without its query.
func (b *browser) at() string { path, _, _ := strings.Cut(b.path, "?"); return path }

// again signs sam.lee in once more, in the same browser, up to the password.
func (b *browser) again() *browser {
	b.t.Helper()
	b.get("/start").submit("/signin/out")
	b.get("/start").submit("/signin", "username", "sam.lee")
	return b.submit(b.path+"/password", "password", chosen)
}

// registerApp registers an authenticator app in the browser's sign-in.
func (b *browser) registerApp() (secret string) {
	b.t.Helper()
	attempt := b.at()
	b.get(attempt+"/register/app").shows(200, "Set up the authenticator app")
	secret = b.found(shownSecret)
	b.submit(attempt+"/register/app", "name", "phone", "first", b.site.code(secret, -1), "second", b.site.code(secret, 0))
	b.site.pass(time.Minute)
	return secret
}

func TestAnAppOnPages(t *testing.T) {
	s := newSite(t)
	s.settings(func(a *authsettings.Settings) {
		a.MfaMode, a.NoMfa = authsettings.MfaContextAware, authsettings.NoMfaEnroll
	})
	b := s.browser().signIn("/start")
	b.shows(200, "Register MFA device", "Authenticator app", "Security key")
	attempt := b.at()
	b.get(attempt + "/register/app")
	secret := b.found(shownSecret)
	b.submit(attempt+"/register/app", "name", "phone", "first", "1", "second", "2").shows(422, "not two codes in a row", secret)
	b.submit(attempt+"/register/app", "name", "", "first", s.code(secret, -1), "second", s.code(secret, 0)).shows(422, "Give the device a name")
	b.submit(attempt+"/register/app", "name", "phone", "first", s.code(secret, -1), "second", s.code(secret, 0)).shows(200, "AWS access portal")

	b.again().shows(200, "Additional verification required", "phone", "This is a trusted device")
	if strings.Contains(b.page, secret) || strings.Contains(b.get("/account/devices").page, secret) {
		t.Error("a secret is shown after its registration")
	}
	b.get(b.signInPath())
	b.submit(b.at()+"/factor", "code", s.code(secret, 0)).shows(422, "not correct, or was used already")
	s.pass(time.Minute)
	b.submit(b.at(), "code", s.code(secret, 0), "trust", "yes").shows(200, "AWS access portal")
	var trusted *http.Cookie
	for _, c := range b.client.Jar.Cookies(mustParse(t, s.url)) {
		if strings.HasSuffix(c.Name, "_trusted") {
			trusted = c
		}
	}
	if trusted == nil || strings.Contains(trusted.Value, s.sam.ID) {
		t.Errorf("the cookie %+v", trusted)
	}
	b.again().shows(200, "AWS access portal")
}

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// signInPath is the page of the sign-in that the browser has under way.
func (b *browser) signInPath() string {
	b.t.Helper()
	b.get("/start").submit("/signin", "username", "sam.lee")
	b.submit(b.path+"/password", "password", chosen)
	return b.at()
}

func TestAKeyOnPages(t *testing.T) {
	s := newSite(t)
	s.settings(func(a *authsettings.Settings) {
		a.MfaMode, a.NoMfa = authsettings.MfaAlwaysOn, authsettings.NoMfaEnroll
	})
	place := virtualwebauthn.RelyingParty{ID: "localhost", Name: "Atrium", Origin: "http://localhost:8484"}
	authenticator, credential := virtualwebauthn.NewAuthenticator(), virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for len(credential.Key.AttestationData()) != 77 { // the library leaves leading zeros of coordinates out
		credential = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	b := s.browser().signIn("/start")
	path := b.at() + "/register/key"
	b.get(path).shows(200, "Register a security key")
	b.submit(path, "name", "key", "credential", "{}").shows(422, "This device could not be registered")
	made, err := virtualwebauthn.ParseAttestationOptions(b.found(shownOptions))
	if err != nil {
		t.Fatal(err)
	}
	b.submit(path, "name", "key", "credential", virtualwebauthn.CreateAttestationResponse(place, authenticator, credential, *made)).shows(200, "AWS access portal")

	b.again().shows(200, "Additional verification required", "key")
	if strings.Contains(b.page, "This is a trusted device") {
		t.Error("trust is offered where every sign-in is asked")
	}
	asked, err := virtualwebauthn.ParseAssertionOptions(b.found(shownOptions))
	if err != nil {
		t.Fatal(err)
	}
	answer := virtualwebauthn.CreateAssertionResponse(place, authenticator, credential, *asked)
	path = b.at() + "/factor"
	b.submit(path, "credential", `{"id":"x"}`).shows(422, "could not be verified")
	b.submit(path, "credential", answer).shows(422, "could not be verified") // to the challenge before
	if asked, err = virtualwebauthn.ParseAssertionOptions(b.found(shownOptions)); err != nil {
		t.Fatal(err)
	}
	credential.Counter++
	b.submit(path, "credential", virtualwebauthn.CreateAssertionResponse(place, authenticator, credential, *asked)).shows(200, "AWS access portal")
}

func TestBlockedOnPages(t *testing.T) {
	s := newSite(t)
	s.settings(func(a *authsettings.Settings) { a.MfaMode, a.NoMfa = authsettings.MfaAlwaysOn, authsettings.NoMfaBlock })
	b := s.browser().signIn("/start").shows(403, "You cannot sign in", "Ask an administrator of IAM Identity Center for help.")
	if strings.Contains(b.page, "Whom to ask") {
		t.Error("somebody is to be asked whom nobody has named")
	}
	s.settings(func(a *authsettings.Settings) { a.Contact = "help@example.com, room <12>" })
	b.get(b.at()).shows(403, "Whom to ask: help@example.com, room <12>")
	if b.get("/start").shows(200, "Username"); strings.Contains(b.page, "help@example.com") {
		t.Error("who is nobody yet is told")
	}
}

// TestPeopleAreToldWhomToAsk shows the contact wherever a person can only ask.
func TestPeopleAreToldWhomToAsk(t *testing.T) {
	const contact = "Whom to ask: help@example.com"
	s := newSite(t)
	s.settings(func(a *authsettings.Settings) { a.Contact, a.MfaMode = "help@example.com", authsettings.MfaAlwaysOn })
	b := s.browser().signIn("/start").shows(200, "No accounts yet", contact)
	b.get("/account/devices/register/app")
	secret := b.found(shownSecret)
	b.submit("/account/devices/register/app", "name", "phone", "first", s.code(secret, -1), "second", s.code(secret, 0)).shows(200)
	s.settings(func(a *authsettings.Settings) { a.OwnDevices = false })
	b.get("/account/devices").shows(200, "Your administrator looks after MFA devices", contact)
	s.pass(time.Minute)
	other := s.browser()
	other.with(chosen).shows(200, "Lost your MFA device?", contact)
}

// TestStepUpOnPages comes back to what it was asked for.
func TestStepUpOnPages(t *testing.T) {
	s := newSite(t)
	s.settings(func(a *authsettings.Settings) { a.MfaMode = authsettings.MfaDisabled })
	b := s.browser().signIn("/start").shows(200)
	s.pass(signin.StepUpAge)
	b.get("/account/devices").shows(200, "You have not registered any.", "Register device")
	b.get("/account/devices/register/app").shows(200, "Verify that it is you", "Give your password again")
	b.submit("/account/verify/password", "password", "wrong").shows(422, "The password is not correct")
	b.submit("/account/verify/password", "password", chosen).shows(200, "Set up the authenticator app")
	secret := b.found(shownSecret)
	b.submit("/account/devices/register/app", "name", "phone", "first", s.code(secret, -1), "second", s.code(secret, 0)).shows(200, "MFA devices", "phone")
	id := b.found(deviceRemove)

	s.pass(signin.StepUpAge)
	b.get("/account/devices").submit("/account/devices/remove/"+id).shows(200, "Verify that it is you", "phone")
	b.submit("/account/verify/factor", "code", "000000").shows(422, "not correct")
	b.submit("/account/verify/factor", "code", s.code(secret, 0)).shows(200, "MFA devices", "phone")
	b.submit("/account/devices/rename/"+id, "name", "<b>").shows(200, "MFA devices", "<b>")
	if strings.Contains(b.page, "<strong class=\"name\"><b>") {
		t.Error("a name is code")
	}
	b.submit("/account/devices/remove/"+id).shows(200, "You have not registered any.")
	for _, to := range []string{"https://evil.example", "//evil.example", "/signin/out", "/account/devices/remove/" + id} {
		b.get("/account/verify?to="+url.QueryEscape(to)).shows(200, "Verify that it is you")
		b.submit("/account/verify/password", "password", chosen).shows(200, "MFA devices")
	}
}

// TestFactorPagesNeedSomebody visits every address about factors signed out,
// with forms of other sites, and for kinds that are not.
func TestFactorPagesNeedSomebody(t *testing.T) {
	s := newSite(t)
	s.settings(func(a *authsettings.Settings) {
		a.MfaMode, a.NoMfa = authsettings.MfaAlwaysOn, authsettings.NoMfaEnroll
	})
	nobody := s.browser()
	for _, path := range []string{"/account/devices", "/account/devices/register", "/account/devices/register/app", "/account/devices/register/key", "/account/verify"} {
		if nobody.get(path).shows(200, "Username"); nobody.at() != "/signin" {
			t.Errorf("%s led to %s", path, nobody.path)
		}
	}
	sam := s.browser().signIn("/start")
	attempt := sam.at()
	sam.get(attempt + "/register/fax").shows(404)
	posts := []string{
		attempt + "/factor", attempt + "/emailed", attempt + "/emailed/again", attempt + "/register/app", attempt + "/register/key",
		"/account/devices/forget", "/account/verify/factor", "/account/verify/password",
		"/account/devices/register/app", "/account/devices/register/key", "/account/devices/rename/x", "/account/devices/remove/x",
	}
	for _, path := range posts {
		sam.post(path, url.Values{"csrf": {"guess"}}, http.Header{"Sec-Fetch-Site": {"same-origin"}})
		if sam.shows(200); strings.HasPrefix(sam.at(), path) { // back to a page instead
			t.Errorf("%s led to %s", path, sam.path)
		}
		sam.post(path, url.Values{}, http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}})
		sam.shows(403)
	}
	secret := sam.get(attempt).registerApp()
	sam.shows(200, "AWS access portal")
	sam.get("/account/devices/register/fax").shows(404)

	// A sign-in of one browser is nothing to another, whatever step it is at.
	path := sam.again().at()
	thief := s.browser()
	thief.get("/start").shows(200, "Username")
	thief.get(path).shows(410)
	token := thief.get("/signin").found(formToken)
	for _, p := range []string{"/factor", "/emailed", "/emailed/again", "/register/app", "/register/key"} {
		thief.post(path+p, url.Values{"csrf": {token}, "code": {s.code(secret, 0)}}, http.Header{"Sec-Fetch-Site": {"same-origin"}})
		thief.shows(410)
	}
}
