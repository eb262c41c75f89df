// Package node runs the whole program inside a test, on a store with the
// sample data, and gives the test callers of every kind: AWS's own clients, and
// requests that are signed by hand and may be wrong in any way.
package node

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/app"
	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/dataplane/objectstore"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// The accounts of the sample data, one that is in no organization, and one with
// an organization of its own.
const (
	Management  = "123456789012"
	Production  = "111111111111"
	Development = "222222222222"
	Outside     = "333333333333"
	Elsewhere   = "444444444444"
)

// Region is the region of the instance.
const Region = "us-east-1"

// Node is a running program.
type Node struct {
	URL     string // http://localhost:port
	Store   *store.Store
	Program *app.Program
	Clock   *Clock

	// Succeeded, when set, is told of each request of an SDK that succeeded. Set
	// it before callers are made.
	Succeeded func(Exchange)

	Organization organization.Organization
	Instance     instance.Instance

	ring *keys.Ring
	ids  ident.Source
	log  *errorLog
}

// Clock is the program's time: the machine's, shifted.
type Clock struct{ shift atomic.Int64 }

// Now returns the time.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.shift.Load())) }

// Advance shifts the time.
func (c *Clock) Advance(d time.Duration) { c.shift.Add(int64(d)) }

// Run runs test against a node with the sample data on each engine, every
// transaction run twice.
func Run(t *testing.T, test func(t *testing.T, n *Node)) {
	t.Helper()
	RunConfig(t, store.Config{RunTwice: true}, test)
}

// RunConfig is Run with a configuration of the store.
func RunConfig(t *testing.T, cfg store.Config, test func(t *testing.T, n *Node)) {
	t.Helper()
	clock := new(Clock)
	cfg.Clock = clock.Now
	storetest.RunConfig(t, cfg, func(t *testing.T, s *store.Store) {
		clock.shift.Store(0)
		test(t, start(t, s, clock))
	})
}

func start(t *testing.T, s *store.Store, clock *Clock) *Node {
	t.Helper()
	n := &Node{Store: s, Clock: clock, ids: ident.NewSource(rand.Reader), log: new(errorLog)}
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n.URL = fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	address, err := url.Parse(n.URL)
	if err != nil {
		t.Fatal(err)
	}
	root, err := keys.NewRoot(n.ids.Bytes(keys.RootSize), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	storage, err := objectstore.Open(t.Context(), t.TempDir(), n.ids, clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { storage.Close() })
	n.Program, err = app.New(t.Context(), app.Options{
		Listener: listener, Operator: app.Operator{User: "tester", Host: "node"}, PeopleURL: address, DataURL: address, Region: Region,
		Storage: storage, Store: s, Root: root, Log: slog.New(n.log), Now: clock.Now, Rand: rand.Reader,
	})
	if err != nil {
		t.Fatalf("making the program: %v", err)
	}
	if n.ring, err = keys.Load(t.Context(), store.Bind[keys.Tx](s), root, clock.Now, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Program.CreateSample(t.Context()); err != nil {
		t.Fatalf("creating the sample data: %v", err)
	}
	n.look(t)
	n.run(t)
	return n
}

// run serves until the test ends. No request may leave an error in the log.
func (n *Node) run(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Program.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the program ended: %v", err)
		}
		for _, line := range n.log.lines() {
			t.Errorf("the program logged an error: %s", line)
		}
	})
}

// look finds the organization and the instance of the sample data.
func (n *Node) look(t *testing.T) {
	t.Helper()
	err := n.Store.View(t.Context(), func(tx *store.Tx) (err error) {
		if n.Organization, err = organization.Required(tx, Management); err != nil {
			return err
		}
		n.Instance, _, err = tx.InstanceOfOrganization(n.Organization.ID)
		return err
	})
	if err != nil || n.Instance.ID == "" {
		t.Fatalf("the sample data has no instance: %v", err)
	}
}

// Audit waits until records says that the trail holds what it wants, or ten
// seconds are over, and returns the trail.
func (n *Node) Audit(t *testing.T, complete func([]audit.Entry) bool) []audit.Entry {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		var entries []audit.Entry
		err := n.Store.View(t.Context(), func(tx *store.Tx) (err error) {
			entries, _, err = audit.Read(tx, 0, 1_000_000)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if complete(entries) || time.Now().After(deadline) {
			return entries
		}
	}
}

// VerifyAudit holds that the chain of the trail is whole.
func (n *Node) VerifyAudit(t *testing.T) {
	t.Helper()
	VerifyTrail(t, n.Store, n.ring)
}

// VerifyTrail is VerifyAudit for any store, with the keys of its node. It
// waits for the first batch, which a busy machine seals late.
func VerifyTrail(t *testing.T, s *store.Store, ring *keys.Ring) {
	t.Helper()
	var report *audit.Report
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		var err error
		if report, err = audit.Verify(t.Context(), store.Bind[audit.ChainTx](s), signer{ring}); err != nil {
			t.Fatal(err)
		}
		if report.Batches > 0 || time.Now().After(deadline) {
			break
		}
	}
	if !report.Good() || report.Batches == 0 {
		t.Errorf("the audit trail does not verify: %+v", report)
	}
}

type signer struct{ ring *keys.Ring }

func (s signer) Sign(data []byte) ([]byte, error) { return s.ring.MAC(keys.AuditDigests, data) }

func (s signer) Verify(data, signature []byte) error {
	return s.ring.VerifyMAC(keys.AuditDigests, data, signature)
}

// errorLog keeps what is logged as an error.
type errorLog struct {
	mu   sync.Mutex
	text []string
}

func (l *errorLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

func (l *errorLog) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += " " + a.String()
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, line)
	return nil
}

func (l *errorLog) WithAttrs([]slog.Attr) slog.Handler { return l }

func (l *errorLog) WithGroup(string) slog.Handler { return l }

func (l *errorLog) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}

// Only is Run on SQLite alone, for what does not depend on the engine.
func Only(t *testing.T, cfg store.Config, test func(t *testing.T, n *Node)) {
	t.Helper()
	clock := new(Clock)
	cfg.Clock = clock.Now
	test(t, start(t, storetest.Open(t, cfg), clock))
}
