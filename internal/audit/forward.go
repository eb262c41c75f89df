package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// forwardEvery is how often a Forwarder looks for new records.
	forwardEvery = 500 * time.Millisecond
	// forwardBatch is how many records are handed over at once.
	forwardBatch = 500
	// lease is how long one node alone forwards to a target. Nobody else does
	// before it is over, also when the node has died.
	lease = 30 * time.Second
	// deliverTimeout bounds one delivery: shorter than a lease, so that a
	// delivery ends before another node can begin.
	deliverTimeout = 10 * time.Second
	// The waits after a failure: the first, and the longest.
	firstWait = time.Second
	mostWait  = time.Minute
)

// Target takes records out of the installation.
type Target interface {
	// Deliver hands over records in their order. nil says that the target has
	// all of them, for good as far as it can tell. After an error, and after a
	// crash, the same records come again.
	Deliver(ctx context.Context, records []Entry) error
}

// Cursor tells how far the trail has been forwarded to a target.
type Cursor struct {
	Target string
	// Sequence is the number of the last record that the target has.
	Sequence int64
	// Holder is who forwards, alone until HeldUntil.
	Holder    string
	HeldUntil time.Time
}

// ForwardTx is what forwarding needs of a store transaction.
type ForwardTx interface {
	ChainTx
	// AuditCursor returns the cursor of a target.
	AuditCursor(target string) (c Cursor, found bool, err error)
	// InsertAuditCursor stores a first cursor, unless there is one.
	InsertAuditCursor(c Cursor) error
	// UpdateAuditCursor stores c over before and reports whether that was what
	// is stored.
	UpdateAuditCursor(c, before Cursor) (bool, error)
}

// ForwardDB runs transactions of forwarding. Their functions may run more than
// once.
type ForwardDB interface {
	Update(ctx context.Context, f func(ForwardTx) error) error
	View(ctx context.Context, f func(ForwardTx) error) error
}

// ForwardOptions are what a Forwarder needs; all are required.
type ForwardOptions struct {
	DB ForwardDB
	// Name names the target and its cursor.
	Name   string
	Target Target
	// Holder is this node, in its current life.
	Holder string
	Now    func() time.Time
	// Report is told of failures; the Forwarder tries again by itself.
	Report func(error)
}

// Forwarder hands the records of the trail to one target, in the order of their
// numbers and without a gap, each at least once. Where it is stands in the
// store, so that another node, or the next start, goes on there.
type Forwarder struct {
	opts ForwardOptions
	// busy is open while a delivery that was given up has not ended.
	busy chan struct{}

	mu    sync.Mutex
	stats ForwardStats
}

// ForwardStats tell how forwarding to a target goes.
type ForwardStats struct {
	// Delivered and Failures count records and failed deliveries of this node,
	// since its start.
	Delivered, Failures int64
	// Waiting is how many records the target lacks, Since when the first of
	// them was sealed; the zero time when it lacks none.
	Waiting int64
	Since   time.Time
}

// NewForwarder returns a Forwarder; Run starts it.
func NewForwarder(o ForwardOptions) *Forwarder { return &Forwarder{opts: o} }

// Name returns the target's name.
func (f *Forwarder) Name() string { return f.opts.Name }

// Stats returns how forwarding goes, as of the last look.
func (f *Forwarder) Stats() ForwardStats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stats
}

// Run forwards until ctx ends; then, once more, what there is, so that the last
// records of a node that stops go out with it. After a failure it waits, ever
// longer.
func (f *Forwarder) Run(ctx context.Context) {
	wait := time.Duration(0)
	for {
		n, err := f.Once(ctx)
		switch {
		case err == nil:
			wait = 0
		case ctx.Err() == nil:
			f.opts.Report(fmt.Errorf("forward the audit trail to %s: %w", f.opts.Name, err))
			wait = min(max(2*wait, firstWait), mostWait)
		}
		if n > 0 && err == nil && ctx.Err() == nil {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
			f.last(ctx, wait == 0)
			return
		case <-time.After(max(wait, forwardEvery)):
		}
	}
}

// last forwards what is left, unless the target is failing, and lets go of it.
func (f *Forwarder) last(ctx context.Context, well bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deliverTimeout/2)
	defer cancel()
	for well {
		n, err := f.Once(ctx)
		well = n > 0 && err == nil
	}
	_ = f.release(ctx) // else its lease ends by itself
}

// errBusy is of a target that has not ended a delivery that was given up.
var errBusy = errors.New("the target is still busy with an earlier delivery")

// Once hands over the next records and returns how many they were: 0 at the
// trail's end, and when another node forwards.
func (f *Forwarder) Once(ctx context.Context) (delivered int, err error) {
	var at Cursor
	var found, mine bool
	var records []Entry
	var next, oldest int64
	err = f.opts.DB.View(ctx, func(tx ForwardTx) (err error) {
		records, mine = nil, false
		if at, found, err = tx.AuditCursor(f.opts.Name); err != nil {
			return err
		}
		at.Target, oldest = f.opts.Name, at.Sequence+1
		if err := f.look(tx, at); err != nil {
			return err
		}
		if mine = f.free(at); !mine {
			return nil
		}
		records, next, err = Read(tx, at.Sequence, forwardBatch)
		return err
	})
	if err != nil || !mine || len(records) == 0 {
		return 0, err
	}
	if records[0].Sequence > oldest {
		f.opts.Report(fmt.Errorf("the audit records %d to %d were removed before %s had them", oldest, records[0].Sequence-1, f.opts.Name))
	}
	held, err := f.hold(ctx, at, found)
	if err != nil || held == (Cursor{}) {
		return 0, err
	}
	if err := f.deliver(ctx, records); err != nil {
		f.count(0, 1)
		return 0, errors.Join(err, f.release(ctx))
	}
	// The target has them: that is noted even if the node is stopping.
	done := held
	done.Sequence, done.HeldUntil = next, f.now().Add(lease)
	kept, err := f.store(context.WithoutCancel(ctx), done, held)
	if err == nil && !kept {
		err = errors.New("another node has begun to forward meanwhile: records may come twice")
	}
	f.count(len(records), 0)
	return len(records), err
}

// free tells whether this node may forward.
func (f *Forwarder) free(c Cursor) bool {
	return c.Holder == f.opts.Holder || !f.now().Before(c.HeldUntil)
}

// hold takes the target for this node, or keeps it; the zero Cursor says that
// another node was faster.
func (f *Forwarder) hold(ctx context.Context, at Cursor, found bool) (Cursor, error) {
	if at.Holder == f.opts.Holder && f.now().Add(lease/2).Before(at.HeldUntil) {
		return at, nil
	}
	if !found {
		err := f.opts.DB.Update(ctx, func(tx ForwardTx) error { return tx.InsertAuditCursor(at) })
		if err != nil {
			return Cursor{}, err
		}
	}
	held := at
	held.Holder, held.HeldUntil = f.opts.Holder, f.now().Add(lease)
	if kept, err := f.store(ctx, held, at); err != nil || !kept {
		return Cursor{}, err
	}
	return held, nil
}

// release lets other nodes forward, if this one did.
func (f *Forwarder) release(ctx context.Context) error {
	var at Cursor
	err := f.opts.DB.View(ctx, func(tx ForwardTx) (err error) {
		at, _, err = tx.AuditCursor(f.opts.Name)
		return err
	})
	if err != nil || at.Holder != f.opts.Holder {
		return err
	}
	free := at
	free.Holder, free.HeldUntil = "", f.now()
	_, err = f.store(ctx, free, at)
	return err
}

func (f *Forwarder) store(ctx context.Context, c, before Cursor) (kept bool, err error) {
	err = f.opts.DB.Update(ctx, func(tx ForwardTx) (err error) {
		kept, err = tx.UpdateAuditCursor(c, before)
		return err
	})
	return kept, err
}

// deliver hands records over, and gives up after a time: a target that hangs
// must not keep the node from stopping. What it does afterwards is waited for
// before the next delivery.
func (f *Forwarder) deliver(ctx context.Context, records []Entry) error {
	if f.busy != nil {
		select {
		case <-f.busy:
			f.busy = nil
		default:
			return errBusy
		}
	}
	ctx, cancel := context.WithTimeout(ctx, deliverTimeout)
	ended, failed := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(ended)
		defer cancel()
		failed <- f.opts.Target.Deliver(ctx, records)
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	select { // it may have ended because of that
	case err := <-failed:
		return err
	case <-time.After(time.Second):
		f.busy = ended
		return fmt.Errorf("the target takes no records: %w", ctx.Err())
	}
}

// look notes how much the target lacks.
func (f *Forwarder) look(tx ForwardTx, at Cursor) error {
	last, found, err := tx.LastAuditBatch()
	if err != nil {
		return err
	}
	var waiting int64
	var since time.Time
	if found && last.LastSequence > at.Sequence {
		waiting = last.LastSequence - at.Sequence
		first, err := tx.AuditBatchesOf(at.Sequence, 1)
		if err != nil {
			return err
		}
		if len(first) > 0 {
			since = first[0].Sealed
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stats.Waiting, f.stats.Since = waiting, since
	return nil
}

func (f *Forwarder) count(delivered, failures int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stats.Delivered += int64(delivered)
	f.stats.Failures += int64(failures)
	f.stats.Waiting = max(0, f.stats.Waiting-int64(delivered))
	if f.stats.Waiting == 0 {
		f.stats.Since = time.Time{}
	}
}

func (f *Forwarder) now() time.Time { return millis(f.opts.Now()) }

// Forwarded returns up to which record every one of some targets has the trail.
func Forwarded(ctx context.Context, db ForwardDB, targets []string) (through int64, err error) {
	err = db.View(ctx, func(tx ForwardTx) error {
		for i, name := range targets {
			c, _, err := tx.AuditCursor(name)
			if err != nil {
				return err
			}
			if i == 0 || c.Sequence < through {
				through = c.Sequence
			}
		}
		return nil
	})
	return through, err
}
