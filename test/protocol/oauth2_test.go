package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// translator lets an OAuth client that knows nothing of AWS talk to sso-oidc:
// it turns its forms into AWS's JSON, and the answers back. All else, PKCE,
// states, polling, refreshing and what to do on which error, is the client's.
type translator struct {
	// startURL goes with every device authorization; OAuth knows of none.
	startURL, clientSecret string
}

// RoundTrip is part of http.RoundTripper.
func (tr translator) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, err
	}
	body := make(map[string]any)
	for name := range form {
		if name != "scope" { // is the registration's
			body[camel(name)] = form.Get(name)
		}
	}
	body["clientSecret"] = tr.clientSecret
	if strings.HasSuffix(r.URL.Path, "/device_authorization") {
		body["startUrl"] = tr.startURL
	}
	sent, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), bytes.NewReader(sent))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, err
	}
	plain := make(map[string]any, len(answer))
	for name, value := range answer {
		plain[snake(name)] = value
	}
	told, err := json.Marshal(plain)
	response.Body = io.NopCloser(bytes.NewReader(told))
	response.ContentLength = int64(len(told))
	return response, err
}

// camel turns code_verifier into codeVerifier.
func camel(name string) string {
	var b strings.Builder
	for i, part := range strings.Split(name, "_") {
		if i > 0 {
			part = strings.ToUpper(part[:1]) + part[1:]
		}
		b.WriteString(part)
	}
	return b.String()
}

// snake is the inverse of camel.
func snake(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// library is golang.org/x/oauth2, registered at a node.
func (n *node) library(redirectURI string) (context.Context, *oauth2.Config) {
	n.t.Helper()
	c := &cli{n: n}
	c.register(n.startURL())
	if redirectURI == "" { // what the CLI registers for its device flow
		c.registerDevice()
	}
	ctx := context.WithValue(n.t.Context(), oauth2.HTTPClient, &http.Client{Transport: translator{n.startURL(), c.clientSecret}})
	return ctx, &oauth2.Config{
		ClientID: c.clientID, ClientSecret: c.clientSecret, RedirectURL: redirectURI, Scopes: []string{"sso:account:access"},
		Endpoint: oauth2.Endpoint{
			AuthURL: n.url + "/authorize", TokenURL: n.url + "/token", DeviceAuthURL: n.url + "/device_authorization",
			AuthStyle: oauth2.AuthStyleInParams,
		},
	}
}

// registerDevice registers as for a device flow.
func (c *cli) registerDevice() {
	c.n.t.Helper()
	var got struct {
		ClientID     string `json:"clientId"`
		ClientSecret string `json:"clientSecret"`
	}
	c.decode(c.n.send("POST", "/client/register", "", `{"clientName": "botocore-client-atrium", "clientType": "public", "scopes": ["sso:account:access"]}`), &got)
	c.clientID, c.clientSecret = got.ClientID, got.ClientSecret
}

// refusal is the OAuth error code that the library was answered.
func refusal(err error) string {
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return e.ErrorCode
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// opens reports whether an access token lists sam's accounts.
func (n *node) opens(token string) bool {
	n.t.Helper()
	return n.send("GET", "/assignment/accounts", token, "").status == http.StatusOK
}

// TestCodeFlowOfALibrary has golang.org/x/oauth2 log in with an authorization
// code and PKCE, refresh, and be refused.
func TestCodeFlowOfALibrary(t *testing.T) {
	onBothEngines(t, func(t *testing.T, n *node) {
		sam := n.person("sam.lee")
		redirectURI, answers := (&cli{n: n}).callback()
		ctx, config := n.library(redirectURI)
		approve := func(options ...oauth2.AuthCodeOption) string {
			t.Helper()
			if headings, err := sam.Approve(t.Context(), config.AuthCodeURL("the state", options...)); err != nil {
				t.Fatalf("%v, after %q", err, headings)
			}
			got := <-answers
			if got.Get("state") != "the state" {
				t.Fatalf("the client is answered %v", got)
			}
			return got.Get("code")
		}
		verifier := oauth2.GenerateVerifier()
		code := approve(oauth2.S256ChallengeOption(verifier))
		for name, options := range map[string][]oauth2.AuthCodeOption{
			"another verifier": {oauth2.VerifierOption(oauth2.GenerateVerifier())},
			"the challenge":    {oauth2.VerifierOption(oauth2.S256ChallengeFromVerifier(verifier))},
		} {
			if _, err := config.Exchange(ctx, code, options...); refusal(err) != "invalid_grant" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := config.Exchange(ctx, code); refusal(err) != "invalid_request" {
			t.Errorf("without a verifier: %v", err)
		}
		token, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatal(err)
		}
		if left := time.Until(token.Expiry); token.Type() != "Bearer" || left < 59*time.Minute || left > time.Hour {
			t.Errorf("a %s token for %v", token.Type(), left)
		}
		if !n.opens(token.AccessToken) {
			t.Error("the token opens nothing")
		}

		token.Expiry = time.Now().Add(-time.Second)
		again, err := config.TokenSource(ctx, token).Token()
		if err != nil || again.AccessToken == token.AccessToken || again.RefreshToken == token.RefreshToken || !n.opens(again.AccessToken) {
			t.Fatalf("refreshing: %v", err)
		}
		if _, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier)); refusal(err) != "invalid_grant" {
			t.Errorf("the code a second time: %v", err)
		}
		again.Expiry = time.Now().Add(-time.Second)
		if _, err := config.TokenSource(ctx, again).Token(); refusal(err) != "invalid_grant" || n.opens(again.AccessToken) {
			t.Errorf("after the code came a second time, refreshing: %v", err)
		}
	})
}

// TestDeviceFlowOfALibrary has golang.org/x/oauth2 log in with a device code.
func TestDeviceFlowOfALibrary(t *testing.T) {
	onBothEngines(t, func(t *testing.T, n *node) {
		sam := n.person("sam.lee")
		ctx, config := n.library("")
		device, err := config.DeviceAuth(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if device.VerificationURI != n.url+"/device" || device.VerificationURIComplete != n.url+"/device?user_code="+device.UserCode || device.Interval != 1 {
			t.Errorf("got %+v", device)
		}
		got := make(chan error, 1)
		var token *oauth2.Token
		go func() {
			var err error
			token, err = config.DeviceAccessToken(ctx, device)
			got <- err
		}()
		if headings, err := sam.Approve(t.Context(), device.VerificationURIComplete); err != nil {
			t.Fatalf("%v, after %q", err, headings)
		}
		if err := <-got; err != nil {
			t.Fatal(err)
		}
		if !n.opens(token.AccessToken) || token.RefreshToken == "" {
			t.Error("the token opens nothing, or cannot be refreshed")
		}
		if _, err := config.DeviceAccessToken(ctx, device); refusal(err) != "invalid_grant" {
			t.Errorf("the device code a second time: %v", err)
		}
		if n.opens(token.AccessToken) {
			t.Error("after the device code came a second time, the token still opens accounts")
		}
	})
}
