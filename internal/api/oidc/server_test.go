package oidc_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/ssooidc"

	"github.com/atrium-iam/atrium/internal/api/oidc"
	"github.com/atrium-iam/atrium/internal/audit"
	wire "github.com/atrium-iam/atrium/internal/awsapi/ssooidc"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// server serves sso-oidc and the authorization endpoint over HTTP, for an
// instance with one person, sam, who is signed in to the portal.
type server struct {
	t       testing.TB
	db      *store.Store
	ids     ident.Source
	url     *url.URL
	in      instance.Instance
	sam     directory.User
	session session.Session

	mu      sync.Mutex
	now     time.Time
	handler http.Handler
	keys    oauth.Keys
	records []audit.Record // recorded after the fact
	log     bytes.Buffer
}

// each runs test with a new server on every engine.
func each(t *testing.T, test func(t *testing.T, s *server)) {
	t.Helper()
	storetest.Run(t, func(t *testing.T, db *store.Store) { test(t, newServer(t, db)) })
}

func newServer(t testing.TB, db *store.Store) *server {
	t.Helper()
	s := &server{t: t, db: db, ids: ident.NewSource(rand.Reader), now: storetest.Now()}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.current().ServeHTTP(w, r) }))
	t.Cleanup(h.Close)
	var err error
	if s.url, err = url.Parse(h.URL); err != nil {
		t.Fatal(err)
	}
	s.in = instance.Instance{
		ID: "ssoins-0123456789abcdef", IdentityStoreID: "d-1234567890", OwnerAccountID: "123456789012", OrganizationID: "o-abcdefghij",
		Region: "us-east-1", CreatedAt: s.now, Version: 1,
	}
	s.update(func(tx *store.Tx) error {
		if err := tx.InsertInstance(s.in); err != nil {
			return err
		}
		s.sam, err = directory.CreateUser(tx, s.ids, directory.Stamp{At: s.now, By: "test"}, s.in.IdentityStoreID, directory.NewUser{
			Attributes: directory.Attributes{UserName: "sam", DisplayName: "Sam", Name: directory.Name{GivenName: "Sam", FamilyName: "Lee"}},
		})
		if err != nil {
			return err
		}
		s.session, _, err = session.Start(tx, s.now, s.ids, s.sam.StoreID, s.sam.ID, 8*time.Hour, session.Client{IP: "203.0.113.9"})
		return err
	})
	s.restart()
	return s
}

// restart builds everything anew on the same database, as a restart of the
// program does.
func (s *server) restart() {
	s.t.Helper()
	root, err := keys.NewRoot(bytes.Repeat([]byte{7}, 32), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	ring, err := keys.Load(context.Background(), store.Bind[keys.Tx](s.db), root, s.clock, rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	k := oauth.Keys{Clients: key{ring, keys.ClientSecrets}, Tokens: key{ring, keys.Sessions}}
	g, err := gateway.New(gateway.Options{
		Services: []gateway.Service{gateway.NewService(wire.Descriptor(), store.BindSnapshot[oidc.Tx](s.db),
			wire.Bind[*gateway.Context[oidc.Tx]](oidc.Service{Keys: k, URL: s.url}))},
		Audit: s, IDs: s.ids, Policies: iam.NewCompiler(func(string) (string, bool) { return "", false }, 1),
		Now: s.clock, Log: slog.New(slog.NewTextHandler(s, nil)), Region: "us-east-1",
		ClientIP: func(*http.Request) netip.Addr { return netip.MustParseAddr("198.51.100.7") },
		Secure:   func(*http.Request) bool { return false },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	mux := http.NewServeMux()
	pages := &oidc.Pages{
		DB: store.Bind[instance.PortalReader](s.db), Keys: k, URL: s.url, Consent: "/consent/", Now: s.clock,
		Fail: func(w http.ResponseWriter, _ *http.Request, status int, code string) {
			http.Error(w, code, status)
		},
	}
	pages.Mount(mux)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = k
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.Handles(r) {
			g.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

type key struct {
	ring    *keys.Ring
	purpose keys.Purpose
}

func (k key) Seal(plaintext, aad []byte) ([]byte, error) {
	return k.ring.Seal(k.purpose, plaintext, aad)
}
func (k key) Open(sealed, aad []byte) ([]byte, error) { return k.ring.Open(k.purpose, sealed, aad) }
func (k key) Sign(data []byte) ([]byte, error)        { return k.ring.MAC(k.purpose, data) }
func (k key) Verify(data, tag []byte) error           { return k.ring.VerifyMAC(k.purpose, data, tag) }

func (s *server) current() http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handler
}

func (s *server) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *server) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// Enqueue, Noise and Write keep what is recorded and logged.
func (s *server) Enqueue(r audit.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, r)
}

func (s *server) Noise(r audit.Record) { s.Enqueue(r) }

func (s *server) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *server) update(f func(tx *store.Tx) error) {
	s.t.Helper()
	if err := s.db.Update(context.Background(), f); err != nil {
		s.t.Fatal(err)
	}
}

// client returns AWS's own client.
func (s *server) client() *sdk.Client {
	return sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: new(s.url.String()), RetryMaxAttempts: 1})
}

// answer is what came back of a request.
type answer struct {
	Status    int
	ErrorType string
	Location  string
	Body      string
}

// send sends a request exactly as given.
func (s *server) send(method, target, body string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, s.url.String()+target, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header.Get("x-amzn-ErrorType"), response.Header.Get("Location"), string(raw)}
}

// post sends a JSON body and reads the members of the answer, which has to
// have these and no others.
func (s *server) post(path, body string, members ...string) map[string]any {
	s.t.Helper()
	a := s.send(http.MethodPost, path, body)
	var got map[string]any
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil || a.Status != http.StatusOK {
		s.t.Fatalf("%s answered %d %s (%v)", path, a.Status, a.Body, err)
	}
	for _, m := range members {
		if _, ok := got[m]; !ok {
			s.t.Fatalf("%s answered %s, without %s", path, a.Body, m)
		}
	}
	if len(got) != len(members) {
		s.t.Fatalf("%s answered %s, more than %s", path, a.Body, members)
	}
	return got
}

// fails sends a JSON body and expects an error in the form that AWS's clients
// need: a header for the SDKs, OAuth's code for the others.
func (s *server) fails(path, body string, status int, shape, code string) {
	s.t.Helper()
	a := s.send(http.MethodPost, path, body)
	var got map[string]any
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil {
		s.t.Fatalf("%s answered %d %s (%v)", path, a.Status, a.Body, err)
	}
	if a.Status != status || a.ErrorType != shape || got["error"] != code || got["error_description"] == "" {
		s.t.Fatalf("%s answered %d %s %s, want %d %s %s", path, a.Status, a.ErrorType, a.Body, status, shape, code)
	}
}

// approveDevice does what sam does on the page.
func (s *server) approveDevice(userCode string) {
	s.t.Helper()
	s.update(func(tx *store.Tx) error {
		_, err := oauth.ApproveDevice(tx, s.clock(), s.session, userCode)
		return err
	})
}

// approve does what sam does on the consent page at a path, and returns where
// the browser goes.
func (s *server) approve(address string) (to *url.URL) {
	s.t.Helper()
	id, ok := strings.CutPrefix(address, s.url.String()+"/consent/")
	if !ok {
		s.t.Fatalf("the browser is sent to %q", address)
	}
	s.mu.Lock()
	k := s.keys
	s.mu.Unlock()
	s.update(func(tx *store.Tx) error {
		redirect, err := oauth.ApproveAuthorization(tx, s.clock(), s.ids, k, s.session, id)
		if err != nil {
			return err
		}
		to, err = url.Parse(redirect)
		return err
	})
	return to
}

// works fails the test unless an access token is sam's.
func (s *server) works(token string) {
	s.t.Helper()
	if g, err := s.verify(token); err != nil || g.UserID != s.sam.ID || g.SessionID != s.session.ID {
		s.t.Fatalf("the token is for %+v (%v)", g, err)
	}
}

func (s *server) verify(token string) (g oauth.Grant, err error) {
	s.mu.Lock()
	k := s.keys
	s.mu.Unlock()
	err = s.db.View(context.Background(), func(tx *store.Tx) (err error) {
		g, err = oauth.VerifyAccessToken(tx, s.clock(), k, token)
		return err
	})
	return g, err
}

// text is a member of an answer that has to be text.
func text(t testing.TB, members map[string]any, name string) string {
	t.Helper()
	s, ok := members[name].(string)
	if !ok || s == "" {
		t.Fatalf("%s is %v", name, members[name])
	}
	return s
}

func body(format string, args ...any) string { return fmt.Sprintf(format, args...) }
