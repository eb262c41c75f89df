package oidc_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// registration is what a client keeps of itself.
type registration struct{ id, secret string }

func (s *server) register(t testing.TB, request string) registration {
	t.Helper()
	got := s.post("/client/register", request,
		"clientId", "clientSecret", "clientIdIssuedAt", "clientSecretExpiresAt", "authorizationEndpoint", "tokenEndpoint")
	now := float64(s.clock().Unix())
	if got["clientIdIssuedAt"] != now || got["clientSecretExpiresAt"] != now+90*24*3600 {
		t.Fatalf("the registration lasts from %v to %v", got["clientIdIssuedAt"], got["clientSecretExpiresAt"])
	}
	if got["authorizationEndpoint"] != s.url.String()+"/authorize" || got["tokenEndpoint"] != s.url.String()+"/token" {
		t.Fatalf("the endpoints are %v and %v", got["authorizationEndpoint"], got["tokenEndpoint"])
	}
	return registration{text(t, got, "clientId"), text(t, got, "clientSecret")}
}

// What AWS's clients send, byte for byte but for what differs each time.
const (
	registerDevice = `{"clientName": "botocore-client-my-session", "clientType": "public", "scopes": ["sso:account:access"]}`
	registerLegacy = `{"clientName": "botocore-client-1767323045", "clientType": "public"}`
	startDevice    = `{"clientId": "%s", "clientSecret": "%s", "startUrl": "%s"}`
	pollDevice     = `{"grantType": "` + deviceGrant + `", "clientId": "%s", "clientSecret": "%s", "deviceCode": "%s"}`
	registerCode   = `{"clientName": "botocore-client-my-session", "clientType": "public", "scopes": ["sso:account:access"],` +
		` "grantTypes": ["authorization_code", "refresh_token"], "redirectUris": ["http://127.0.0.1/oauth/callback"], "issuerUrl": "%s"}`
	exchangeCode = `{"grantType": "authorization_code", "clientId": "%s", "clientSecret": "%s", "redirectUri": "%s", "codeVerifier": "%s", "code": "%s"}`
	refresh      = `{"grantType": "refresh_token", "clientId": "%s", "clientSecret": "%s", "refreshToken": "%s"}`
)

// TestTrafficOfTheDeviceFlow is the AWS CLI 2.9's login, with a restart of the
// server between any two of its steps.
func TestTrafficOfTheDeviceFlow(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c := s.register(t, registerDevice)
		s.restart()
		got := s.post("/device_authorization", body(startDevice, c.id, c.secret, s.in.StartURL()),
			"deviceCode", "userCode", "verificationUri", "verificationUriComplete", "expiresIn", "interval")
		code, userCode := text(t, got, "deviceCode"), text(t, got, "userCode")
		if got["expiresIn"] != 600.0 || got["interval"] != 1.0 || got["verificationUri"] != s.url.String()+"/device" ||
			got["verificationUriComplete"] != s.url.String()+"/device?user_code="+userCode {
			t.Errorf("got %v", got)
		}
		s.restart()
		poll := body(pollDevice, c.id, c.secret, code)
		for _, wait := range []time.Duration{0, 50 * time.Millisecond, time.Second, time.Second} {
			s.pass(wait)
			s.fails("/token", poll, 400, "AuthorizationPendingException", "authorization_pending")
			s.restart()
		}
		s.approveDevice(userCode)
		s.restart()
		got = s.post("/token", poll, "accessToken", "tokenType", "expiresIn", "refreshToken")
		if got["tokenType"] != "Bearer" || got["expiresIn"] != 3600.0 {
			t.Errorf("got %v", got)
		}
		s.followLogin(t, c, got)
	})
}

// followLogin refreshes a login, with a restart before each step.
func (s *server) followLogin(t testing.TB, c registration, tokens map[string]any) {
	t.Helper()
	for range 3 {
		s.restart()
		s.works(text(t, tokens, "accessToken"))
		s.pass(46 * time.Minute)
		old := body(refresh, c.id, c.secret, text(t, tokens, "refreshToken"))
		tokens = s.post("/token", old, "accessToken", "tokenType", "expiresIn", "refreshToken")
		s.restart()
		again := s.post("/token", old, "accessToken", "tokenType", "expiresIn", "refreshToken") // another CLI, at the same moment
		if again["refreshToken"] != tokens["refreshToken"] {
			t.Fatal("two programs that refresh together get different tokens")
		}
		s.works(text(t, again, "accessToken"))
	}
}

// TestTrafficOfTheCodeFlow is the AWS CLI 2.22's login and aws-sso-cli's,
// which differ in the name of one parameter and in the redirect URI, with a
// restart of the server between any two of their steps.
func TestTrafficOfTheCodeFlow(t *testing.T) {
	const verifier = "iDWaPbCBFcpxpeYWHmEwITlSoWGpGe9ZVJ1hY2OH0pdfzTfEPOJYxzAnfhCnECOe"
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	for name, tt := range map[string]struct{ registered, redirect, scopes string }{
		"AWS CLI":     {"http://127.0.0.1/oauth/callback", "http://127.0.0.1:57812/oauth/callback", "scopes"},
		"aws-sso-cli": {"http://127.0.0.1", "http://127.0.0.1:57812", "scope"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *server) {
				c := s.register(t, strings.Replace(body(registerCode, s.in.StartURL()), "http://127.0.0.1/oauth/callback", tt.registered, 1))
				s.restart()
				a := s.send(http.MethodGet, "/authorize?response_type=code&client_id="+c.id+"&redirect_uri="+url.QueryEscape(tt.redirect)+
					"&state=0b9a9d8c-6f5e-4d3c-8b2a-190817263545&code_challenge_method=S256&"+tt.scopes+"=sso%3Aaccount%3Aaccess&code_challenge="+challenge, "")
				if a.Status != http.StatusFound {
					t.Fatalf("answered %d %s", a.Status, a.Body)
				}
				s.restart()
				to := s.approve(a.Location)
				code, ok := strings.CutPrefix(to.String(), tt.redirect+"?code=")
				code, state, ok2 := strings.Cut(code, "&state=")
				if !ok || !ok2 || state != "0b9a9d8c-6f5e-4d3c-8b2a-190817263545" {
					t.Fatalf("the client is answered %s", to)
				}
				s.restart()
				got := s.post("/token", body(exchangeCode, c.id, c.secret, tt.redirect, verifier, code), "accessToken", "tokenType", "expiresIn", "refreshToken")
				if got["tokenType"] != "Bearer" || got["expiresIn"] != 3600.0 {
					t.Errorf("got %v", got)
				}
				s.followLogin(t, c, got)
			})
		})
	}
}

// TestTrafficOfALegacyProfile is a login without scopes: one token of eight
// hours, and nothing to refresh it with.
func TestTrafficOfALegacyProfile(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c := s.register(t, registerLegacy)
		got := s.post("/device_authorization", body(startDevice, c.id, c.secret, s.url.String()+"/start"),
			"deviceCode", "userCode", "verificationUri", "verificationUriComplete", "expiresIn", "interval")
		s.approveDevice(text(t, got, "userCode"))
		got = s.post("/token", body(pollDevice, c.id, c.secret, text(t, got, "deviceCode")), "accessToken", "tokenType", "expiresIn")
		if got["expiresIn"] != 28800.0 {
			t.Errorf("got %v", got)
		}
		s.works(text(t, got, "accessToken"))
	})
}

func TestStartURLs(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c := s.register(t, registerDevice)
		for _, startURL := range []string{
			s.url.String(), s.url.String() + "/", s.url.String() + "/start", s.url.String() + "/start/", s.url.String() + "/start#/",
			"https://d-1234567890.awsapps.com/start", "https://d-1234567890.awsapps.com/start/", "https://my-company.awsapps.com/start",
			"https://ssoins-0123456789abcdef.portal.us-east-1.app.aws", "https://ssoins-0123456789abcdef.portal.us-east-1.app.aws/",
			"https://identitycenter.amazonaws.com/ssoins-0123456789abcdef",
		} {
			s.post("/device_authorization", body(startDevice, c.id, c.secret, startURL),
				"deviceCode", "userCode", "verificationUri", "verificationUriComplete", "expiresIn", "interval")
			s.register(t, body(registerCode, startURL))
		}
		for _, startURL := range []string{"https://evil.example/start", "https://d-0987654321.awsapps.com/start", "x"} {
			s.fails("/device_authorization", body(startDevice, c.id, c.secret, startURL), 400, "InvalidRequestException", "invalid_request")
			s.fails("/client/register", body(registerCode, startURL), 400, "InvalidRequestException", "invalid_request")
		}
	})
}

func TestHeadOfTheStartURL(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		for _, path := range []string{"/start", "/start/", "/", "/start?x=y"} {
			a := s.send(http.MethodHead, path, "")
			if a.Status != http.StatusFound || a.Location != "https://d-1234567890.awsapps.com/start" {
				t.Errorf("%s: answered %d, to %s", path, a.Status, a.Location)
			}
		}
	})
}
