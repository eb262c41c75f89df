package audit_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// collector is a target that keeps what it gets.
type collector struct {
	mu   sync.Mutex
	fail error
	got  []int64 // sequence numbers
	ids  []string
	at   []time.Time
}

func (c *collector) Deliver(_ context.Context, records []audit.Entry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, time.Now())
	if c.fail != nil {
		return c.fail
	}
	for _, r := range records {
		var body struct{ EventID string }
		if err := json.Unmarshal(r.JSON, &body); err != nil {
			return err
		}
		c.got, c.ids = append(c.got, r.Sequence), append(c.ids, body.EventID)
	}
	return nil
}

func (c *collector) sequence() []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got)
}

func upTo(n int64) (list []int64) {
	for i := int64(1); i <= n; i++ {
		list = append(list, i)
	}
	return list
}

func newForwarder(t testing.TB, db audit.ForwardDB, holder string, target audit.Target, now func() time.Time) *audit.Forwarder {
	return audit.NewForwarder(audit.ForwardOptions{
		DB: db, Name: "file", Target: target, Holder: holder, Now: now, Report: func(err error) { t.Log(err) },
	})
}

// all forwards until nothing is left.
func all(t testing.TB, f *audit.Forwarder) {
	t.Helper()
	for n := 1; n > 0; {
		var err error
		if n, err = f.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRecordsAreForwardedInOrder lets nodes record and seal at once while
// records are forwarded, and expects each once, in the order of their numbers.
func TestRecordsAreForwardedInOrder(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		const nodes, each = 3, 40
		target := new(collector)
		f := newForwarder(t, store.Bind[audit.ForwardTx](s), "a", target, start)
		var recording, forwarding sync.WaitGroup
		for node := range nodes {
			w := newWriter(t, s, start)
			recording.Go(func() {
				for i := range each {
					appendRecord(t, s, record(fmt.Sprintf("%d-%d", node, i), start().Add(time.Duration(each-i)*time.Second)))
					if i%5 == 0 {
						_ = w.Flush(t.Context()) // another node may be faster, again and again
					}
				}
			})
		}
		stop := make(chan struct{})
		forwarding.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if _, err := f.Once(t.Context()); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
		recording.Wait()
		flush(t, newWriter(t, s, start))
		close(stop)
		forwarding.Wait()
		all(t, f)
		if diff := cmp.Diff(upTo(nodes*each), target.sequence()); diff != "" {
			t.Errorf("sequence (-want +got):\n%s", diff)
		}
		slices.Sort(target.ids)
		if n := len(slices.Compact(target.ids)); n != nodes*each {
			t.Errorf("%d different records, want %d", n, nodes*each)
		}
		if got := f.Stats(); got.Delivered != nodes*each || got.Failures != 0 || got.Waiting != 0 || !got.Since.IsZero() {
			t.Errorf("stats %+v", got)
		}
	})
}

// TestATargetThatIsDownCatchesUp lets deliveries fail, and expects changes to go
// on, the lag to be told, and everything to come in the end.
func TestATargetThatIsDownCatchesUp(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		target := &collector{fail: errors.New("disk full")}
		f := newForwarder(t, store.Bind[audit.ForwardTx](s), "a", target, start)
		w := newWriter(t, s, start)
		for i := range 3 {
			appendRecord(t, s, record(fmt.Sprint(i), start()))
			flush(t, w)
			if n, err := f.Once(t.Context()); n != 0 || !errors.Is(err, target.fail) {
				t.Errorf("Once = %d, %v", n, err)
			}
			if got := f.Stats(); got.Failures != int64(i+1) || got.Waiting != int64(i+1) || !got.Since.Equal(start()) {
				t.Errorf("stats %+v", got)
			}
		}
		target.fail = nil
		all(t, f)
		if diff := cmp.Diff(upTo(3), target.sequence()); diff != "" {
			t.Errorf("sequence (-want +got):\n%s", diff)
		}
		if got := f.Stats(); got.Waiting != 0 || got.Delivered != 3 {
			t.Errorf("stats %+v", got)
		}
	})
}

// forgetful loses what is noted after a delivery.
type forgetful struct{ audit.ForwardDB }

func (f forgetful) Update(ctx context.Context, fn func(audit.ForwardTx) error) error {
	return f.ForwardDB.Update(ctx, func(tx audit.ForwardTx) error { return fn(forgetfulTx{tx}) })
}

type forgetfulTx struct{ audit.ForwardTx }

func (tx forgetfulTx) UpdateAuditCursor(c, before audit.Cursor) (bool, error) {
	if c.Sequence != before.Sequence {
		return false, errors.New("the node has died")
	}
	return tx.ForwardTx.UpdateAuditCursor(c, before)
}

// TestWhatWasNotNotedIsForwardedAgain ends a node between the delivery and its
// note: the next one delivers the same again, and goes on.
func TestWhatWasNotNotedIsForwardedAgain(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		db, now := store.Bind[audit.ForwardTx](s), start()
		target, w := new(collector), newWriter(t, s, start)
		for i := range 2 {
			appendRecord(t, s, record(fmt.Sprint(i), start()))
			flush(t, w)
		}
		died := newForwarder(t, forgetful{db}, "a", target, func() time.Time { return now })
		if _, err := died.Once(t.Context()); err == nil {
			t.Error("what was not noted is no error")
		}
		appendRecord(t, s, record("2", start()))
		flush(t, w)
		next := newForwarder(t, db, "b", target, func() time.Time { return now })
		if n, err := next.Once(t.Context()); n != 0 || err != nil {
			t.Errorf("before the lease of the first is over: %d, %v", n, err)
		}
		now = now.Add(30 * time.Second)
		all(t, next)
		if diff := cmp.Diff([]int64{1, 2, 1, 2, 3}, target.sequence()); diff != "" {
			t.Errorf("sequence (-want +got):\n%s", diff)
		}
	})
}

// TestOneNodeForwards runs two nodes: one of them forwards, and the other goes
// on where it stopped.
func TestOneNodeForwards(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		db, now := store.Bind[audit.ForwardTx](s), start()
		clock := func() time.Time { return now }
		var targets [2]collector
		nodes := [2]*audit.Forwarder{newForwarder(t, db, "a", &targets[0], clock), newForwarder(t, db, "b", &targets[1], clock)}
		w := newWriter(t, s, start)
		for i := range 4 {
			appendRecord(t, s, record(fmt.Sprint(i), start()))
			flush(t, w)
			all(t, nodes[0])
			all(t, nodes[1])
			now = now.Add(20 * time.Second) // the lease is renewed
		}
		if got := nodes[1].Stats(); got.Delivered != 0 || got.Waiting != 0 {
			t.Errorf("the other node: %+v", got)
		}
		now = now.Add(time.Minute) // the first is gone
		appendRecord(t, s, record("5", start()))
		flush(t, w)
		all(t, nodes[1])
		all(t, nodes[0])
		if diff := cmp.Diff([][]int64{upTo(4), {5}}, [][]int64{targets[0].sequence(), targets[1].sequence()}); diff != "" {
			t.Errorf("sequence by node (-want +got):\n%s", diff)
		}
		through, err := audit.Forwarded(t.Context(), db, []string{"file"})
		none, err2 := audit.Forwarded(t.Context(), db, []string{"file", "another"})
		if through != 5 || none != 0 || err != nil || err2 != nil {
			t.Errorf("forwarded through %d and %d, %v, %v", through, none, err, err2)
		}
	})
}

// TestRetentionWaitsForForwarding keeps records that are old enough to go until
// their target has them.
func TestRetentionWaitsForForwarding(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		db, now := store.Bind[audit.ForwardTx](s), start()
		target := new(collector)
		f := newForwarder(t, db, "a", target, func() time.Time { return now })
		w := audit.NewWriter(audit.Options{
			DB: store.Bind[audit.ChainTx](s), Signer: signer("key"), Now: func() time.Time { return now },
			IDs: ident.NewSource(rand.Reader), Report: func(err error) { t.Error(err) }, Retention: time.Hour,
			Forwarded: func(ctx context.Context) (int64, error) { return audit.Forwarded(ctx, db, []string{"file"}) },
		})
		for i := range 3 {
			appendRecord(t, s, record(fmt.Sprint(i), now))
			flush(t, w)
		}
		now = now.Add(2 * time.Hour)
		appendRecord(t, s, record("young", now))
		flush(t, w)
		if err := audit.ApplyRetention(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		if entries, _ := read(t, s, 0, 10); len(entries) != 4 {
			t.Errorf("%d records are left before they were forwarded, want 4", len(entries))
		}
		all(t, f)
		now = now.Add(time.Hour)
		if err := audit.ApplyRetention(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		if entries, _ := read(t, s, 0, 10); len(entries) != 1 {
			t.Errorf("%d records are left, want the young one", len(entries))
		}
		if diff := cmp.Diff(upTo(4), target.sequence()); diff != "" {
			t.Errorf("sequence (-want +got):\n%s", diff)
		}
	})
}

// forwarded is a trail in memory with a cursor.
type forwarded struct {
	*memory
	cursor audit.Cursor
}

func (m *forwarded) View(ctx context.Context, f func(audit.ForwardTx) error) error {
	return m.memory.View(ctx, func(audit.ChainTx) error { return f(m) })
}

func (m *forwarded) Update(ctx context.Context, f func(audit.ForwardTx) error) error {
	return m.View(ctx, f)
}

func (m *forwarded) AuditCursor(string) (audit.Cursor, bool, error) {
	return m.cursor, m.cursor.Target != "", nil
}

func (m *forwarded) InsertAuditCursor(c audit.Cursor) error {
	m.cursor = c
	return nil
}

func (m *forwarded) UpdateAuditCursor(c, before audit.Cursor) (bool, error) {
	if m.cursor != before {
		return false, nil
	}
	m.cursor = c
	return true, nil
}

// newForwarded returns a trail of n records.
func newForwarded(t *testing.T, n int) *forwarded {
	t.Helper()
	m := &forwarded{memory: new(memory)}
	w := audit.NewWriter(audit.Options{
		DB: m.memory, Signer: signer("key"), Now: time.Now, IDs: ident.NewSource(rand.Reader), Report: func(err error) { t.Error(err) },
	})
	for i := range n {
		w.Enqueue(record(fmt.Sprint(i), time.Now()))
	}
	flush(t, w)
	return m
}

// TestFailedDeliveriesWaitLonger looks at when a target that fails is tried.
func TestFailedDeliveriesWaitLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target, begun := &collector{fail: errors.New("away")}, time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		f := newForwarder(t, newForwarded(t, 2), "a", target, time.Now)
		go func() { defer close(done); f.Run(ctx) }()
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		target.mu.Lock()
		var waits []time.Duration
		for _, at := range target.at {
			waits, begun = append(waits, at.Sub(begun)), at
		}
		target.fail = nil
		target.mu.Unlock()
		s := time.Second
		if diff := cmp.Diff([]time.Duration{0, 1 * s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s}, waits); diff != "" {
			t.Errorf("waits (-want +got):\n%s", diff)
		}
		time.Sleep(time.Minute)
		cancel()
		<-done
		if diff := cmp.Diff(upTo(2), target.sequence()); diff != "" {
			t.Errorf("sequence (-want +got):\n%s", diff)
		}
	})
}

// hanging takes no record until it is let go.
type hanging struct {
	let   chan struct{}
	taken int
}

func (h *hanging) Deliver(_ context.Context, records []audit.Entry) error {
	<-h.let
	h.taken += len(records)
	return nil
}

// TestATargetThatHangsHoldsNothingUp expects a delivery to be given up, the next
// one to wait for its end, and the node to stop all the same.
func TestATargetThatHangsHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := &hanging{let: make(chan struct{})}
		var reports []error
		f := audit.NewForwarder(audit.ForwardOptions{
			DB: newForwarded(t, 3), Name: "stdout", Target: target, Holder: "a", Now: time.Now, Report: func(err error) { reports = append(reports, err) },
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); f.Run(ctx) }()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if len(reports) < 3 || f.Stats().Waiting != 3 {
			t.Errorf("reports %v, stats %+v", reports, f.Stats())
		}
		begun := time.Now()
		cancel()
		<-done
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("the node took %v to stop", took)
		}
		close(target.let)
		synctest.Wait()
		if target.taken != 3 {
			t.Errorf("%d records were taken at once: the target was called while it was busy", target.taken)
		}
		all(t, f)
		if target.taken != 6 { // a second time: nobody knew of the first
			t.Errorf("%d records were taken", target.taken)
		}
	})
}

// TestTheLastRecordsGoOutWithTheNode expects what was written right before the
// end to be forwarded, and the next node not to wait.
func TestTheLastRecordsGoOutWithTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, target := newForwarded(t, 2), new(collector)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		newForwarder(t, db, "a", target, time.Now).Run(ctx)
		if diff := cmp.Diff(upTo(2), target.sequence()); diff != "" {
			t.Errorf("sequence (-want +got):\n%s", diff)
		}
		if time.Now().Before(db.cursor.HeldUntil) || db.cursor.Sequence != 2 {
			t.Errorf("cursor %+v", db.cursor)
		}
	})
}
