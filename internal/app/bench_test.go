//go:build unix

package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/rolesession"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// benchNode is a node with the sample data whose handler is called without a
// network, and the credentials of a role in its management account.
type benchNode struct {
	handler http.Handler
	key     aws.Credentials
	store   string // id of the identity store
}

func newBenchNode(b *testing.B, cfg store.Config) *benchNode {
	b.Helper()
	cfg.Clock = time.Now
	return newBenchNodeOn(b, storetest.Open(b, cfg))
}

// newBenchNodeOn is newBenchNode on a store that is open.
func newBenchNodeOn(b *testing.B, db *store.Store) *benchNode {
	b.Helper()
	root, err := keys.NewRoot(make([]byte, keys.RootSize), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	people := &url.URL{Scheme: "http", Host: "localhost"}
	var lc net.ListenConfig
	listener, err := lc.Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	p, err := New(b.Context(), Options{
		Listener: listener, PeopleURL: people, DataURL: people, Region: "us-east-1", Root: root,
		Store: db, Log: slog.New(slog.DiscardHandler), Now: time.Now, Rand: rand.Reader,
	})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := p.CreateSample(b.Context()); err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	n := &benchNode{handler: p.handler, key: roleCredentials(b, p)}
	var instances struct {
		Instances []struct{ IdentityStoreId string }
	}
	n.read(b, operation{"sso", "SWBExternalService.ListInstances", "{}"}, &instances)
	n.store = instances.Instances[0].IdentityStoreId
	return n
}

// roleCredentials opens the sample administrator's role in the management
// account.
func roleCredentials(b *testing.B, p *Program) aws.Credentials {
	b.Helper()
	var c rolesession.Credentials
	err := p.Store.Update(b.Context(), func(tx *store.Tx) error {
		org, _, err := tx.OrganizationOfAccount(SampleManagementAccount)
		if err != nil {
			return err
		}
		in, _, err := tx.InstanceOfOrganization(org.ID)
		if err != nil {
			return err
		}
		id, _, err := tx.DirectoryUserIDByName(in.IdentityStoreID, "admin")
		if err != nil {
			return err
		}
		user, err := directory.UserByID(tx, in.IdentityStoreID, id)
		if err != nil {
			return err
		}
		role, _, err := assignment.RoleOf(tx, in, id, SampleManagementAccount, "Administrator")
		if err != nil {
			return err
		}
		change, err := tx.Change()
		if err != nil {
			return err
		}
		c, err = rolesession.Issue(p.sessionKeys(), p.ids, rolesession.ForPerson(p.Now(), change, rolesession.Access{User: user, Role: role, PortalSessionID: "session"}))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
}

// operation is an API call: its signing name, target (none: a form) and body.
type operation struct{ service, target, body string }

// request signs a call of the operation.
func (n *benchNode) request(b *testing.B, op operation) *http.Request {
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "http://localhost/", strings.NewReader(op.body))
	if err != nil {
		b.Fatal(err)
	}
	r.RequestURI, r.RemoteAddr = "/", "127.0.0.1:50000" // as a server reads it
	r.Header.Set("User-Agent", "bench/1")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if op.target != "" {
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", op.target)
	}
	sum := sha256.Sum256([]byte(op.body))
	if err := v4.NewSigner().SignHTTP(context.Background(), n.key, r, hex.EncodeToString(sum[:]), op.service, "us-east-1", time.Now()); err != nil {
		b.Fatal(err)
	}
	return r
}

// answer keeps what a handler writes. It is used again and again.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// serve answers r, which must succeed.
func (n *benchNode) serve(b *testing.B, a *answer, r *http.Request) {
	clear(a.header)
	a.body.Reset()
	n.handler.ServeHTTP(a, r)
	if a.status != http.StatusOK {
		b.Error(a.body.String())
	}
}

// read calls an operation and decodes its answer.
func (n *benchNode) read(b *testing.B, op operation, into any) {
	b.Helper()
	a := &answer{header: http.Header{}}
	n.serve(b, a, n.request(b, op))
	if err := json.Unmarshal(a.body.Bytes(), into); err != nil {
		b.Fatal(err)
	}
}

// createUser is the call that creates a user.
func (n *benchNode) createUser(name string) operation {
	return operation{"identitystore", "AWSIdentityStore.CreateUser", fmt.Sprintf(`{"IdentityStoreId":%q,"UserName":%q,"DisplayName":"Display %s",
		"Name":{"GivenName":"Given","FamilyName":"Family"},"Emails":[{"Value":"%s@example.com","Type":"work","Primary":true}]}`, n.store, name, name, name)}
}

// reportCPU reports allocations, and, from now until what it returns is called,
// the processor time of an operation with what the program does beside it. On a
// machine with other work that tells more than the time that passes.
func reportCPU(b *testing.B) (stop func()) {
	b.ReportAllocs()
	used := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") }
}

// BenchmarkGateway measures requests from the handler inwards, on SQLite and,
// where there is a server, on PostgreSQL.
func BenchmarkGateway(b *testing.B) {
	b.Run("SQLite", func(b *testing.B) { benchmarkGateway(b, store.Config{}) })
	b.Run("PostgreSQL", func(b *testing.B) { benchmarkGateway(b, store.Config{PostgresDSN: storetest.Postgres(b)}) })
}

func benchmarkGateway(b *testing.B, cfg store.Config) {
	n := newBenchNode(b, cfg)
	var user struct{ UserId string }
	for i := range 100 {
		n.read(b, n.createUser(fmt.Sprint("seed-", i)), &user)
	}
	store := fmt.Sprintf(`{"IdentityStoreId":%q`, n.store)
	for _, q := range []struct {
		name string
		operation
	}{
		{"GetCallerIdentity", operation{"sts", "", "Action=GetCallerIdentity&Version=2011-06-15"}},
		{"ListInstances", operation{"sso", "SWBExternalService.ListInstances", "{}"}},
		{"DescribeUser", operation{"identitystore", "AWSIdentityStore.DescribeUser", store + fmt.Sprintf(`,"UserId":%q}`, user.UserId)}},
		{"GetUserId", operation{"identitystore", "AWSIdentityStore.GetUserId", store + `,"AlternateIdentifier":{"UniqueAttribute":{"AttributePath":"userName","AttributeValue":"seed-7"}}}`}},
		{"ListUsers100", operation{"identitystore", "AWSIdentityStore.ListUsers", store + `,"MaxResults":100}`}},
	} {
		b.Run(q.name, func(b *testing.B) {
			a, r, body := &answer{header: http.Header{}}, n.request(b, q.operation), strings.NewReader(q.body)
			defer reportCPU(b)()
			for b.Loop() {
				body.Reset(q.body)
				r.Body = readCloser{body}
				n.serve(b, a, r)
			}
		})
	}
	created := 0
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("CreateUser/clients=%d", clients), func(b *testing.B) {
			requests := make(chan *http.Request, b.N)
			for range b.N {
				created++
				requests <- n.request(b, n.createUser(fmt.Sprint("new-", created)))
			}
			close(requests)
			defer reportCPU(b)()
			b.ResetTimer()
			var group sync.WaitGroup
			for range clients {
				group.Go(func() {
					a := &answer{header: http.Header{}}
					for r := range requests {
						n.serve(b, a, r)
					}
				})
			}
			group.Wait()
		})
	}
}

// readCloser is a body that may be read again after a Reset.
type readCloser struct{ *strings.Reader }

// Close does nothing.
func (readCloser) Close() error { return nil }
