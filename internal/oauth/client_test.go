package oauth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func TestRegister(t *testing.T) {
	w := newWorld(t, storetest.Open(t, store.Config{}))
	codeFlow := func(change func(*oauth.NewClient)) oauth.NewClient {
		in := oauth.NewClient{
			Name: "botocore-client-my-session", Type: "public", Scopes: []string{"sso:account:access"},
			GrantTypes: []string{"authorization_code", "refresh_token"}, RedirectURIs: []string{"http://127.0.0.1/oauth/callback"},
			IssuerURL: "https://d-1234567890.awsapps.com/start",
		}
		change(&in)
		return in
	}
	tests := map[string]struct {
		in   oauth.NewClient
		want string // code of the refusal
	}{
		"device flow":            {oauth.NewClient{Name: "botocore-client-my-session", Type: "public", Scopes: []string{"sso:account:access"}}, ""},
		"legacy":                 {oauth.NewClient{Name: "botocore-client-1767323045", Type: "public"}, ""},
		"legacy scope":           {oauth.NewClient{Name: "a", Type: "public", Scopes: []string{"sso-portal:*"}}, ""},
		"both scopes":            {oauth.NewClient{Name: "a", Type: "public", Scopes: []string{"sso:account:access", "sso-portal:*"}}, ""},
		"code flow":              {codeFlow(func(*oauth.NewClient) {}), ""},
		"code flow without path": {codeFlow(func(in *oauth.NewClient) { in.RedirectURIs = []string{"http://127.0.0.1"} }), ""},
		"all grant types":        {codeFlow(func(in *oauth.NewClient) { in.GrantTypes = append(in.GrantTypes, oauth.GrantDeviceCode) }), ""},

		"confidential":               {oauth.NewClient{Name: "a", Type: "confidential"}, "invalid_client_metadata"},
		"type in capitals":           {oauth.NewClient{Name: "a", Type: "PUBLIC"}, "invalid_client_metadata"},
		"no name":                    {oauth.NewClient{Name: " ", Type: "public"}, "invalid_client_metadata"},
		"long name":                  {oauth.NewClient{Name: strings.Repeat("é", 257), Type: "public"}, "invalid_client_metadata"},
		"name with a line break":     {oauth.NewClient{Name: "a\nb", Type: "public"}, "invalid_client_metadata"},
		"name written backwards":     {oauth.NewClient{Name: "a\u202eb", Type: "public"}, "invalid_client_metadata"},
		"name that is not UTF-8":     {oauth.NewClient{Name: "a\xff", Type: "public"}, "invalid_client_metadata"},
		"unknown scope":              {oauth.NewClient{Name: "a", Type: "public", Scopes: []string{"sso:account:access", "openid"}}, "invalid_scope"},
		"unknown grant type":         {oauth.NewClient{Name: "a", Type: "public", GrantTypes: []string{"password"}}, "unsupported_grant_type"},
		"repeated scopes":            {oauth.NewClient{Name: "a", Type: "public", Scopes: []string{"sso-portal:*", "sso-portal:*", "sso-portal:*"}}, "invalid_request"},
		"code flow, no issuer":       {codeFlow(func(in *oauth.NewClient) { in.IssuerURL = "" }), "invalid_request"},
		"code flow, no redirect":     {codeFlow(func(in *oauth.NewClient) { in.RedirectURIs = nil }), "invalid_redirect_uri"},
		"redirect to elsewhere":      {codeFlow(func(in *oauth.NewClient) { in.RedirectURIs = []string{"https://example.com/"} }), "invalid_redirect_uri"},
		"one redirect of two":        {codeFlow(func(in *oauth.NewClient) { in.RedirectURIs = append(in.RedirectURIs, "app:/callback") }), "invalid_redirect_uri"},
		"redirect with dots":         {codeFlow(func(in *oauth.NewClient) { in.RedirectURIs = []string{"http://127.0.0.1/a/../b"} }), "invalid_redirect_uri"},
		"redirect with encoded dots": {codeFlow(func(in *oauth.NewClient) { in.RedirectURIs = []string{"http://127.0.0.1/a/%2e%2e/b"} }), "invalid_redirect_uri"},
		"redirect with a backslash":  {codeFlow(func(in *oauth.NewClient) { in.RedirectURIs = []string{`http://127.0.0.1/a\b`} }), "invalid_redirect_uri"},
		"eleven redirects":           {codeFlow(func(in *oauth.NewClient) { in.RedirectURIs = slicesRepeat("http://127.0.0.1/", 11) }), "invalid_redirect_uri"},
		"for an application":         {oauth.NewClient{Name: "a", Type: "public", EntitledApplicationARN: "arn:aws:sso::123456789012:application/ssoins-1/apl-1"}, "invalid_request"},
		"issuer that is too long":    {codeFlow(func(in *oauth.NewClient) { in.IssuerURL = "https://" + strings.Repeat("a", 1020) }), "invalid_request"},
		"redirect that is too long":  {codeFlow(func(in *oauth.NewClient) { in.RedirectURIs = []string{"http://127.0.0.1/" + strings.Repeat("a", 255)} }), "invalid_redirect_uri"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, credentials, err := oauth.Register(w.keys, w.now, w.ids, tt.in)
			if got := subject(err); got != tt.want {
				t.Fatalf("refused with %q (%v), want %q", got, err, tt.want)
			}
			if err != nil {
				return
			}
			w.restart()
			again, err := oauth.Authenticate(w.keys, w.now, credentials)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c, again); diff != "" {
				t.Errorf("(-registered +authenticated):\n%s", diff)
			}
			want := oauth.Client{
				ID: c.ID, Name: tt.in.Name, Scopes: tt.in.Scopes, GrantTypes: tt.in.GrantTypes, RedirectURIs: tt.in.RedirectURIs,
				IssuerURL: tt.in.IssuerURL, IssuedAt: w.now, ExpiresAt: w.now.Add(90 * 24 * time.Hour),
			}
			if diff := cmp.Diff(want, c); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func slicesRepeat(s string, n int) (out []string) {
	for range n {
		out = append(out, s)
	}
	return out
}

// TestLargestRegistrationFitsIntoAnAddress holds that a client id can be sent
// in the address of the authorization endpoint.
func TestLargestRegistrationFitsIntoAnAddress(t *testing.T) {
	w := newWorld(t, storetest.Open(t, store.Config{}))
	_, credentials, err := oauth.Register(w.keys, w.now, w.ids, oauth.NewClient{
		Name: strings.Repeat("\U0001f600", 256), Type: "public", Scopes: []string{"sso:account:access", "sso-portal:*"},
		GrantTypes:   []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantDeviceCode},
		RedirectURIs: slicesRepeat("http://127.0.0.1/"+strings.Repeat("a", 230), 10), IssuerURL: "https://" + strings.Repeat("a", 1000),
	})
	if err != nil || len(credentials.ClientID) > 8000 {
		t.Errorf("a client id of %d bytes (%v)", len(credentials.ClientID), err)
	}
}

func TestCredentials(t *testing.T) {
	w := newWorld(t, storetest.Open(t, store.Config{}))
	register := func() oauth.Credentials {
		_, c, err := oauth.Register(w.keys, w.now, w.ids, oauth.NewClient{Name: "a", Type: "public"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	mine, other := register(), register()
	if mine.ClientID == other.ClientID || mine.ClientSecret == other.ClientSecret {
		t.Error("two clients have the same credentials")
	}
	altered := []byte(mine.ClientID)
	altered[len(altered)/2] ^= 1
	tests := map[string]oauth.Credentials{
		"no secret":            {ClientID: mine.ClientID},
		"another's secret":     {ClientID: mine.ClientID, ClientSecret: other.ClientSecret},
		"another's id":         {ClientID: other.ClientID, ClientSecret: mine.ClientSecret},
		"altered id":           {ClientID: string(altered), ClientSecret: mine.ClientSecret},
		"shortened secret":     {ClientID: mine.ClientID, ClientSecret: mine.ClientSecret[:40]},
		"secret with more":     {ClientID: mine.ClientID, ClientSecret: mine.ClientSecret + "AAAA"},
		"id in place of it":    {ClientID: mine.ClientID, ClientSecret: mine.ClientID},
		"nothing":              {},
		"not base64":           {ClientID: "?", ClientSecret: "?"},
		"token as a client id": {ClientID: w.logIn(w.deviceClient()).Access, ClientSecret: mine.ClientSecret},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := oauth.Authenticate(w.keys, w.now, c)
			if got := subject(err); got != "invalid_client" {
				t.Errorf("refused with %q (%v)", got, err)
			}
		})
	}
	last := w.now.Add(90*24*time.Hour - time.Second)
	if _, err := oauth.Authenticate(w.keys, last, mine); err != nil {
		t.Errorf("refused within 90 days: %v", err)
	}
	if _, err := oauth.Authenticate(w.keys, last.Add(time.Second), mine); subject(err) != "invalid_client" {
		t.Errorf("after 90 days: %v", err)
	}
}

// TestRegistrationsSurviveARotation holds that rotated keys know older clients,
// and that revoked ones do not.
func TestRegistrationsSurviveARotation(t *testing.T) {
	each(t, func(w *world) {
		_, old, err := oauth.Register(w.keys, w.now, w.ids, oauth.NewClient{Name: "a", Type: "public"})
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.ring.Rotate(w.t.Context(), keys.ClientSecrets, 0); err != nil {
			w.t.Fatal(err)
		}
		if _, err := oauth.Authenticate(w.keys, w.now, old); err != nil {
			w.t.Errorf("after a rotation: %v", err)
		}
		if _, err := w.ring.Revoke(w.t.Context(), keys.ClientSecrets); err != nil {
			w.t.Fatal(err)
		}
		if _, err := oauth.Authenticate(w.keys, w.now, old); subject(err) != "invalid_client" {
			w.t.Errorf("after a revocation: %v", err)
		}
	})
}
