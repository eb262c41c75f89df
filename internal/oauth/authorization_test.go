package oauth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/oauth"
)

func TestCodeFlow(t *testing.T) {
	each(t, func(w *world) {
		c := w.codeClient()
		id, err := oauth.BeginAuthorization(w.keys, w.now, c, w.in.IdentityStoreID, newAuthorization())
		if err != nil {
			t.Fatal(err)
		}
		w.restart()
		seen, err := oauth.AuthorizationByID(w.keys, w.now, id)
		if err != nil {
			t.Fatal(err)
		}
		want := oauth.Authorization{
			ClientID: c.ID, ClientName: "botocore-client-test", Scopes: []string{"sso:account:access"}, StoreID: w.in.IdentityStoreID,
			RedirectURI: callback, State: "a state & more", Challenge: challenge(), ExpiresAt: w.now.Add(10 * time.Minute),
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("the page shows (-want +got):\n%s", diff)
		}
		code := w.authorize(c)
		w.restart()
		tokens, err := w.redeemCode(c, code, callback, verifier)
		if err != nil {
			t.Fatal(err)
		}
		if tokens.Expires != time.Hour || tokens.Refresh == "" {
			t.Errorf("got %v, refresh token %q", tokens.Expires, tokens.Refresh)
		}
		w.works(tokens.Access)
	})
}

func TestBeginAuthorizationRefuses(t *testing.T) {
	each(t, func(w *world) {
		c := w.codeClient()
		tests := map[string]struct {
			change func(*oauth.NewAuthorization)
			want   string
		}{
			"implicit flow":                 {func(in *oauth.NewAuthorization) { in.ResponseType = "token" }, "unsupported_response_type"},
			"no response type":              {func(in *oauth.NewAuthorization) { in.ResponseType = "" }, "unsupported_response_type"},
			"another redirect":              {func(in *oauth.NewAuthorization) { in.RedirectURI = "http://127.0.0.1:1/evil" }, "invalid_redirect_uri"},
			"no challenge":                  {func(in *oauth.NewAuthorization) { in.Challenge = "" }, "invalid_request"},
			"no challenge at all":           {func(in *oauth.NewAuthorization) { in.Challenge, in.Method = "", "" }, "invalid_request"},
			"plain challenge":               {func(in *oauth.NewAuthorization) { in.Method = "plain" }, "invalid_request"},
			"no method":                     {func(in *oauth.NewAuthorization) { in.Method = "" }, "invalid_request"},
			"method in lower case":          {func(in *oauth.NewAuthorization) { in.Method = "s256" }, "invalid_request"},
			"padded challenge":              {func(in *oauth.NewAuthorization) { in.Challenge += "=" }, "invalid_request"},
			"short challenge":               {func(in *oauth.NewAuthorization) { in.Challenge = in.Challenge[:42] }, "invalid_request"},
			"challenge in another alphabet": {func(in *oauth.NewAuthorization) { in.Challenge = strings.Repeat("+", 43) }, "invalid_request"},
			"challenge with a line break":   {func(in *oauth.NewAuthorization) { in.Challenge = in.Challenge[:20] + "\n" + in.Challenge[20:] }, "invalid_request"},
			"scope not registered":          {func(in *oauth.NewAuthorization) { in.Scopes = []string{oauth.ScopePortal} }, "invalid_scope"},
			"long state":                    {func(in *oauth.NewAuthorization) { in.State = strings.Repeat("a", 1025) }, "invalid_request"},
		}
		for name, tt := range tests {
			in := newAuthorization()
			tt.change(&in)
			if _, err := oauth.BeginAuthorization(w.keys, w.now, c, w.in.IdentityStoreID, in); subject(err) != tt.want {
				t.Errorf("%s: refused with %q (%v), want %q", name, subject(err), err, tt.want)
			}
		}
		if _, err := oauth.BeginAuthorization(w.keys, w.now, w.deviceClient(), w.in.IdentityStoreID, newAuthorization()); subject(err) != "unauthorized_client" {
			t.Errorf("a client of the device flow: %v", err)
		}
		in := newAuthorization()
		in.Scopes = nil
		id, err := oauth.BeginAuthorization(w.keys, w.now, c, w.in.IdentityStoreID, in)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := oauth.AuthorizationByID(w.keys, w.now, id); err != nil || len(a.Scopes) != 1 {
			t.Errorf("without scopes, those registered are asked for: %v (%v)", a.Scopes, err)
		}
	})
}

func TestRequestsForAuthorization(t *testing.T) {
	each(t, func(w *world) {
		id, err := oauth.BeginAuthorization(w.keys, w.now, w.codeClient(), w.in.IdentityStoreID, newAuthorization())
		if err != nil {
			t.Fatal(err)
		}
		altered := []byte(id)
		altered[50] ^= 1
		for name, bad := range map[string]string{
			"altered": string(altered), "nothing": "", "an access token": w.logIn(w.deviceClient()).Access,
		} {
			if _, err := oauth.AuthorizationByID(w.keys, w.now, bad); subject(err) != "authorization_request" {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := w.approveAuthorization(w.session, bad); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s, approved: %v", name, err)
			}
		}
		stranger := w.signIn(w.user(w.instance("ssoins-fedcba9876543210", "d-0987654321"), "stranger"), time.Hour)
		if _, err := w.approveAuthorization(stranger, id); !fault.Is(err, fault.Denied) {
			t.Errorf("approved from another directory: %v", err)
		}
		to, err := oauth.DenyAuthorization(w.keys, w.now, id)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(to)
		if err != nil || !strings.HasPrefix(to, callback+"?") || u.Query().Get("error") != "access_denied" || u.Query().Get("state") != "a state & more" || u.Query().Has("code") {
			t.Errorf("the client is answered %s", to)
		}
		w.now = w.now.Add(10 * time.Minute)
		if _, err := w.approveAuthorization(w.session, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("approved after ten minutes: %v", err)
		}
		if _, err := oauth.DenyAuthorization(w.keys, w.now, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("denied after ten minutes: %v", err)
		}
	})
}

func TestCodeRefusals(t *testing.T) {
	each(t, func(w *world) {
		c := w.codeClient()
		code := w.authorize(c)
		refusals := map[string]func() error{
			"another client": func() error { _, err := w.redeemCode(w.codeClient(), code, callback, verifier); return err },
			"another port": func() error {
				_, err := w.redeemCode(c, code, "http://127.0.0.1:45679/oauth/callback", verifier)
				return err
			},
			"the registered redirect": func() error { _, err := w.redeemCode(c, code, c.RedirectURIs[0], verifier); return err },
			"no redirect":             func() error { _, err := w.redeemCode(c, code, "", verifier); return err },
			"no verifier":             func() error { _, err := w.redeemCode(c, code, callback, ""); return err },
			"the challenge":           func() error { _, err := w.redeemCode(c, code, callback, challenge()); return err },
			"another verifier":        func() error { _, err := w.redeemCode(c, code, callback, strings.Repeat("a", 64)); return err },
			"verifier with more":      func() error { _, err := w.redeemCode(c, code, callback, verifier+"a"); return err },
			"another code":            func() error { _, err := w.redeemCode(c, code[1:]+"A", callback, verifier); return err },
			"as a device code":        func() error { _, err := w.redeemDevice(w.deviceClient(), code); return err },
		}
		for name, attempt := range refusals {
			if err := attempt(); subject(err) != "invalid_grant" {
				t.Errorf("%s: refused with %q (%v)", name, subject(err), err)
			}
		}
		if _, err := w.redeemCode(w.deviceClient(), code, callback, verifier); subject(err) != "unauthorized_client" {
			t.Errorf("a client of the device flow: %v", err)
		}
		// None of it took the code from its client.
		if _, err := w.redeemCode(c, code, callback, verifier); err != nil {
			t.Fatal(err)
		}

		late := w.authorize(c)
		w.now = w.now.Add(2 * time.Minute)
		_, err := w.redeemCode(c, late, callback, verifier)
		w.refused(err, "invalid_grant")
	})
}

// TestCodeReplay holds that a code which comes twice revokes what it was
// redeemed for, as long as that lives.
func TestCodeReplay(t *testing.T) {
	each(t, func(w *world) {
		c := w.codeClient()
		code := w.authorize(c)
		tokens, err := w.redeemCode(c, code, callback, verifier)
		if err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(30 * time.Minute)
		w.sweep()
		w.works(tokens.Access)
		_, err = w.redeemCode(c, code, callback, "not even the verifier")
		w.refused(err, "invalid_grant")
		w.dead(tokens.Access)
		_, err = w.refresh(c, tokens.Refresh)
		w.refused(err, "invalid_grant")
	})
}

func TestCodeOfAnEndedSession(t *testing.T) {
	each(t, func(w *world) {
		c := w.codeClient()
		code := w.authorize(c)
		w.signOut(w.session)
		_, err := w.redeemCode(c, code, callback, verifier)
		w.refused(err, "invalid_grant")
	})
}

// TestVerifier holds PKCE to the example of RFC 7636, appendix B.
func TestVerifier(t *testing.T) {
	each(t, func(w *world) {
		c := w.codeClient()
		in := newAuthorization()
		in.Challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
		id, err := oauth.BeginAuthorization(w.keys, w.now, c, w.in.IdentityStoreID, in)
		if err != nil {
			t.Fatal(err)
		}
		to, err := w.approveAuthorization(w.session, id)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.redeemCode(c, u.Query().Get("code"), callback, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"); err != nil {
			t.Error(err)
		}
	})
}

// TestShortVerifier holds that a verifier that could be guessed is refused,
// although its challenge could not be told from others.
func TestShortVerifier(t *testing.T) {
	each(t, func(w *world) {
		c := w.codeClient()
		redeem := func(verifier string) error {
			sum := sha256.Sum256([]byte(verifier))
			in := newAuthorization()
			in.Challenge = base64.RawURLEncoding.EncodeToString(sum[:])
			id, err := oauth.BeginAuthorization(w.keys, w.now, c, w.in.IdentityStoreID, in)
			if err != nil {
				t.Fatal(err)
			}
			to, err := w.approveAuthorization(w.session, id)
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(to)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.redeemCode(c, u.Query().Get("code"), callback, verifier)
			return err
		}
		for verifier, want := range map[string]string{
			strings.Repeat("a", 42): "invalid_grant", strings.Repeat("a", 43): "", strings.Repeat("a", 128): "",
			strings.Repeat("a", 129): "invalid_grant", strings.Repeat("a", 43) + "+": "invalid_grant",
		} {
			if err := redeem(verifier); subject(err) != want {
				t.Errorf("%d characters: refused with %q (%v)", len(verifier), subject(err), err)
			}
		}
	})
}
