package pages_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/signin/pages"
	"github.com/atrium-iam/atrium/internal/store"
)

func TestDevice(t *testing.T) {
	s := newSite(t)
	code := s.newDevice(`botocore<script>alert(1)</script>`, "127.0.0.1")
	b := s.browser()
	b.signIn("/device?user_code="+url.QueryEscape(code)).
		shows(200, "Authorization requested", code, "Confirm and continue", "not verified", "127.0.0.1, your own address")
	if d := s.device(code); d.Status != oauth.Pending {
		t.Fatalf("looking at a request made it %s", d.Status)
	}
	b.submit("/device/confirm").shows(200, "Allow botocore<script>alert(1)</script> to access your data?", "Allow access", "AWS accounts and roles", "sam.lee")
	b.submit("/device/allow").shows(200, "Request approved")
	d := s.device(code)
	if d.Status != oauth.Approved {
		t.Errorf("the request is %s", d.Status)
	}
	s.update(func(tx *store.Tx) error {
		one, found, err := tx.PortalSession(d.SessionID)
		if !found || one.UserID != s.sam.ID {
			t.Errorf("approved in session %+v", one)
		}
		return err
	})
	b.get("/device?user_code="+code).shows(410, "expired", "answered already")
}

func TestDeviceTypedAndDenied(t *testing.T) {
	s := newSite(t)
	code := s.newDevice("botocore-client-x", "198.51.100.7")
	b := s.browser()
	b.signIn("/device").shows(200, "Authorize a device", "Code")
	b.submit("/device", "user_code", "BBBB-BBBB").shows(422, "not known")
	b.submit("/device", "user_code", strings.ToLower(strings.ReplaceAll(code, "-", " "))).
		shows(200, code, "198.51.100.7, not your own address (127.0.0.1)")
	b.submit("/device/deny").shows(200, "Request denied", "tell your administrator")
	if d := s.device(code); d.Status != oauth.Denied {
		t.Errorf("the request is %s", d.Status)
	}
}

func TestDeviceExpires(t *testing.T) {
	s := newSite(t)
	code := s.newDevice("botocore-client-x", "127.0.0.1")
	b := s.browser()
	b.signIn("/device?user_code="+code).submit("/device/confirm").shows(200, "Allow access")
	s.pass(oauth.DeviceLifetime)
	b.submit("/device/allow").shows(410, "expired")
	if d := s.device(code); d.Status != oauth.Pending {
		t.Errorf("the expired request is %s", d.Status)
	}
}

func TestGuessingCodesIsSlowedDown(t *testing.T) {
	s := newSite(t)
	code := s.newDevice("botocore-client-x", "127.0.0.1")
	b := s.browser()
	b.signIn("/device")
	for range 20 { // right ones cost nothing
		b.get("/device?user_code="+code).shows(200, code)
	}
	for range 11 {
		b.get("/device?user_code=BBBB-BBBB").shows(422, "not known")
	}
	b.get("/device?user_code="+code).shows(429, "Too many tries")
}

// newAuthorization is the address of the consent page of a request.
func (s *site) newAuthorization(redirect string) string {
	s.t.Helper()
	id, err := oauth.BeginAuthorization(s.keys, s.clock(), oauth.Client{
		ID: "c1", Name: "botocore-client-x", Scopes: []string{"sso:account:access"}, GrantTypes: []string{oauth.GrantAuthorizationCode}, RedirectURIs: []string{redirect},
	}, s.in.IdentityStoreID, oauth.NewAuthorization{
		ResponseType: "code", RedirectURI: redirect, State: "the state", Challenge: strings.Repeat("A", 43), Method: "S256",
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return pages.ConsentPath + "?request=" + id
}

func TestConsent(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	address := s.newAuthorization("http://127.0.0.1:5050/oauth/callback")
	b.signIn(address).shows(200, "Allow botocore-client-x to access your data?", "127.0.0.1:5050, on the machine that this browser runs on", "not verified")
	if csp := b.header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' http://127.0.0.1:5050;") {
		t.Errorf("the policy %q does not let the answer go where it must", csp)
	}
	b.submit("/authorize/allow")
	u, err := url.Parse(b.leads)
	if err != nil || u.Host != "127.0.0.1:5050" || u.Path != "/oauth/callback" || u.Query().Get("state") != "the state" || u.Query().Get("code") == "" {
		t.Errorf("allowed: the browser goes to %q", b.leads)
	}
	b.get(address).submit("/authorize/deny")
	u, err = url.Parse(b.leads)
	if err != nil || u.Host != "127.0.0.1:5050" || u.Query().Get("error") != "access_denied" {
		t.Errorf("denied: the browser goes to %q", b.leads)
	}
	b.get(s.newAuthorization("http://[::1]:5050/cb"))
	if csp := b.header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' http:;") {
		t.Errorf("the policy %q does not let the answer go to an IPv6 address", csp)
	}
	s.pass(oauth.RequestLifetime)
	b.get(address).shows(410, "expired")
	b.get(pages.ConsentPath+"?request=forged").shows(410, "expired")
}

func TestAudit(t *testing.T) {
	s := newSite(t)
	code := s.newDevice("botocore-client-x", "127.0.0.1")
	b := s.browser()
	b.signIn("/device?user_code=" + code).submit("/device/confirm").submit("/device/allow")
	b.get(s.newAuthorization("http://127.0.0.1:5050/cb")).submit("/authorize/allow")
	answer := b.leads
	b.get("/start").submit("/signin/out").shows(200, "You are signed out")
	all := s.trail()
	for _, want := range []string{`"eventName":"ApproveDeviceAuthorization"`, `"eventName":"ApproveAuthorization"`, `"eventName":"Logout"`, s.sam.ID} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not in the audit trail:\n%s", want, all)
		}
	}
	u, err := url.Parse(answer)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{code, u.Query().Get("code"), oneTime, chosen, "sam.lee"} {
		if secret == "" || strings.Contains(all, secret) {
			t.Errorf("%q is in the audit trail", secret)
		}
	}
}

// Whoever finds somebody else signed in can see that and sign out, wherever an
// application has sent them.
func TestEveryPageTellsWhoIsSignedIn(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.signIn("/start")
	for _, path := range []string{
		"/start", "/device", "/device?user_code=" + s.newDevice("botocore-client-x", "198.51.100.7"),
		s.newAuthorization("http://127.0.0.1:5050/cb"), "/device/done", "/nothing/here",
	} {
		b.get(path)
		for _, want := range []string{"Signed in as Sam Lee", `action="/signin/out"`} {
			if !strings.Contains(b.page, want) {
				t.Errorf("%s does not have %s", path, want)
			}
		}
	}
	b.submit("/signin/out").shows(200, "You are signed out")
	if strings.Contains(b.page, "Signed in as") {
		t.Error("who has signed out is still called signed in")
	}
}

// TestStartWithASlash: people and guides write the start URL both ways.
func TestStartWithASlash(t *testing.T) {
	s := newSite(t)
	s.browser().signIn("/start/").shows(200, "AWS access portal", "Signed in as")
}
