package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
)

// settings calls an operation of the settings API on a node and returns what
// is answered.
func (n *node) settings(t *testing.T, k keyPair, operation string, in map[string]any) (status int, answer map[string]any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.url+"/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AtriumSettings."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	sum := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret, SessionToken: k.token}
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), "atrium", "us-east-1", n.Now()); err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("%s: %d %s", operation, response.StatusCode, text)
	}
	return response.StatusCode, answer
}

// administer calls an operation of the settings API on the first node, as an
// IAM user of the management account; it must succeed.
func (c *cluster) administer(t *testing.T, operation string, in map[string]any) map[string]any {
	t.Helper()
	own, err := c.nodes[0].NewAdministratorKey(t.Context(), sampleManagement)
	if err != nil {
		t.Fatal(err)
	}
	status, answer := c.nodes[0].settings(t, keyPair{id: own.ID, secret: own.Secret}, operation, in)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %v", operation, status, answer)
	}
	return answer
}

// opened is everything that a person has open: a session at the portal, a
// program's token, and a role.
type opened struct {
	session session.Session
	token   string
	role    keyPair
}

func (c *cluster) openAll(t *testing.T, user string) (o opened) {
	t.Helper()
	o.session = c.signIn(user)
	o.token = c.logIn(o.session)
	got, err := c.nodes[0].roleCredentials(t.Context(), o.token, sampleDevelopment, "Builder")
	if err != nil {
		t.Fatal(err)
	}
	o.role = keyPair{*got.AccessKeyId, *got.SecretAccessKey, *got.SessionToken}
	return o
}

// live tells what of it a node still lets in.
func (n *node) live(t *testing.T, o opened) (portal, token, role bool) {
	t.Helper()
	err := n.Store.View(t.Context(), func(tx *store.Tx) (err error) {
		_, portal, err = tx.PortalSession(o.session.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = n.portal().ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: &o.token})
	if err != nil && codeOf(err) != "UnauthorizedException" {
		t.Errorf("the token: %v", err)
	}
	_, code := n.whoami(t.Context(), o.role)
	if code != "" && code != "ExpiredToken" {
		t.Errorf("the role: %s", code)
	}
	return portal, err == nil, code == ""
}

// TestSettingsEndWhatIsOpen ends what a person has open in each way that the
// settings API has for it, and measures on another node how long the portal
// session, a program's token and the credentials of a role live on.
func TestSettingsEndWhatIsOpen(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, c *cluster, user map[string]any, o opened){
		"disable": func(t *testing.T, c *cluster, user map[string]any, _ opened) { c.administer(t, "DisableUser", user) },
		"delete session": func(t *testing.T, c *cluster, user map[string]any, o opened) {
			user["SessionIds"] = []string{o.session.ID}
			if n := c.administer(t, "BatchDeleteSession", user)["DeletedCount"]; n != 1.0 {
				t.Errorf("%v sessions were ended", n)
			}
		},
		"delete all sessions": func(t *testing.T, c *cluster, user map[string]any, _ opened) {
			user["AllSessions"] = true
			c.administer(t, "BatchDeleteSession", user)
		},
		"new password": func(t *testing.T, c *cluster, user map[string]any, _ opened) {
			user["PasswordMode"] = "OTP"
			c.administer(t, "UpdatePassword", user)
		},
		"device taken": func(t *testing.T, c *cluster, user map[string]any, o opened) {
			id := c.ids.UUID()
			c.do(func(tx *store.Tx) error {
				return tx.InsertMfaDevice(mfa.Record{
					Device: mfa.Device{
						StoreID: o.session.StoreID, UserID: o.session.UserID, ID: id, Name: "Phone", Type: authsettings.Totp,
						CreatedAt: ident.Millis(c.now()), Version: 1,
					},
					Handle: id, Secret: []byte("sealed"),
				})
			})
			user["DeviceId"] = id
			c.administer(t, "DeleteMfaDeviceForUser", user)
		},
		"delete Identity Center": func(t *testing.T, c *cluster, _ map[string]any, _ opened) {
			c.administer(t, "DeleteInstance", map[string]any{"InstanceArn": c.in.ARN(), "Confirmation": c.in.ID})
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, func(t *testing.T, c *cluster) {
				sam := c.person("sam.lee")
				o, bystander := c.openAll(t, sam), c.open(c.person("admin"), sampleManagement, "Administrator")
				for i, n := range c.nodes {
					if portal, token, role := n.live(t, o); !portal || !token || !role {
						t.Fatalf("before, on node %d: portal %t, token %t, role %t", i, portal, token, role)
					}
				}
				end(t, c, map[string]any{"IdentityStoreId": c.in.IdentityStoreID, "UserId": sam}, o)
				changed := time.Now()
				if portal, token, role := c.nodes[0].live(t, o); portal || token || role {
					t.Errorf("on the same node: portal %t, token %t, role %t", portal, token, role)
				}
				for {
					asked := time.Now()
					portal, token, role := c.last().live(t, o)
					if !portal && !token && !role {
						break
					}
					if asked.Sub(changed) > time.Second {
						t.Fatalf("a second later: portal %t, token %t, role %t", portal, token, role)
					}
				}
				t.Logf("noticed after %v", time.Since(changed))
				if _, code := c.last().whoami(t.Context(), bystander); code != "" && name != "delete Identity Center" {
					t.Errorf("a bystander's role: %s", code)
				}
			})
		})
	}
}

// TestSettingsAreReadAtOnce changes settings on one node and expects the next
// call on another to go by them.
func TestSettingsAreReadAtOnce(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		own, err := c.nodes[0].NewAdministratorKey(t.Context(), sampleManagement)
		if err != nil {
			t.Fatal(err)
		}
		key := keyPair{id: own.ID, secret: own.Secret}
		set := func(kind, member string, value any) {
			t.Helper()
			in := map[string]any{"InstanceArn": c.in.ARN(), "ConfigurationType": kind, "SsoConfiguration": map[string]any{member: value}}
			if status, answer := c.nodes[0].settings(t, key, "UpdateSSOConfiguration", in); status != http.StatusOK {
				t.Fatalf("%d %v", status, answer)
			}
		}
		for _, hours := range []string{"PT1H", "PT12H", "PT720H"} {
			set("SESSION", "SessionConfiguration", map[string]any{"MaxAuthenticationAge": hours})
			_, answer := c.last().settings(t, key, "GetSsoConfiguration", map[string]any{"InstanceArn": c.in.ARN()})
			got, _ := answer["SsoConfiguration"].(map[string]any)["SessionConfiguration"].(map[string]any)["MaxAuthenticationAge"].(string)
			if got != hours {
				t.Errorf("the other node says %s, want %s", got, hours)
			}
		}
		for _, mode := range []string{"DISABLED", "ALLOW", "DISABLED", "TYPE_CODE"} {
			set("DEVICE_AUTHORIZATION", "DeviceAuthorizationConfiguration", map[string]any{"Mode": mode})
			if code := c.last().startDevice(t, c.in.StartURL()); (code == "") != (mode != "DISABLED") {
				t.Errorf("%s: the other node answers %q", mode, code)
			}
		}
	})
}

// startDevice has a program ask a node for a code, and returns the error code
// of the refusal.
func (n *node) startDevice(t *testing.T, startURL string) (code string) {
	t.Helper()
	client := ssooidc.New(ssooidc.Options{Region: "us-east-1", BaseEndpoint: &n.url})
	r, err := client.RegisterClient(t.Context(), &ssooidc.RegisterClientInput{ClientName: new("test"), ClientType: new("public")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.StartDeviceAuthorization(t.Context(), &ssooidc.StartDeviceAuthorizationInput{
		ClientId: r.ClientId, ClientSecret: r.ClientSecret, StartUrl: &startURL,
	})
	return codeOf(err)
}
