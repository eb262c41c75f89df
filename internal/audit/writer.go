package audit

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
)

const (
	// interval is how often the Writer writes: a record waits at most that
	// long, so that a second bounds waiting and writing together.
	interval = 400 * time.Millisecond
	// queueSize is how many records can wait: more than arrive between two
	// writes at full load.
	queueSize = 32768
	// batchSize bounds the records of a batch, batchBytes the text of those
	// that were queued.
	batchSize  = 4096
	batchBytes = 4 << 20
	// attempts is how often a batch that another node got ahead of is tried
	// before the next interval.
	attempts = 5
	// timeout bounds one write, and how long a stopping Writer tries to write
	// what is left.
	timeout = 10 * time.Second
	// retainEvery is how often retention is applied.
	retainEvery = time.Hour
)

// Options are what a Writer needs; all but Retention and Forwarded are required.
type Options struct {
	DB     DB
	Signer Signer
	Now    func() time.Time
	IDs    ident.Source
	// Retention is how long records are kept; 0 keeps them for ever.
	Retention time.Duration
	// Forwarded returns up to which record the trail was forwarded: retention
	// waits for it. nil when it is not forwarded.
	Forwarded func(context.Context) (through int64, err error)
	// Report takes failures to write; the Writer tries again by itself.
	Report func(error)
}

// Writer seals the trail: the records that mutations have left pending, and
// those given to Enqueue and Noise, which it holds in memory until then.
// Enqueue, Noise and Stats are safe for concurrent use.
type Writer struct {
	opts  Options
	queue chan *Record
	full  chan struct{} // a batch is waiting: do not wait for the interval
	noise noise

	// held has left the queue and is not written yet. Only Run's goroutine,
	// or Flush in its absence, touches it.
	held []Pending

	queued, written, lost atomic.Int64
	statedLost            int64 // how much of lost the trail states
	compressor            compressor
	retained              time.Time
}

// Stats are counts since the Writer was made.
type Stats struct {
	// Queued counts the records given to Enqueue and Noise, Written the
	// records sealed, of mutations too, Lost the records that found the queue
	// full.
	Queued, Written, Lost int64
	// Waiting is how many records wait in memory now.
	Waiting int
}

// NewWriter returns a Writer; Run starts it.
func NewWriter(opts Options) *Writer {
	return &Writer{opts: opts, queue: make(chan *Record, queueSize), full: make(chan struct{}, 1)}
}

// Enqueue takes a record to be written within a second. It never waits: when
// the queue is full, the record is lost, counted, and the loss stated in the
// trail.
func (w *Writer) Enqueue(r Record) {
	w.queued.Add(1)
	w.push(&r)
	if len(w.queue) >= batchSize {
		w.wake()
	}
}

// push puts r into the queue or counts it as lost.
func (w *Writer) push(r *Record) {
	select {
	case w.queue <- r:
	default:
		w.lost.Add(1)
	}
}

// Noise takes a record of a request that proved no identity. Such requests
// can come in any number, so one record stands for all of the same source
// address, service, operation and error within ten seconds, and tells how
// many they were.
func (w *Writer) Noise(r Record) {
	w.queued.Add(1)
	w.noise.add(r, w.opts.Now())
}

// Stats returns the Writer's counts.
func (w *Writer) Stats() Stats {
	return Stats{Queued: w.queued.Load(), Written: w.written.Load(), Lost: w.lost.Load(), Waiting: len(w.queue)}
}

func (w *Writer) wake() {
	select {
	case w.full <- struct{}{}:
	default:
	}
}

// Run writes until ctx ends, and then what is left. The end of ctx does not
// cut a write off: of a commit that is cut off nobody knows whether it was made,
// and what it held would be written again.
func (w *Writer) Run(ctx context.Context) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			w.within(ctx, w.Flush)
			return
		case <-tick.C:
		case <-w.full:
		}
		w.within(ctx, func(ctx context.Context) error { return w.write(ctx, false) })
		w.within(ctx, w.retain)
	}
}

// within runs f for at most timeout, whatever becomes of ctx, and reports its
// failure.
func (w *Writer) within(ctx context.Context, f func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	w.report(f(ctx))
}

func (w *Writer) report(err error) {
	if err != nil {
		w.opts.Report(err)
	}
}

// Flush writes everything that waits: for tests, and for the end. It must not
// be called while Run runs.
func (w *Writer) Flush(ctx context.Context) error { return w.write(ctx, true) }

// write seals what waits, in batches: all of it, or until less than a batch is
// left, which comes with the next tick. Under load there is always something
// that waits, and to seal it at once would make many small batches.
func (w *Writer) write(ctx context.Context, all bool) error {
	for _, r := range w.noise.take(w.opts.Now(), all) {
		r.EventID = w.opts.IDs.UUID()
		w.push(&r)
	}
	if len(w.held) == 0 { // else the last write failed: the statement would pile up
		w.stateLoss()
	}
	for {
		more, err := w.writeBatch(ctx)
		if err != nil {
			return fmt.Errorf("write the audit trail: %w", err)
		}
		if waiting := len(w.queue); !more && waiting < batchSize && (!all || waiting == 0) {
			return nil
		}
	}
}

// writeBatch seals one batch and reports whether more was pending.
func (w *Writer) writeBatch(ctx context.Context) (more bool, err error) {
	w.drain()
	for attempt := 1; ; attempt++ {
		more, err = w.trySeal(ctx)
		if !fault.Is(err, fault.Conflict) || attempt == attempts {
			return more, err
		}
		// Another node was first: look again, a little later than it will.
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(rand.N(20 * time.Millisecond)):
		}
	}
}

func (w *Writer) trySeal(ctx context.Context) (more bool, err error) {
	var pending []Pending
	err = w.opts.DB.View(ctx, func(tx ChainTx) (err error) {
		pending, err = tx.PendingAudit(batchSize)
		return err
	})
	if err != nil || len(pending)+len(w.held) == 0 {
		return false, err
	}
	ids := make([]string, len(pending))
	for i, p := range pending {
		ids[i] = p.EventID
	}
	records := append(pending, w.held...) //nolint:gocritic // pending is not used again
	batch, err := w.compressor.pack(records, w.opts.Now())
	if err != nil {
		return false, err
	}
	if err := seal(ctx, w.opts.DB, w.opts.Signer, batch, len(records), ids); err != nil {
		return false, err
	}
	w.written.Add(int64(len(records)))
	w.held = w.held[:0]
	return len(ids) == batchSize, nil
}

// drain moves what fits into a batch from the queue to held.
func (w *Writer) drain() {
	size := 0
	for _, p := range w.held {
		size += len(p.Body)
	}
	for len(w.held) < batchSize && size < batchBytes {
		select {
		case r := <-w.queue:
			size += w.hold(r)
		default:
			return
		}
	}
}

// hold takes r for the next batch and returns its size.
func (w *Writer) hold(r *Record) int {
	body, err := r.encode()
	if err != nil {
		w.lost.Add(1)
		w.report(err)
		return 0
	}
	w.held = append(w.held, Pending{EventID: r.EventID, Time: millis(r.EventTime), Body: body})
	return len(body)
}

// stateLoss adds a record of how many records were lost since the last such.
func (w *Writer) stateLoss() {
	lost := w.lost.Load()
	if lost == w.statedLost {
		return
	}
	w.hold(&Record{
		UserIdentity: UserIdentity{Type: "AWSService", InvokedBy: Source},
		EventTime:    w.opts.Now(), EventSource: Source, EventName: "AuditRecordsLost", EventType: ServiceEvent,
		EventID: w.opts.IDs.UUID(), ReadOnly: true,
		ErrorCode:           "QueueFull",
		AdditionalEventData: fmt.Appendf(nil, `{"count":%d}`, lost-w.statedLost),
	})
	w.statedLost = lost
}

func (w *Writer) retain(ctx context.Context) error {
	now := w.opts.Now()
	if w.opts.Retention <= 0 || now.Sub(w.retained) < retainEvery {
		return nil
	}
	w.retained = now
	forwarded := int64(math.MaxInt64)
	if w.opts.Forwarded != nil {
		var err error
		if forwarded, err = w.opts.Forwarded(ctx); err != nil {
			return fmt.Errorf("ask how far the audit trail was forwarded: %w", err)
		}
	}
	if _, err := retain(ctx, w.opts.DB, w.opts.Signer, now.Add(-w.opts.Retention), now, forwarded); err != nil {
		return fmt.Errorf("remove old audit records: %w", err)
	}
	return nil
}
