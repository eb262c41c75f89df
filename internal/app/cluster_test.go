package app

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	ssotypes "github.com/aws/aws-sdk-go-v2/service/sso/types"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// cluster is one or more nodes on one database with the sample data.
type cluster struct {
	t     testing.TB
	nodes []*node
	shift atomic.Int64 // of the time
	ids   ident.Source
	in    instance.Instance
	org   organization.Organization
}

// node is one program, served on a port of its own.
type node struct {
	*Program
	url string
}

// now is the machine's time, shifted.
func (c *cluster) now() time.Time { return time.Now().Add(time.Duration(c.shift.Load())) }

// onEachEngine runs test on one node with SQLite, and on two with PostgreSQL.
func onEachEngine(t *testing.T, test func(t *testing.T, c *cluster)) {
	t.Run("SQLite", func(t *testing.T) { test(t, newCluster(t, store.Config{}, 1)) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, newCluster(t, store.Config{PostgresDSN: storetest.Postgres(t)}, 2)) })
}

func newCluster(t testing.TB, cfg store.Config, size int) *cluster {
	t.Helper()
	c := &cluster{t: t, ids: ident.NewSource(rand.Reader)}
	root, err := keys.NewRoot(c.ids.Bytes(keys.RootSize), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Clock = c.now
	for range size {
		c.start(storetest.Open(t, cfg), root)
	}
	if _, err := c.nodes[0].CreateSample(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.do(func(tx *store.Tx) (err error) {
		if c.org, err = organization.Required(tx, SampleManagementAccount); err != nil {
			return err
		}
		c.in, _, err = tx.InstanceOfOrganization(c.org.ID)
		return err
	})
	return c
}

func (c *cluster) start(s *store.Store, root keys.Root) {
	c.t.Helper()
	n := new(node)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n.handler.ServeHTTP(w, r) }))
	c.t.Cleanup(server.Close)
	n.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	address, err := url.Parse(n.url)
	if err != nil {
		c.t.Fatal(err)
	}
	n.Program, err = New(c.t.Context(), Options{
		PeopleURL: address, DataURL: address, Region: "us-east-1", Root: root, Store: s,
		Log: slog.New(slog.DiscardHandler), Now: c.now, Rand: rand.Reader,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var background sync.WaitGroup
	background.Go(func() { n.epochs.Run(ctx, func(err error) { c.t.Error(err) }) })
	background.Go(func() { s.Listen(ctx, func(err error) { c.t.Error(err) }) })
	c.t.Cleanup(func() { stop(); background.Wait() })
	c.nodes = append(c.nodes, n)
}

// last is the node that made no change itself, where there are several.
func (c *cluster) last() *node { return c.nodes[len(c.nodes)-1] }

// do changes something on the first node.
func (c *cluster) do(f func(tx *store.Tx) error) {
	c.t.Helper()
	if err := c.nodes[0].Store.Update(c.t.Context(), f); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) stamp() directory.Stamp {
	return directory.Stamp{At: ident.Millis(c.now()), By: "test"}
}

// person finds a person of the sample data, or makes one.
func (c *cluster) person(name string) (id string) {
	c.t.Helper()
	c.do(func(tx *store.Tx) (err error) {
		var found bool
		if id, found, err = tx.DirectoryUserIDByName(c.in.IdentityStoreID, name); err != nil || found {
			return err
		}
		u, err := directory.CreateUser(tx, c.ids, c.stamp(), c.in.IdentityStoreID, directory.NewUser{Attributes: directory.Attributes{
			UserName: name, DisplayName: name, Name: directory.Name{GivenName: name, FamilyName: name},
		}})
		id = u.ID
		return err
	})
	return id
}

// assign gives a person a permission set of the sample data in an account.
func (c *cluster) assign(user, set, account string) {
	c.t.Helper()
	c.do(func(tx *store.Tx) error {
		s, err := c.set(tx, set)
		if err != nil {
			return err
		}
		_, err = assignment.Create(tx, ident.Millis(c.now()), c.ids, c.in, s, account, assignment.Principal{Type: assignment.User, ID: user})
		return err
	})
}

func (c *cluster) unassign(user, set, account string) {
	c.t.Helper()
	c.do(func(tx *store.Tx) error {
		s, err := c.set(tx, set)
		if err != nil {
			return err
		}
		_, err = assignment.Delete(tx, ident.Millis(c.now()), c.ids, c.in, s, account, assignment.Principal{Type: assignment.User, ID: user})
		return err
	})
}

func (c *cluster) set(tx *store.Tx, name string) (permissionset.PermissionSet, error) {
	ids, _, err := permissionset.List(tx, c.in, "", 100)
	for _, id := range ids {
		s, err := permissionset.ByARN(tx, c.in, c.in.PermissionSetARN(id))
		if err != nil || s.Name == name {
			return s, err
		}
	}
	return permissionset.PermissionSet{}, errors.Join(err, errors.New("no permission set "+name))
}

// signIn begins a session at the portal.
func (c *cluster) signIn(user string) (s session.Session) {
	c.t.Helper()
	c.do(func(tx *store.Tx) (err error) {
		s, _, err = session.Start(tx, ident.Millis(c.now()), c.ids, c.in.IdentityStoreID, user, session.DefaultDuration, session.Client{})
		return err
	})
	return s
}

// logIn returns an access token that a program gets in a portal session.
func (c *cluster) logIn(s session.Session) string {
	c.t.Helper()
	ctx := c.t.Context()
	client := ssooidc.New(ssooidc.Options{Region: "us-east-1", BaseEndpoint: &c.nodes[0].url})
	r, err := client.RegisterClient(ctx, &ssooidc.RegisterClientInput{
		ClientName: new("test"), ClientType: new("public"), Scopes: []string{oauth.ScopeAccountAccess},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	d, err := client.StartDeviceAuthorization(ctx, &ssooidc.StartDeviceAuthorizationInput{
		ClientId: r.ClientId, ClientSecret: r.ClientSecret, StartUrl: new(c.in.StartURL()),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.do(func(tx *store.Tx) error {
		_, err := oauth.ApproveDevice(tx, ident.Millis(c.now()), s, *d.UserCode)
		return err
	})
	out, err := client.CreateToken(ctx, &ssooidc.CreateTokenInput{
		ClientId: r.ClientId, ClientSecret: r.ClientSecret, DeviceCode: d.DeviceCode, GrantType: new(oauth.GrantDeviceCode),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return *out.AccessToken
}

func (n *node) portal() *sso.Client {
	return sso.New(sso.Options{Region: "us-east-1", BaseEndpoint: &n.url, Retryer: aws.NopRetryer{}})
}

// roleCredentials opens a role with an access token.
func (n *node) roleCredentials(ctx context.Context, token, account, role string) (*ssotypes.RoleCredentials, error) {
	out, err := n.portal().GetRoleCredentials(ctx, &sso.GetRoleCredentialsInput{AccessToken: &token, AccountId: &account, RoleName: &role})
	if err != nil {
		return nil, err
	}
	return out.RoleCredentials, nil
}

// open opens a role of a person, who signs in for it.
func (c *cluster) open(user, account, role string) keyPair {
	c.t.Helper()
	got, err := c.nodes[0].roleCredentials(c.t.Context(), c.logIn(c.signIn(user)), account, role)
	if err != nil {
		c.t.Fatal(err)
	}
	return keyPair{*got.AccessKeyId, *got.SecretAccessKey, *got.SessionToken}
}

// keyPair is what requests are signed with.
type keyPair struct{ id, secret, token string }

func pairOf(c *ststypes.Credentials) keyPair {
	return keyPair{*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken}
}

func (k keyPair) provider() aws.CredentialsProvider {
	return awscredentials.NewStaticCredentialsProvider(k.id, k.secret, k.token)
}

func (n *node) sts(k keyPair) *sts.Client {
	return sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: &n.url, Credentials: k.provider(), Retryer: once()})
}

func (n *node) organizations(k keyPair) *organizations.Client {
	return organizations.New(organizations.Options{Region: "us-east-1", BaseEndpoint: &n.url, Credentials: k.provider(), Retryer: once()})
}

func (n *node) directory(k keyPair) *identitystore.Client {
	return identitystore.New(identitystore.Options{Region: "us-east-1", BaseEndpoint: &n.url, Credentials: k.provider(), Retryer: once()})
}

func once() aws.Retryer { return retry.AddWithMaxAttempts(retry.NewStandard(), 1) }

// whoami returns the ARN that a key pair has at a node, or the code of the
// refusal.
func (n *node) whoami(ctx context.Context, k keyPair) (arn, code string) {
	out, err := n.sts(k).GetCallerIdentity(ctx, nil)
	if err != nil {
		return "", codeOf(err)
	}
	return *out.Arn, ""
}

// codeOf is the error code that a service answered.
func codeOf(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}
