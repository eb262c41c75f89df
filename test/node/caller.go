package node

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/store"
)

// AdministratorAccess is the ARN of AWS's policy that allows everything.
const AdministratorAccess = "arn:aws:iam::aws:policy/AdministratorAccess"

// Caller is somebody with an access key.
type Caller struct {
	Account, ARN string
	KeyID        string
	Secret       string
	Token        string // of a session; "" for long-term keys

	STS           *sts.Client
	SSOAdmin      *ssoadmin.Client
	IdentityStore *identitystore.Client
	Organizations *organizations.Client
	SSO           *sso.Client
	OIDC          *ssooidc.Client
}

// Callers are one of each kind.
type Callers struct {
	Admin     *Caller // AdministratorAccess in the management account
	Member    *Caller // AdministratorAccess in a member account
	Delegated *Caller // AdministratorAccess in the delegated administrator account
	Powerless *Caller // no policy, in the management account
	Forbidden *Caller // AdministratorAccess and an explicit deny of all, in the management account
	Outsider  *Caller // AdministratorAccess in an account outside of any organization
	Foreign   *Caller // AdministratorAccess in the management account of another organization
}

// Callers makes one caller of each kind: Development becomes the delegated
// administrator of Identity Center, and Elsewhere has an organization with an
// instance of its own.
func (n *Node) Callers(t testing.TB) Callers {
	t.Helper()
	err := n.Store.Update(t.Context(), func(tx *store.Tx) error {
		_, err := organization.CreateStandaloneAccount(tx, n.Clock.Now(), n.ids, organization.NewAccount{ID: Outside, Name: "outside", Email: "outside@example.com"})
		if err != nil {
			return err
		}
		if err := n.otherOrganization(tx); err != nil {
			return err
		}
		return organization.RegisterDelegatedAdministrator(tx, n.Clock.Now(), n.Organization, Development, organization.IdentityCenter)
	})
	if err != nil {
		t.Fatal(err)
	}
	return Callers{
		Admin:     n.Administrator(t, Management),
		Member:    n.Administrator(t, Production),
		Delegated: n.Administrator(t, Development),
		Powerless: n.User(t, Management, "powerless"),
		Forbidden: n.User(t, Management, "forbidden", AdministratorAccess,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`),
		Outsider: n.Administrator(t, Outside),
		Foreign:  n.Administrator(t, Elsewhere),
	}
}

func (n *Node) otherOrganization(tx *store.Tx) error {
	now := n.Clock.Now()
	_, err := organization.CreateStandaloneAccount(tx, now, n.ids, organization.NewAccount{ID: Elsewhere, Name: "elsewhere", Email: "elsewhere@example.com"})
	if err != nil {
		return err
	}
	o, err := organization.CreateOrganization(tx, now, n.ids, Elsewhere, organization.AllFeatures)
	if err != nil {
		return err
	}
	_, err = instance.Enable(tx, now, n.ids, o, Region)
	return err
}

// Administrator makes a user with AdministratorAccess in an account.
func (n *Node) Administrator(t testing.TB, account string) *Caller {
	t.Helper()
	return n.User(t, account, "root-of-"+account, AdministratorAccess)
}

// User makes an IAM user with an access key. policies are ARNs of managed
// policies or documents of inline ones.
func (n *Node) User(t testing.TB, account, name string, policies ...string) *Caller {
	t.Helper()
	c := &Caller{Account: account}
	err := n.Store.Update(t.Context(), func(tx *store.Tx) error {
		u, err := iam.CreateUser(tx, n.Clock.Now(), n.ids, account, "/", name)
		for _, p := range policies {
			if err != nil {
				return err
			}
			if strings.HasPrefix(p, "arn:") {
				u, err = iam.AttachUserPolicy(tx, u, p)
			} else {
				u, err = iam.PutUserPolicy(tx, u, "inline", p)
			}
		}
		if err != nil {
			return err
		}
		key, secret, err := iam.CreateAccessKey(tx, n.Clock.Now(), n.ids, sealer{n.ring}, u)
		c.ARN, c.KeyID, c.Secret = u.ARN(), key.ID, secret
		return err
	})
	if err != nil {
		t.Fatalf("making the user %s: %v", name, err)
	}
	n.connect(t, c)
	return c
}

// Session returns a caller with the credentials of a session.
func (n *Node) Session(t testing.TB, keyID, secret, token string) *Caller {
	c := &Caller{KeyID: keyID, Secret: secret, Token: token}
	n.connect(t, c)
	return c
}

// connect makes the caller's clients. They try once, and every answer is held
// to what all answers must be.
func (n *Node) connect(t testing.TB, c *Caller) { c.Connect(n.URL, judge{t, n.Succeeded}) }

// Connect makes the caller's clients, which try once.
func (c *Caller) Connect(address string, client aws.HTTPClient) {
	config := aws.Config{
		Region: Region, BaseEndpoint: &address, HTTPClient: client,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: c.KeyID, SecretAccessKey: c.Secret, SessionToken: c.Token}, nil
		}),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
	c.STS, c.SSOAdmin = sts.NewFromConfig(config), ssoadmin.NewFromConfig(config)
	c.IdentityStore, c.Organizations = identitystore.NewFromConfig(config), organizations.NewFromConfig(config)
	c.SSO, c.OIDC = sso.NewFromConfig(config), ssooidc.NewFromConfig(config)
}

// Client returns the caller's client of a service, by the service's name in
// the model.
func (c *Caller) Client(service string) any {
	return map[string]any{
		"sts": c.STS, "sso-admin": c.SSOAdmin, "identitystore": c.IdentityStore,
		"organizations": c.Organizations, "sso": c.SSO, "sso-oidc": c.OIDC,
	}[service]
}

type sealer struct{ ring *keys.Ring }

func (s sealer) Seal(plaintext, aad []byte) ([]byte, error) {
	return s.ring.Seal(keys.StoredSecrets, plaintext, aad)
}

func (s sealer) Open(sealed, aad []byte) ([]byte, error) {
	return s.ring.Open(keys.StoredSecrets, sealed, aad)
}

// judge is an HTTP client that holds every answer to what all answers must be:
// never a failure of the server, never a page, never kept by a cache.
type judge struct {
	t         testing.TB
	succeeded func(Exchange)
}

// Exchange is a request of an SDK that succeeded.
type Exchange struct {
	Request   *http.Request
	Body      []byte
	RequestID string
}

func (j judge) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil && r.ContentLength >= 0 {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	j.check(r, response)
	if j.succeeded != nil && response.StatusCode == http.StatusOK {
		j.succeeded(Exchange{r, body, response.Header.Get("X-Amzn-Requestid")})
	}
	return response, nil
}

func (j judge) check(r *http.Request, response *http.Response) {
	fault := func(what string) {
		body, _ := io.ReadAll(response.Body)
		response.Body = io.NopCloser(strings.NewReader(string(body)))
		j.t.Errorf("%s: %s %s %s: %d %v %.300s", what, r.Method, r.URL, r.Header.Get("X-Amz-Target"), response.StatusCode, response.Header, body)
	}
	switch contentType := response.Header.Get("Content-Type"); {
	case response.StatusCode >= http.StatusInternalServerError:
		fault("the server failed")
	case contentType != "application/x-amz-json-1.1" && contentType != "application/json" && contentType != "text/xml":
		fault("no content type of a protocol")
	case response.Header.Get("X-Amzn-Requestid") == "":
		fault("no request id")
	case response.Header.Get("Cache-Control") != "no-store" || response.Header.Get("X-Content-Type-Options") != "nosniff":
		fault("the answer may be cached or sniffed")
	case response.Header.Get("Access-Control-Allow-Origin") != "" || response.Header.Get("Set-Cookie") != "":
		fault("the answer speaks to browsers")
	}
}

var transport = &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
