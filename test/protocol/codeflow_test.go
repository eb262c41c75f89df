package protocol

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// cli is the AWS CLI 2.22 and later as it logs in by default: with an
// authorization code, PKCE, and a server of its own on the loopback address.
type cli struct {
	n                      *node
	clientID, clientSecret string
	access, refresh        string
}

// decode reads the JSON of an answer that has to be a success.
func (c *cli) decode(a answer, into any) {
	c.n.t.Helper()
	if err := json.Unmarshal([]byte(a.body), into); err != nil || a.status != http.StatusOK {
		c.n.t.Fatalf("answered %d %s %s (%v)", a.status, a.errorType, a.body, err)
	}
}

func (c *cli) register(startURL string) {
	c.n.t.Helper()
	var got struct {
		ClientID              string `json:"clientId"`
		ClientSecret          string `json:"clientSecret"`
		ClientSecretExpiresAt int64  `json:"clientSecretExpiresAt"`
	}
	c.decode(c.n.send("POST", "/client/register", "", fmt.Sprintf(`{"clientName": "botocore-client-atrium", "clientType": "public",`+
		` "grantTypes": ["authorization_code", "refresh_token"], "redirectUris": ["http://127.0.0.1/oauth/callback"],`+
		` "issuerUrl": %q, "scopes": ["sso:account:access"]}`, startURL)), &got)
	if days := time.Until(time.Unix(got.ClientSecretExpiresAt, 0)).Hours() / 24; days < 89.9 || days > 90 {
		c.n.t.Errorf("the registration lasts %f days", days)
	}
	c.clientID, c.clientSecret = got.ClientID, got.ClientSecret
}

// callback is the CLI's own server, which takes one answer.
func (c *cli) callback() (redirectURI string, answers chan url.Values) {
	c.n.t.Helper()
	answers = make(chan url.Values, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth/callback" {
			answers <- r.URL.Query()
		}
		fmt.Fprint(w, "<h1>You may close this window</h1>")
	}))
	var lc net.ListenConfig
	l, err := lc.Listen(c.n.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		c.n.t.Fatal(err)
	}
	s.Listener.Close()
	s.Listener = l
	s.Start()
	c.n.t.Cleanup(s.Close)
	return s.URL + "/oauth/callback", answers
}

func (c *cli) token(body string) answer { return c.n.send("POST", "/token", "", body) }

func (c *cli) keep(a answer) {
	c.n.t.Helper()
	var got struct {
		AccessToken, TokenType, RefreshToken string
		ExpiresIn                            int
	}
	c.decode(a, &got)
	if got.AccessToken == "" || got.RefreshToken == "" || got.TokenType != "Bearer" || got.ExpiresIn != 3600 {
		c.n.t.Fatalf("got %s", a.body)
	}
	c.access, c.refresh = got.AccessToken, got.RefreshToken
}

const verifier = "xKcJXaBnIPGwLgDQnTzpVxkBqUeWFyHmRoTsNvZdCbAyEhGiMjLlOkPuSrQtWwXv"

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// TestCodeFlow logs in as the AWS CLI does by default, works, refreshes and
// logs out. The node is killed and started again between any two steps.
func TestCodeFlow(t *testing.T) {
	onBothEngines(t, func(t *testing.T, n *node) {
		sam := n.person("sam.lee")
		c := &cli{n: n}
		c.register(n.startURL())
		n.restart()

		redirectURI, answers := c.callback()
		const state = "5f1b7a2e-93f4-4c1d-8e0b-2a6c7d8e9f01"
		a := n.send("GET", "/authorize?response_type=code&client_id="+c.clientID+"&redirect_uri="+url.QueryEscape(redirectURI)+
			"&state="+state+"&code_challenge_method=S256&scopes=sso%3Aaccount%3Aaccess&code_challenge="+challenge(), "", "")
		if a.status != http.StatusFound || !strings.HasPrefix(a.location, n.url+"/") {
			t.Fatalf("answered %d, to %s", a.status, a.location)
		}
		n.restart()
		headings, err := sam.Approve(t.Context(), a.location)
		if err != nil {
			t.Fatalf("%v, after %q", err, headings)
		}
		if !slices.Contains(headings, "Allow botocore-client-atrium to access your data?") || headings[len(headings)-1] != "You may close this window" {
			t.Errorf("the person saw %q", headings)
		}
		got := <-answers
		if got.Get("state") != state || got.Get("code") == "" {
			t.Fatalf("the client is answered %v", got)
		}
		n.restart()
		exchange := fmt.Sprintf(`{"grantType": "authorization_code", "clientId": %q, "clientSecret": %q, "redirectUri": %q, "codeVerifier": %q, "code": %q}`,
			c.clientID, c.clientSecret, redirectURI, verifier, got.Get("code"))
		c.keep(c.token(exchange))
		n.restart()
		c.work(t)
		old := c.refreshed(t)
		n.restart()
		c.keep(c.token(old)) // what another CLI sends at the same moment
		c.work(t)

		if a := n.send("POST", "/logout", c.access, ""); a.status != http.StatusOK || a.body != "" {
			t.Errorf("logging out answered %d %s", a.status, a.body)
		}
		n.restart()
		if a := n.send("GET", "/assignment/accounts", c.access, ""); a.status != http.StatusUnauthorized || a.errorType != "UnauthorizedException" || a.body != `{"message":"Session token not found or invalid"}` {
			t.Errorf("after the logout: %d %s %s", a.status, a.errorType, a.body)
		}
		if a := c.token(old); a.status != http.StatusBadRequest || a.errorType != "InvalidGrantException" {
			t.Errorf("after the logout, a refresh: %d %s %s", a.status, a.errorType, a.body)
		}
	})
}

// startURL is the one that the node's configurations have.
func (n *node) startURL() string {
	n.t.Helper()
	n.person("sam.lee") // the node is ready
	out, err := exec.Command(program, "aws-config", "--user", "sam.lee", "--data-dir", filepath.Join(n.dir, "data")).Output()
	if err != nil {
		n.t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^sso_start_url = (\S+)$`).FindStringSubmatch(string(out))
	if m == nil {
		n.t.Fatalf("there is no start URL in %s", out)
	}
	return m[1]
}

// refreshed exchanges the refresh token and returns the request that did.
func (c *cli) refreshed(t *testing.T) string {
	t.Helper()
	c.n.restart()
	body := fmt.Sprintf(`{"grantType": "refresh_token", "clientId": %q, "clientSecret": %q, "refreshToken": %q}`, c.clientID, c.clientSecret, c.refresh)
	c.keep(c.token(body))
	return body
}

// work opens a role as every AWS client does, and calls an API with it.
func (c *cli) work(t *testing.T) {
	t.Helper()
	var accounts struct {
		AccountList []struct{ AccountID, AccountName, EmailAddress string }
	}
	c.decode(c.n.send("GET", "/assignment/accounts?max_result=100", c.access, ""), &accounts)
	if len(accounts.AccountList) != 1 || accounts.AccountList[0].AccountName != "development" || accounts.AccountList[0].EmailAddress == "" {
		t.Fatalf("sam's accounts are %+v", accounts)
	}
	account := accounts.AccountList[0].AccountID
	var roles struct {
		RoleList []struct{ RoleName, AccountID string }
	}
	c.decode(c.n.send("GET", "/assignment/roles?account_id="+account, c.access, ""), &roles)
	if len(roles.RoleList) != 1 || roles.RoleList[0].RoleName != "Builder" {
		t.Fatalf("sam's roles are %+v", roles)
	}
	var opened struct {
		RoleCredentials struct {
			AccessKeyID, SecretAccessKey, SessionToken string
			Expiration                                 int64 // milliseconds
		}
	}
	c.decode(c.n.send("GET", "/federation/credentials?role_name=Builder&account_id="+account, c.access, ""), &opened)
	role := opened.RoleCredentials
	if left := time.Until(time.UnixMilli(role.Expiration)); left < 7*time.Hour || left > 8*time.Hour {
		t.Errorf("the credentials last %v", left)
	}
	client := sts.New(sts.Options{
		Region: "us-east-1", BaseEndpoint: &c.n.url,
		Credentials: credentials.NewStaticCredentialsProvider(role.AccessKeyID, role.SecretAccessKey, role.SessionToken),
	})
	who, err := client.GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{})
	if err != nil || *who.Account != account || !strings.HasSuffix(*who.Arn, "/sam.lee") {
		t.Errorf("the caller is %+v (%v)", who, err)
	}
	if a := c.n.send("GET", "/federation/credentials?role_name=Administrator&account_id="+account, c.access, ""); a.status != http.StatusForbidden || a.errorType != "ForbiddenException" || a.body != `{"message":"No access"}` {
		t.Errorf("a role that is not sam's: %d %s %s", a.status, a.errorType, a.body)
	}
}

// TestCodeFlowErrors holds what a client, or a person, hears of a request that
// cannot go on.
func TestCodeFlowErrors(t *testing.T) {
	onBothEngines(t, func(t *testing.T, n *node) {
		c := &cli{n: n}
		c.register(n.startURL())
		redirectURI, _ := c.callback()
		authorize := func(changed string) answer {
			return n.send("GET", "/authorize?response_type=code&client_id="+c.clientID+"&redirect_uri="+url.QueryEscape(redirectURI)+"&state=s&scopes=sso%3Aaccount%3Aaccess"+changed, "", "")
		}
		// Without PKCE, or with what is none, nothing begins.
		for _, changed := range []string{"", "&code_challenge_method=plain&code_challenge=" + verifier, "&code_challenge=" + challenge()} {
			if a := authorize(changed); a.status != http.StatusFound || !strings.HasPrefix(a.location, redirectURI+"?error=invalid_request&") || !strings.HasSuffix(a.location, "&state=s") {
				t.Errorf("%s: answered %d, to %s", changed, a.status, a.location)
			}
		}
		// A person is never sent to another machine.
		for _, evil := range []string{"https://evil.example/oauth/callback", "http://127.0.0.1:80@evil.example/oauth/callback", "http://localhost:1/oauth/callback"} {
			a := n.send("GET", "/authorize?response_type=code&client_id="+c.clientID+"&redirect_uri="+url.QueryEscape(evil)+
				"&state=s&code_challenge_method=S256&scopes=sso%3Aaccount%3Aaccess&code_challenge="+challenge(), "", "")
			if a.status != http.StatusBadRequest || a.location != "" || strings.Contains(a.body, "evil.example") {
				t.Errorf("%s: answered %d, to %q: %s", evil, a.status, a.location, a.body)
			}
		}
	})
}
