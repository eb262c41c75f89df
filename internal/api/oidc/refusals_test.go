package oidc_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc/types"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestErrors holds each refusal to status, header and body.
func TestErrors(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c, legacy, code := s.register(t, registerDevice), s.register(t, registerLegacy), s.register(t, body(registerCode, s.in.StartURL()))
		tests := map[string]struct {
			path, body  string
			status      int
			shape, code string
		}{
			"confidential client": {"/client/register", `{"clientName":"a","clientType":"confidential"}`, 400, "InvalidClientMetadataException", "invalid_client_metadata"},
			"unknown scope":       {"/client/register", `{"clientName":"a","clientType":"public","scopes":["email"]}`, 400, "InvalidScopeException", "invalid_scope"},
			"unknown grant type":  {"/client/register", `{"clientName":"a","clientType":"public","grantTypes":["password"]}`, 400, "UnsupportedGrantTypeException", "unsupported_grant_type"},
			"redirect elsewhere":  {"/client/register", `{"clientName":"a","clientType":"public","redirectUris":["https://evil.example/"]}`, 400, "InvalidRedirectUriException", "invalid_redirect_uri"},
			"no client name":      {"/client/register", `{"clientType":"public"}`, 400, "InvalidRequestException", "invalid_request"},
			"no JSON":             {"/client/register", `clientType=public`, 400, "SerializationException", "invalid_request"},

			"wrong secret to start":    {"/device_authorization", body(startDevice, c.id, legacy.secret, s.in.StartURL()), 401, "InvalidClientException", "invalid_client"},
			"client of the code flow":  {"/device_authorization", body(startDevice, code.id, code.secret, s.in.StartURL()), 400, "UnauthorizedClientException", "unauthorized_client"},
			"wrong secret":             {"/token", body(refresh, c.id, legacy.secret, "x"), 401, "InvalidClientException", "invalid_client"},
			"no secret":                {"/token", `{"grantType":"refresh_token","clientId":"x","refreshToken":"x"}`, 400, "InvalidRequestException", "invalid_request"},
			"unknown refresh token":    {"/token", body(refresh, c.id, c.secret, "x"), 400, "InvalidGrantException", "invalid_grant"},
			"unknown device code":      {"/token", body(pollDevice, c.id, c.secret, "x"), 400, "InvalidGrantException", "invalid_grant"},
			"unknown code":             {"/token", body(exchangeCode, code.id, code.secret, "http://127.0.0.1:1/oauth/callback", "x", "x"), 400, "InvalidGrantException", "invalid_grant"},
			"code, device client":      {"/token", body(exchangeCode, c.id, c.secret, "http://127.0.0.1:1/oauth/callback", "x", "x"), 400, "UnauthorizedClientException", "unauthorized_client"},
			"no code verifier":         {"/token", body(`{"grantType":"authorization_code","clientId":"%s","clientSecret":"%s","code":"x","redirectUri":"x"}`, code.id, code.secret), 400, "InvalidRequestException", "invalid_request"},
			"no device code":           {"/token", body(`{"grantType":"%s","clientId":"%s","clientSecret":"%s"}`, deviceGrant, c.id, c.secret), 400, "InvalidRequestException", "invalid_request"},
			"no refresh token":         {"/token", body(`{"grantType":"refresh_token","clientId":"%s","clientSecret":"%s"}`, c.id, c.secret), 400, "InvalidRequestException", "invalid_request"},
			"grant type not served":    {"/token", body(`{"grantType":"client_credentials","clientId":"%s","clientSecret":"%s"}`, c.id, c.secret), 400, "UnsupportedGrantTypeException", "unsupported_grant_type"},
			"null character in a code": {"/token", body(pollDevice, c.id, c.secret, `\u0000`), 400, "InvalidGrantException", "invalid_grant"},
		}
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				s.t = t
				s.fails(tt.path, tt.body, tt.status, tt.shape, tt.code)
			})
		}
	})
}

// TestDeviceErrors are those that the device flow itself comes to.
func TestDeviceErrors(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c := s.register(t, registerDevice)
		start := func() (code, userCode string) {
			got := s.post("/device_authorization", body(startDevice, c.id, c.secret, s.in.StartURL()),
				"deviceCode", "userCode", "verificationUri", "verificationUriComplete", "expiresIn", "interval")
			return body(pollDevice, c.id, c.secret, text(t, got, "deviceCode")), text(t, got, "userCode")
		}
		poll, userCode := start()
		for range 6 { // what a client that polls like mad is allowed for a start
			s.fails("/token", poll, 400, "AuthorizationPendingException", "authorization_pending")
		}
		s.fails("/token", poll, 400, "SlowDownException", "slow_down")
		s.restart() // how often it polled is not forgotten
		s.fails("/token", poll, 400, "SlowDownException", "slow_down")
		s.pass(6 * time.Second)
		s.fails("/token", poll, 400, "AuthorizationPendingException", "authorization_pending")
		s.update(func(tx *store.Tx) error {
			_, err := oauth.DenyDevice(tx, s.clock(), s.session, userCode)
			return err
		})
		s.fails("/token", poll, 400, "AccessDeniedException", "access_denied")
		poll, _ = start()
		s.pass(10 * time.Minute)
		s.fails("/token", poll, 400, "ExpiredTokenException", "expired_token")
	})
}

// TestTheSDKKnowsTheErrors holds that AWS's own client tells the errors apart.
func TestTheSDKKnowsTheErrors(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c := s.client()
		r, err := c.RegisterClient(t.Context(), &sdk.RegisterClientInput{ClientName: new("go"), ClientType: new("public"), Scopes: []string{"sso:account:access"}})
		if err != nil {
			t.Fatal(err)
		}
		d, err := c.StartDeviceAuthorization(t.Context(), &sdk.StartDeviceAuthorizationInput{ClientId: r.ClientId, ClientSecret: r.ClientSecret, StartUrl: new(s.in.StartURL())})
		if err != nil {
			t.Fatal(err)
		}
		create := func(change func(*sdk.CreateTokenInput)) (*sdk.CreateTokenOutput, error) {
			in := &sdk.CreateTokenInput{ClientId: r.ClientId, ClientSecret: r.ClientSecret, GrantType: new(deviceGrant), DeviceCode: d.DeviceCode}
			change(in)
			return c.CreateToken(t.Context(), in)
		}
		_, err = create(func(*sdk.CreateTokenInput) {})
		if e, ok := errors.AsType[*types.AuthorizationPendingException](err); !ok || *e.Error_ != "authorization_pending" {
			t.Errorf("pending: %v", err)
		}
		_, err = create(func(in *sdk.CreateTokenInput) { in.ClientSecret = new("x") })
		if _, ok := errors.AsType[*types.InvalidClientException](err); !ok {
			t.Errorf("wrong secret: %v", err)
		}
		_, err = create(func(in *sdk.CreateTokenInput) { in.DeviceCode = new("x") })
		if _, ok := errors.AsType[*types.InvalidGrantException](err); !ok {
			t.Errorf("wrong code: %v", err)
		}
		s.approveDevice(*d.UserCode)
		tokens, err := create(func(*sdk.CreateTokenInput) {})
		if err != nil || tokens.ExpiresIn != 3600 {
			t.Fatalf("%+v (%v)", tokens, err)
		}
		next, err := create(func(in *sdk.CreateTokenInput) {
			in.GrantType, in.DeviceCode, in.RefreshToken = new("refresh_token"), nil, tokens.RefreshToken
		})
		if err != nil || next.RefreshToken == nil {
			t.Fatalf("%+v (%v)", next, err)
		}
		s.works(*next.AccessToken)
	})
}

// TestReplays holds that the revocation which a replay leads to lasts, although
// the replay itself is refused.
func TestReplays(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c := s.register(t, registerDevice)
		logIn := func() (poll string, tokens map[string]any) {
			got := s.post("/device_authorization", body(startDevice, c.id, c.secret, s.in.StartURL()),
				"deviceCode", "userCode", "verificationUri", "verificationUriComplete", "expiresIn", "interval")
			s.approveDevice(text(t, got, "userCode"))
			poll = body(pollDevice, c.id, c.secret, text(t, got, "deviceCode"))
			return poll, s.post("/token", poll, "accessToken", "tokenType", "expiresIn", "refreshToken")
		}
		dead := func(tokens map[string]any) {
			t.Helper()
			s.restart()
			if _, err := s.verify(text(t, tokens, "accessToken")); err == nil {
				t.Error("the access token lives on")
			}
			s.fails("/token", body(refresh, c.id, c.secret, text(t, tokens, "refreshToken")), 400, "InvalidGrantException", "invalid_grant")
		}
		poll, tokens := logIn()
		s.fails("/token", poll, 400, "InvalidGrantException", "invalid_grant")
		dead(tokens)

		_, tokens = logIn()
		old := body(refresh, c.id, c.secret, text(t, tokens, "refreshToken"))
		for range 2 {
			s.pass(30 * time.Minute)
			tokens = s.post("/token", body(refresh, c.id, c.secret, text(t, tokens, "refreshToken")), "accessToken", "tokenType", "expiresIn", "refreshToken")
		}
		s.fails("/token", old, 400, "InvalidGrantException", "invalid_grant")
		dead(tokens)

		_, tokens = logIn()
		s.update(func(tx *store.Tx) error { return session.End(tx, s.session.ID) })
		dead(tokens)
	})
}

// TestAuthorizeRefuses holds what the authorization endpoint tells whom.
func TestAuthorizeRefuses(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		const callback = "http://127.0.0.1:57812/oauth/callback"
		c, device := s.register(t, body(registerCode, s.in.StartURL())), s.register(t, registerDevice)
		query := func(changes ...string) string {
			q := url.Values{
				"response_type": {"code"}, "client_id": {c.id}, "redirect_uri": {callback}, "state": {"the state"},
				"code_challenge_method": {"S256"}, "scopes": {"sso:account:access"}, "code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},
			}
			for i := 0; i < len(changes); i += 2 {
				if q.Set(changes[i], changes[i+1]); changes[i+1] == "" {
					q.Del(changes[i])
				}
			}
			return "/authorize?" + q.Encode()
		}
		if a := s.send(http.MethodGet, query(), ""); a.Status != http.StatusFound || !strings.HasPrefix(a.Location, s.url.String()+"/consent/") {
			t.Fatalf("answered %d, to %s", a.Status, a.Location)
		}
		// Nobody is sent anywhere while it is not certain who asks and where
		// the answer belongs.
		shown := map[string]string{
			"no client": query("client_id", ""), "unknown client": query("client_id", "x"), "client of the device flow": query("client_id", device.id),
			"no redirect": query("redirect_uri", ""), "redirect elsewhere": query("redirect_uri", "https://evil.example/"),
			"redirect with a name": query("redirect_uri", "http://localhost:57812/oauth/callback"),
			"redirect to userinfo": query("redirect_uri", "http://127.0.0.1:57812@evil.example/oauth/callback"),
			"two clients":          query() + "&client_id=" + device.id,
			"two redirects":        query() + "&redirect_uri=https://evil.example/",
			"secret for an id":     query("client_id", c.secret),
		}
		for name, target := range shown {
			if a := s.send(http.MethodGet, target, ""); a.Status != http.StatusBadRequest || a.Location != "" || strings.Contains(a.Body, "evil") {
				t.Errorf("%s: answered %d, to %q: %s", name, a.Status, a.Location, a.Body)
			}
		}
		told := map[string]struct{ target, code string }{
			"implicit flow":   {query("response_type", "token"), "unsupported_response_type"},
			"no challenge":    {query("code_challenge", "", "code_challenge_method", ""), "invalid_request"},
			"plain challenge": {query("code_challenge_method", "plain"), "invalid_request"},
			"other scope":     {query("scopes", "sso-portal:*"), "invalid_scope"},
			"more scope":      {query("scope", "sso-portal:*"), "invalid_scope"},
			"long state":      {query("state", strings.Repeat("x", 1025)), "invalid_request"},
		}
		for name, tt := range told {
			a := s.send(http.MethodGet, tt.target, "")
			u, err := url.Parse(a.Location)
			if err != nil || a.Status != http.StatusFound || !strings.HasPrefix(a.Location, callback+"?") || u.Query().Get("error") != tt.code {
				t.Errorf("%s: answered %d, to %q", name, a.Status, a.Location)
				continue
			}
			if state := u.Query().Get("state"); state != "the state" && name != "long state" {
				t.Errorf("%s: the state is %q", name, state)
			}
		}
		s.pass(90 * 24 * time.Hour)
		if a := s.send(http.MethodGet, query(), ""); a.Status != http.StatusBadRequest {
			t.Errorf("an expired registration: answered %d, to %q", a.Status, a.Location)
		}
	})
}

// TestTheDatabaseHoldsNoSecrets looks for what clients hold in the database's
// files, where it is as text and as bytes.
func TestTheDatabaseHoldsNoSecrets(t *testing.T) {
	dir := t.TempDir()
	s := newServer(t, storetest.Open(t, store.Config{SQLitePath: filepath.Join(dir, "atrium.db")}))
	c := s.register(t, registerDevice)
	got := s.post("/device_authorization", body(startDevice, c.id, c.secret, s.in.StartURL()),
		"deviceCode", "userCode", "verificationUri", "verificationUriComplete", "expiresIn", "interval")
	secrets := []string{c.secret, text(t, got, "deviceCode")}
	s.approveDevice(text(t, got, "userCode"))
	tokens := s.post("/token", body(pollDevice, c.id, c.secret, text(t, got, "deviceCode")), "accessToken", "tokenType", "expiresIn", "refreshToken")
	secrets = append(secrets, text(t, tokens, "accessToken"), text(t, tokens, "refreshToken"))

	code := s.register(t, body(registerCode, s.in.StartURL()))
	a := s.send(http.MethodGet, "/authorize?response_type=code&client_id="+code.id+"&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Foauth%2Fcallback&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "")
	secrets = append(secrets, code.secret, s.approve(a.Location).Query().Get("code"))

	files, err := filepath.Glob(filepath.Join(dir, "atrium.db*"))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw...)
	}
	if !bytes.Contains(all, []byte(text(t, got, "userCode"))) {
		t.Fatal("not even the user code is found: looking in the wrong place")
	}
	for i, secret := range secrets {
		raw, err := base64.RawURLEncoding.DecodeString(secret)
		if err != nil || len(raw) < 32 {
			t.Fatalf("secret %d is %q (%v)", i, secret, err)
		}
		if bytes.Contains(all, []byte(secret)) || bytes.Contains(all, raw) {
			t.Errorf("secret %d is in the database", i)
		}
	}
}

// TestRecords holds what a login leaves in the audit trail, and that no secret
// is in it or in the log.
func TestRecords(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c := s.register(t, registerDevice)
		got := s.post("/device_authorization", body(startDevice, c.id, c.secret, s.in.StartURL()),
			"deviceCode", "userCode", "verificationUri", "verificationUriComplete", "expiresIn", "interval")
		secrets := []string{c.secret, text(t, got, "deviceCode")}
		poll := body(pollDevice, c.id, c.secret, text(t, got, "deviceCode"))
		s.fails("/token", poll, 400, "AuthorizationPendingException", "authorization_pending")
		s.approveDevice(text(t, got, "userCode"))
		tokens := s.post("/token", poll, "accessToken", "tokenType", "expiresIn", "refreshToken")
		next := s.post("/token", body(refresh, c.id, c.secret, text(t, tokens, "refreshToken")), "accessToken", "tokenType", "expiresIn", "refreshToken")
		s.fails("/token", poll, 400, "InvalidGrantException", "invalid_grant")
		for _, m := range []map[string]any{tokens, next} {
			secrets = append(secrets, text(t, m, "accessToken"), text(t, m, "refreshToken"))
		}

		var pending []audit.Pending
		err := s.db.View(t.Context(), func(tx *store.Tx) (err error) {
			pending, err = tx.PendingAudit(100)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var events []string
		for _, p := range pending {
			var r struct {
				EventName, ErrorCode, RecipientAccountID string
				UserIdentity                             audit.UserIdentity
			}
			if err := json.Unmarshal(p.Body, &r); err != nil {
				t.Fatal(err)
			}
			events = append(events, r.EventName+":"+r.UserIdentity.Type+":"+r.ErrorCode)
			if r.RecipientAccountID != s.in.OwnerAccountID {
				t.Errorf("%s is recorded in the account %q", r.EventName, r.RecipientAccountID)
			}
			if r.UserIdentity.OnBehalfOf != nil && r.UserIdentity.OnBehalfOf.UserID != s.sam.ID {
				t.Errorf("%s is recorded for %s", r.EventName, r.UserIdentity.OnBehalfOf.UserID)
			}
			checkSecrets(t, "the record of "+r.EventName, string(p.Body), secrets)
		}
		slices.Sort(events)
		want := []string{
			"CreateToken:IdentityCenterUser:", "CreateToken:IdentityCenterUser:", "CreateToken:IdentityCenterUser:InvalidGrantException",
			"StartDeviceAuthorization:Unknown:",
		}
		if !slices.Equal(events, want) {
			t.Errorf("recorded with the changes: %q, want %q", events, want)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		var after []string
		for _, r := range s.records {
			after = append(after, r.EventName+":"+r.ErrorCode)
			checkSecrets(t, "the record of "+r.EventName, string(r.RequestParameters)+string(r.ResponseElements)+r.ErrorMessage, secrets)
		}
		if want := []string{"RegisterClient:", "CreateToken:AuthorizationPendingException"}; !slices.Equal(after, want) {
			t.Errorf("recorded after the fact: %q, want %q", after, want)
		}
		checkSecrets(t, "the log", s.log.String(), secrets)
	})
}

func checkSecrets(t *testing.T, where, text string, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("%s holds a secret: %s", where, text)
		}
	}
}
