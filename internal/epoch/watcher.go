package epoch

import (
	"context"
	"sync"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
)

// How a Watcher keeps up.
const (
	// Tolerance is how far behind the database a Watcher may be.
	Tolerance = time.Second
	// interval is how often Run asks the database.
	interval = Tolerance / 4
	// pruneInterval is how often Run forgets old epochs.
	pruneInterval = 10 * time.Minute
	// batch is how many epochs are read at a time.
	batch = 1000
)

// DB runs reading transactions. Their functions may run more than once.
type DB interface {
	View(ctx context.Context, fn func(Reader) error) error
}

// Watcher holds the epochs in memory. It is safe for concurrent use.
type Watcher struct {
	db DB
	// heard returns the highest value of the change counter that this process
	// knows of without asking: by its own commits, or by notification.
	heard func() int64
	now   func() time.Time

	mu     sync.RWMutex
	epochs map[Ref]Epoch
	// seen is the value of the change counter up to which epochs is complete,
	// asked when the database was asked for it.
	seen  int64
	asked time.Time

	refreshing sync.Mutex
}

// NewWatcher returns a Watcher that knows nothing yet. heard tells the highest
// value of the change counter that the process knows of; now must not go back,
// as time.Now within one process.
func NewWatcher(db DB, heard func() int64, now func() time.Time) *Watcher {
	return &Watcher{db: db, heard: heard, now: now, epochs: make(map[Ref]Epoch)}
}

// Valid reports whether none of the references has an epoch above value, as
// the database has it, or had it less than Tolerance ago. A change that this
// process has heard of counts at once. When the database must be asked and
// does not answer it is a fault.Unavailable.
func (w *Watcher) Valid(ctx context.Context, value int64, refs []Ref) (bool, error) {
	need := demand{change: w.heard(), at: w.now()}
	w.mu.RLock()
	if !w.meets(need) {
		w.mu.RUnlock()
		if err := w.refresh(ctx, need); err != nil {
			return false, fault.New(fault.Unavailable, "", "The credentials cannot be checked at the moment. Try again.").WithCause(err)
		}
		w.mu.RLock()
	}
	defer w.mu.RUnlock()
	for _, ref := range refs {
		if w.epochs[ref].Value > value {
			return false, nil
		}
	}
	return true, nil
}

// demand is how new the epochs in memory must be for a question: complete up
// to a value of the change counter, and not behind the database by more than
// Tolerance at the time of the question.
type demand struct {
	change int64
	at     time.Time
}

// meets reports whether the epochs in memory will do.
func (w *Watcher) meets(d demand) bool {
	return w.seen >= d.change && !w.asked.IsZero() && d.at.Sub(w.asked) < Tolerance
}

// Run keeps the epochs up to date until ctx ends. What goes wrong is given to
// report and tried again.
func (w *Watcher) Run(ctx context.Context, report func(error)) {
	poll, prune := time.NewTicker(interval), time.NewTicker(pruneInterval)
	defer poll.Stop()
	defer prune.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
			err = w.read(ctx)
		case <-prune.C:
			w.prune()
		}
		if err != nil && ctx.Err() == nil {
			report(err)
		}
	}
}

// refresh reads what is new, unless somebody else has just done so.
func (w *Watcher) refresh(ctx context.Context, d demand) error {
	w.refreshing.Lock()
	defer w.refreshing.Unlock()
	w.mu.RLock()
	meets := w.meets(d)
	w.mu.RUnlock()
	if meets {
		return nil
	}
	return w.read(ctx)
}

// read reads the epochs that are new since the last time.
func (w *Watcher) read(ctx context.Context) error {
	asked := w.now()
	w.mu.RLock()
	from := Epoch{Value: w.seen + 1}
	w.mu.RUnlock()
	var found []Epoch
	var change int64
	err := w.db.View(ctx, func(tx Reader) (err error) {
		found = found[:0]
		if change, err = tx.Change(); err != nil {
			return err
		}
		for after := from; change >= from.Value; {
			page, err := tx.EpochsAfter(after, batch)
			if err != nil {
				return err
			}
			found = append(found, page...)
			if len(page) < batch {
				break
			}
			after = page[len(page)-1]
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.take(found, change, asked)
	return nil
}

func (w *Watcher) take(found []Epoch, change int64, asked time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range found {
		if e.Value > w.epochs[e.Ref].Value {
			w.epochs[e.Ref] = e
		}
	}
	w.seen = max(w.seen, change)
	if asked.After(w.asked) {
		w.asked = asked
	}
}

// prune forgets epochs that nothing can depend on any more.
func (w *Watcher) prune() {
	before := w.now().Add(-Retention)
	w.mu.Lock()
	defer w.mu.Unlock()
	for ref, e := range w.epochs {
		if e.RaisedAt.Before(before) {
			delete(w.epochs, ref)
		}
	}
}
