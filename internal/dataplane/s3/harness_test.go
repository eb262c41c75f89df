package s3_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/dataplane/objectstore"
	"github.com/atrium-iam/atrium/internal/dataplane/s3"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

const (
	region  = "us-east-1"
	account = "111111111111"
	other   = "222222222222"
)

// The policies that callers have.
const (
	everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	listing    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListAllMyBuckets","s3:ListBucket"],"Resource":"*"}]}`
)

// door is a Handler with callers, on a store of its own.
type door struct {
	URL, People string
	server      *httptest.Server
	handler     *s3.Handler
	keys        *keys
	trail       *trail
	foreign     bool // the storage is not ours
}

// caller is somebody with credentials.
type caller struct{ id, secret, token string }

// open opens a door that listens. Options may be changed before.
func open(t testing.TB, change ...func(*s3.Options)) *door {
	t.Helper()
	ids := ident.NewSource(rand.Reader)
	d := &door{keys: &keys{known: map[string]known{}}, trail: new(trail)}
	server := httptest.NewUnstartedServer(nil)
	port := server.Listener.Addr().(*net.TCPAddr).Port
	d.URL = "http://127.0.0.1:" + itoa(port)
	d.People = "http://localhost:" + itoa(port)
	address, _ := url.Parse(d.URL)
	o := s3.Options{
		Keys: d.keys, DB: d.trail, Policies: iam.NewCompiler(func(string) (string, bool) { return "", false }, 100),
		Audit: d.trail, IDs: ids, Now: time.Now, Log: slog.New(slog.DiscardHandler), Region: region, URL: address,
		ClientIP: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.7") },
		Secure:   func(*http.Request) bool { return false },
	}
	for _, f := range change {
		f(&o)
	}
	if o.Connector == nil {
		store, err := objectstore.Open(t.Context(), t.TempDir(), ids, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		o.Connector = store
	}
	d.handler = s3.New(o)
	server.Config.Handler = d.handler
	server.Start()
	t.Cleanup(server.Close)
	d.server = server
	return d
}

func itoa(n int) string {
	raw, _ := json.Marshal(n)
	return string(raw)
}

// admit gives an account's role session with a policy credentials.
func (d *door) admit(accountID, policy string) caller {
	d.keys.mu.Lock()
	defer d.keys.mu.Unlock()
	c := caller{id: "ASIA" + accountID + itoa(len(d.keys.known)), secret: "secret" + rand.Text(), token: rand.Text()}
	role := iam.Role{AccountID: accountID, ID: "AROA" + c.id, Name: "Tester", Path: "/"}
	p := role.Session("sam")
	p.AccessKeyID = c.id
	p.Session = &iam.Session{Policies: []string{policy}}
	d.keys.known[c.id] = known{credential: gateway.Credential{Secret: c.secret, Principal: p}, token: c.token}
	return c
}

// user gives an account a long-term access key without a session. Everything
// is allowed with it.
func (d *door) user(accountID string) caller {
	d.keys.mu.Lock()
	defer d.keys.mu.Unlock()
	c := caller{id: "AKIA" + accountID, secret: "secret" + rand.Text()}
	p := iam.Role{AccountID: accountID, ID: "AROA" + c.id, Name: "Backing", Path: "/"}.Session("storage")
	p.AccessKeyID = c.id
	d.keys.known[c.id] = known{credential: gateway.Credential{Secret: c.secret, Principal: p}}
	return c
}

// end ends a caller's credentials.
func (d *door) end(c caller) {
	d.keys.mu.Lock()
	defer d.keys.mu.Unlock()
	k := d.keys.known[c.id]
	k.ended = true
	d.keys.known[c.id] = k
}

// client returns the SDK's client for a caller. It tries once.
func (d *door) client(c caller, change ...func(*sdk.Options)) *sdk.Client {
	return sdk.New(sdk.Options{
		Region: region, BaseEndpoint: aws.String(d.URL), UsePathStyle: true, Retryer: aws.NopRetryer{},
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		Credentials:                credentials.NewStaticCredentialsProvider(c.id, c.secret, c.token),
	}, change...)
}

// keys is a gateway.KeyDatabase.
type keys struct {
	mu    sync.Mutex
	known map[string]known
}

type known struct {
	credential gateway.Credential
	token      string
	ended      bool
}

func (k *keys) FindKey(_ context.Context, id, token string) (gateway.Credential, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, ok := k.known[id]
	switch {
	case !ok:
		return gateway.Credential{}, &sigv4.Error{Kind: sigv4.UnknownAccessKey}
	case found.token != token:
		return gateway.Credential{}, &sigv4.Error{Kind: sigv4.InvalidToken}
	case found.ended:
		return gateway.Credential{}, &sigv4.Error{Kind: sigv4.ExpiredToken}
	}
	return found.credential, nil
}

// trail is the store: it has no policies but those of sessions, and keeps
// audit records.
type trail struct {
	mu      sync.Mutex
	records []string
	queued  []audit.Record
	noise   []audit.Record
}

func (s *trail) View(_ context.Context, f func(s3.Tx) error) error   { return f(tx{s}) }
func (s *trail) Update(_ context.Context, f func(s3.Tx) error) error { return f(tx{s}) }

func (s *trail) Enqueue(r audit.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queued = append(s.queued, r)
}

func (s *trail) Noise(r audit.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noise = append(s.noise, r)
}

type tx struct{ *trail }

func (t tx) InsertPendingAudit(records ...audit.Pending) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range records {
		t.records = append(t.records, string(r.Body))
	}
	return nil
}

func (tx) OrganizationOfAccount(string) (organization.Organization, bool, error) {
	return organization.Organization{ID: "o-exampleorg"}, true, nil
}

func (tx) AttachmentsOfUser(string, string) (iam.Attachments, bool, error) {
	return iam.Attachments{}, false, nil
}

func (tx) AttachmentsOfRole(string, string) (iam.Attachments, bool, error) {
	return iam.Attachments{Inline: []string{"everything"}}, true, nil
}

func (tx) PolicyDocument(string) (string, bool, error) { return everything, true, nil }

func (tx) ManagedPolicyByARN(string) (iam.ManagedPolicy, bool, error) {
	return iam.ManagedPolicy{}, false, nil
}

// read reads all of a body.
func read(t testing.TB, r io.ReadCloser) string {
	t.Helper()
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
