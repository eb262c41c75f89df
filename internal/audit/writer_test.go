package audit_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// memory is a trail in memory, for tests with a clock of their own.
type memory struct {
	mu      sync.Mutex
	fail    error
	batches []audit.Batch
}

func (m *memory) View(ctx context.Context, f func(audit.ChainTx) error) error {
	return m.Update(ctx, f)
}

func (m *memory) Update(ctx context.Context, f func(audit.ChainTx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return errors.Join(ctx.Err(), m.fail, f(m))
}

func (m *memory) BeginAuditSeal() error                          { return m.fail }
func (m *memory) PendingAudit(int) ([]audit.Pending, error)      { return nil, m.fail }
func (m *memory) DeletePendingAudit(ids []string) (int64, error) { return int64(len(ids)), nil }
func (m *memory) InsertAuditBatch(b audit.Batch) error           { m.batches = append(m.batches, b); return nil }
func (m *memory) AuditBatches(int64, int) ([]audit.Batch, error) { return nil, nil }
func (m *memory) DeleteAuditBatches(int64) (int64, error)        { return 0, nil }

func (m *memory) AuditBatchBefore(time.Time) (audit.Batch, bool, error) {
	return audit.Batch{}, false, nil
}

func (m *memory) AuditBatchesOf(after int64, _ int) (out []audit.Batch, err error) {
	for _, b := range m.batches {
		if b.LastSequence > after {
			out = append(out, b)
		}
	}
	return out, nil
}

func (m *memory) LastAuditBatch() (audit.Batch, bool, error) {
	if len(m.batches) == 0 {
		return audit.Batch{}, false, nil
	}
	return m.batches[len(m.batches)-1], true, nil
}

func (m *memory) setFail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

type line struct {
	EventID, EventName, ErrorCode, SourceIPAddress string
	AdditionalEventData                            struct {
		Count               int
		FirstTime, LastTime string
	}
}

func (m *memory) lines(t *testing.T) (out []line) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	entries, _, err := audit.Read(m, 0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		var l line
		if err := json.Unmarshal(e.JSON, &l); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

// running starts a Writer on m in a synctest bubble and returns how to stop
// it and wait for its end.
func running(t *testing.T, m *memory, failures *atomic.Int64) (*audit.Writer, func()) {
	w := audit.NewWriter(audit.Options{
		DB: m, Signer: signer("key"), Now: time.Now, IDs: ident.NewSource(rand.Reader),
		Report: func(err error) {
			if failures == nil {
				t.Error(err)
			} else {
				failures.Add(1)
			}
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	return w, func() { cancel(); <-done }
}

func TestWriterWritesWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		w, stop := running(t, m, nil)
		w.Enqueue(record("a", time.Now()))
		time.Sleep(time.Second)
		synctest.Wait()
		if got := m.lines(t); len(got) != 1 || got[0].EventID != "a" {
			t.Errorf("after a second the trail has %v", got)
		}
		w.Enqueue(record("b", time.Now()))
		stop()
		if got := len(m.batches); got != 2 {
			t.Errorf("stopping left %d batches, want 2", got)
		}
		if got := w.Stats(); got != (audit.Stats{Queued: 2, Written: 2}) {
			t.Errorf("Stats = %+v", got)
		}
	})
}

// slow is a trail whose commits take a while. One whose context ends meanwhile
// has been made all the same, and its caller cannot know.
type slow struct{ *memory }

func (s slow) Update(ctx context.Context, f func(audit.ChainTx) error) error {
	err := s.memory.Update(ctx, f)
	time.Sleep(time.Second)
	return errors.Join(err, ctx.Err())
}

func TestStoppingCutsNoWriteOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		w := audit.NewWriter(audit.Options{
			DB: slow{m}, Signer: signer("key"), Now: time.Now, IDs: ident.NewSource(rand.Reader), Report: func(err error) { t.Error(err) },
		})
		ctx, cancel := context.WithCancel(t.Context())
		w.Enqueue(record("a", time.Now()))
		go w.Run(ctx)
		time.Sleep(700 * time.Millisecond) // the write has begun
		cancel()
		time.Sleep(3 * time.Second)
		if got := m.lines(t); len(got) != 1 {
			t.Errorf("the record was written %d times", len(got))
		}
	})
}

// busy is a trail during whose commits another record comes.
type busy struct {
	*memory
	enqueue func()
}

func (b busy) Update(ctx context.Context, f func(audit.ChainTx) error) error {
	b.enqueue()
	return b.memory.Update(ctx, f)
}

// TestBatchesStayFewUnderLoad has a record come during every write: it waits
// for the next one, lest there be a batch for every few records.
func TestBatchesStayFewUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		var w *audit.Writer
		var over atomic.Bool
		db := busy{m, func() {
			if !over.Load() {
				w.Enqueue(record(rand.Text(), time.Now()))
			}
		}}
		w = audit.NewWriter(audit.Options{
			DB: db, Signer: signer("key"), Now: time.Now, IDs: ident.NewSource(rand.Reader), Report: func(err error) { t.Error(err) },
		})
		ctx, cancel := context.WithCancel(t.Context())
		go w.Run(ctx)
		w.Enqueue(record("a", time.Now()))
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		batches, written := len(m.batches), w.Stats().Written
		over.Store(true)
		cancel()
		synctest.Wait()
		if batches < 10 || batches > 26 || written < int64(batches) {
			t.Errorf("%d batches of %d records in ten seconds, want one every 0.4 seconds", batches, written)
		}
	})
}

func TestWriterStatesWhatItLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		var failures atomic.Int64
		w, stop := running(t, m, &failures)
		defer stop()
		m.setFail(errors.New("the database is away"))
		const sent = 60000
		for i := range sent {
			w.Enqueue(record(fmt.Sprint(i), time.Now()))
		}
		time.Sleep(10 * time.Second)
		w.Enqueue(record("after", time.Now()))
		m.setFail(nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		stats := w.Stats()
		if failures.Load() == 0 {
			t.Error("no failure was reported")
		}
		if stats.Lost == 0 || stats.Queued != sent+1 || stats.Waiting != 0 {
			t.Errorf("Stats = %+v", stats)
		}
		seen, stated := map[string]bool{}, 0
		for _, l := range m.lines(t) {
			if l.EventName == "AuditRecordsLost" {
				stated += l.AdditionalEventData.Count
				continue
			}
			if seen[l.EventID] {
				t.Fatalf("record %s was written twice", l.EventID)
			}
			seen[l.EventID] = true
		}
		if int64(stated) != stats.Lost || int64(len(seen)) != stats.Queued-stats.Lost {
			t.Errorf("%d written and %d stated as lost, of %d; counted as lost: %d", len(seen), stated, stats.Queued, stats.Lost)
		}
	})
}

func TestNoiseIsAggregated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		w, stop := running(t, m, nil)
		noise := func(address, code string) {
			r := record("", time.Now())
			r.SourceIPAddress, r.ErrorCode = address, code
			w.Noise(r)
		}
		for range 500 {
			noise("192.0.2.1", "InvalidClientTokenId")
			noise("192.0.2.2", "InvalidClientTokenId")
			time.Sleep(10 * time.Millisecond)
		}
		noise("192.0.2.1", "MissingAuthenticationToken")
		time.Sleep(20 * time.Second)
		stop()
		got := map[string]int{}
		for _, l := range m.lines(t) {
			got[l.SourceIPAddress+" "+l.ErrorCode] += max(l.AdditionalEventData.Count, 1)
			if l.EventID == "" {
				t.Error("a record without an id")
			}
		}
		if len(got) != 3 || got["192.0.2.1 InvalidClientTokenId"] != 500 || got["192.0.2.2 InvalidClientTokenId"] != 500 || got["192.0.2.1 MissingAuthenticationToken"] != 1 {
			t.Errorf("counts %v", got)
		}
		if n := len(m.lines(t)); n != 3 {
			t.Errorf("%d records for three kinds of noise within a window", n)
		}
	})
}

func TestNoiseFromManySourcesIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		w, stop := running(t, m, nil)
		for i := range 5000 {
			r := record("", time.Now())
			r.SourceIPAddress = fmt.Sprint(i)
			w.Noise(r)
		}
		stop()
		lines := m.lines(t)
		if len(lines) != 1025 {
			t.Errorf("%d records", len(lines))
		}
		var rest int
		for _, l := range lines {
			if l.SourceIPAddress == "various" {
				rest = l.AdditionalEventData.Count
			}
		}
		if rest != 5000-1024 {
			t.Errorf("%d counted together, want %d", rest, 5000-1024)
		}
	})
}

func TestWritersOfSeveralNodesShareOneTrail(t *testing.T) {
	dsn := storetest.Postgres(t)
	const nodes, each = 3, 200
	var wg sync.WaitGroup
	var stores []*store.Store
	for range nodes {
		stores = append(stores, storetest.Open(t, store.Config{PostgresDSN: dsn}))
	}
	ctx, cancel := context.WithCancel(t.Context())
	for node, s := range stores {
		w := newWriter(t, s, start)
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx) }()
		t.Cleanup(func() { <-done })
		wg.Go(func() {
			for i := range each {
				w.Enqueue(record(fmt.Sprintf("q-%d-%d", node, i), start()))
				appendRecord(t, s, record(fmt.Sprintf("m-%d-%d", node, i), start()))
			}
		})
	}
	wg.Wait()
	time.Sleep(1500 * time.Millisecond)
	cancel()
	report := verify(t, stores[0])
	if !report.Good() || report.Records != 2*nodes*each {
		t.Errorf("Verify = %+v, want %d records", report, 2*nodes*each)
	}
	seen := map[string]bool{}
	entries, _ := read(t, stores[0], 0, 1<<30)
	for _, e := range entries {
		var l line
		if err := json.Unmarshal(e.JSON, &l); err != nil {
			t.Fatal(err)
		}
		seen[l.EventID] = true
	}
	if len(seen) != 2*nodes*each {
		t.Errorf("%d different records, want %d", len(seen), 2*nodes*each)
	}
}

func TestSealingDoesNotAbortMutations(t *testing.T) {
	s := storetest.Open(t, store.Config{PostgresDSN: storetest.Postgres(t)})
	// The sealing reads the pending records, the mutation adds one and has
	// read what another mutation changes and commits meanwhile: in full
	// serializability PostgreSQL aborts one of them.
	sealing, sealed := make(chan struct{}), make(chan struct{})
	finish := make(chan struct{})
	go func() {
		defer close(sealed)
		first := true
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			if err := tx.BeginAuditSeal(); err != nil {
				return err
			}
			if _, err := tx.PendingAudit(10); err != nil {
				return err
			}
			if first {
				first = false
				close(sealing)
				<-finish
			}
			return tx.InsertAuditBatch(audit.Batch{Number: 1, Kind: audit.Records, FirstSequence: 1, Content: []byte{}, Signature: []byte{}})
		}); err != nil {
			t.Error(err)
		}
	}()
	<-sealing
	runs := 0
	if err := s.Update(t.Context(), func(tx *store.Tx) error {
		runs++
		if _, _, err := tx.Meta("other"); err != nil {
			return err
		}
		if err := audit.Append(tx, record("a", start())); err != nil {
			return err
		}
		if runs == 1 {
			if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.SetMeta("other", "changed") }); err != nil {
				return err
			}
			close(finish)
			<-sealed
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if runs != 1 {
		t.Errorf("the mutation ran %d times: the sealing made it fail", runs)
	}
}

func BenchmarkEnqueueAndWrite(b *testing.B) {
	s := storetest.Open(b, store.Config{})
	w := newWriter(b, s, start)
	r := record("11111111-2222-4333-8444-555555555555", start())
	r.UserAgent = "aws-cli/2.15 Python/3.11 Linux/6.1 exe/x86_64 prompt/off command/sts.get-caller-identity"
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		w.Enqueue(r)
		if n++; n%4096 == 0 {
			flush(b, w)
		}
	}
	flush(b, w)
}

func BenchmarkAppend(b *testing.B) {
	s := storetest.Open(b, store.Config{})
	ids := ident.NewSource(rand.Reader)
	b.ReportAllocs()
	for b.Loop() {
		appendRecord(b, s, record(ids.UUID(), start()))
	}
}
