package identitystore_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/identitystore"

	"github.com/atrium-iam/atrium/internal/api/identitystore"
	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/audit"
	wire "github.com/atrium-iam/atrium/internal/awsapi/identitystore"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

const management, member, outsider = "123456789012", "111111111111", "999999999999"

// server serves the identity store of an organization with one member, beside
// an account that has nothing to do with it.
type server struct {
	t     *testing.T
	db    *store.Store
	url   string
	ids   ident.Source
	store string // identity store id

	mu    sync.Mutex
	users map[string]iam.Principal // IAM users by access key id
}

func newServer(t *testing.T, db *store.Store) *server {
	t.Helper()
	s := &server{t: t, db: db, ids: ident.NewSource(rand.Reader), users: map[string]iam.Principal{}}
	now := storetest.Now()
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		for _, id := range []string{management, outsider} {
			in := organization.NewAccount{ID: id, Name: "account " + id, Email: id + "@example.com"}
			if _, err := organization.CreateStandaloneAccount(tx, now, s.ids, in); err != nil {
				return err
			}
		}
		o, err := organization.CreateOrganization(tx, now, s.ids, management, organization.AllFeatures)
		if err != nil {
			return err
		}
		in := organization.NewAccount{ID: member, Name: "member", Email: "member@example.com"}
		if _, err := organization.CreateAccount(tx, now, s.ids, o, in); err != nil {
			return err
		}
		i, err := instance.Enable(tx, now, s.ids, o, "us-east-1")
		s.store = i.IdentityStoreID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	service := gateway.NewService(wire.Descriptor(), store.Bind[identitystore.Tx](db),
		wire.Bind[*gateway.Context[identitystore.Tx]](identitystore.Service{}))
	g, err := gateway.New(gateway.Options{
		Services: []gateway.Service{service}, Keys: s, Tokens: plainSealer{}, Audit: noAudit{}, IDs: s.ids,
		Policies: iam.NewCompiler(func(string) (string, bool) { return "", false }, 100),
		Now:      storetest.Now, Log: slog.New(slog.DiscardHandler), Region: "us-east-1",
		ClientIP: func(*http.Request) netip.Addr { return netip.IPv6Loopback() },
		Secure:   func(*http.Request) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(g)
	t.Cleanup(h.Close)
	s.url = h.URL
	return s
}

// FindKey answers the keys of IAM users, and every other access key id with
// the root user of the account that it encodes.
func (s *server) FindKey(_ context.Context, id, _ string) (gateway.Credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	principal, found := s.users[id]
	if !found {
		account := ident.AccessKeyAccount(id)
		principal = iam.Principal{Kind: iam.KindRoot, AccountID: account, ARN: "arn:aws:iam::" + account + ":root", ID: account}
	}
	principal.AccessKeyID = id
	return gateway.Credential{Secret: "secret", Principal: principal}, nil
}

// as returns a client with the credentials of account's root user.
func (s *server) as(account string) *sdk.Client { return s.client(s.ids.AccessKeyID("AKIA", account)) }

// asUser returns a client with the credentials of a new IAM user of the
// management account who may do what policy says.
func (s *server) asUser(name, policy string) *sdk.Client {
	s.t.Helper()
	key := s.ids.AccessKeyID("AKIA", management)
	err := s.db.Update(s.t.Context(), func(tx *store.Tx) error {
		u, err := iam.CreateUser(tx, storetest.Now(), s.ids, management, "/", name)
		if err != nil {
			return err
		}
		if u, err = iam.PutUserPolicy(tx, u, "policy", policy); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.users[key] = iam.Principal{
			Kind: iam.KindUser, AccountID: management, ARN: "arn:aws:iam::" + management + ":user/" + name,
			ID: u.ID, UserID: u.ID, UserName: name,
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.client(key)
}

func (s *server) client(key string) *sdk.Client {
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &s.url, RetryMaxAttempts: 1,
		Credentials:  credentials.NewStaticCredentialsProvider(key, "secret", ""),
		HTTPSignerV4: fixedSigner{v4.NewSigner()},
	})
}

// fixedSigner signs at the time that the server believes it is.
type fixedSigner struct{ *v4.Signer }

func (f fixedSigner) SignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, payloadHash, service, region string, _ time.Time, options ...func(*v4.SignerOptions)) error {
	return f.Signer.SignHTTP(ctx, c, r, payloadHash, service, region, storetest.Now(), options...)
}

// plainSealer binds a token to its context without hiding it.
type plainSealer struct{}

func (plainSealer) Seal(plaintext, aad []byte) ([]byte, error) {
	sum := sha256.Sum256(aad)
	return append(sum[:], plaintext...), nil
}

func (plainSealer) Open(sealed, aad []byte) ([]byte, error) {
	sum := sha256.Sum256(aad)
	plaintext, ok := bytes.CutPrefix(sealed, sum[:])
	if !ok {
		return nil, errors.New("not a token for this")
	}
	return plaintext, nil
}

type noAudit struct{}

func (noAudit) Enqueue(audit.Record) {}
func (noAudit) Noise(audit.Record)   {}

// must returns the value of a call that has to succeed.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// delegate makes the member account the delegated administrator of IAM
// Identity Center.
func (s *server) delegate() {
	s.t.Helper()
	err := s.db.Update(s.t.Context(), func(tx *store.Tx) error {
		o, err := organization.Required(tx, management)
		if err != nil {
			return err
		}
		if err := organization.EnableServiceAccess(tx, storetest.Now(), o, organization.IdentityCenter); err != nil {
			return err
		}
		return organization.RegisterDelegatedAdministrator(tx, storetest.Now(), o, member, organization.IdentityCenter)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// assign gives a user or group access to an account.
func (s *server) assign(account string, to assignment.Principal) {
	s.t.Helper()
	err := s.db.Update(s.t.Context(), func(tx *store.Tx) error {
		i, err := instance.ByIdentityStore(tx, s.store)
		if err != nil {
			return err
		}
		set, err := permissionset.Create(tx, storetest.Now(), s.ids, i, permissionset.New{Name: "set-" + s.ids.Hex(6)})
		if err != nil {
			return err
		}
		_, err = assignment.Create(tx, storetest.Now(), s.ids, i, set, account, to)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}
