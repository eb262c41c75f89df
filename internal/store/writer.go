package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// maxBatch bounds how many operations share one commit, and so how long the
// first of them waits for the others.
const maxBatch = 256

// writer serialises the changes of a SQLite database and commits them in
// groups: while one group is being written to disk, the next one gathers.
//
// It is one goroutine that owns the transaction, and lends the connection to
// the callers of update in turn. Each runs its function in its own goroutine,
// within a savepoint, and gives the connection back; so a function that fails,
// panics or calls t.Fatal takes back its own work only.
type writer struct {
	store   *Store
	driver  driver.Driver
	dsn     string
	session *session // nil when it must be opened anew
	queue   chan *turn
	quit    chan struct{}
	stopped chan struct{}
}

// turn is one caller's place in the queue.
type turn struct {
	ctx context.Context
	// start lends the connection; a non-nil error says that the transaction
	// could not begin. It has no buffer: a caller that has gone never starts.
	start chan error
	// ran gives the connection back; a non-nil error says that the savepoint
	// could not be ended, so that the whole group must be taken back.
	ran chan error
	// settled tells how the group's commit went.
	settled chan error
	// change is what the change counter was raised to, 0 when it was not.
	change int64
}

var errClosed = errors.New("store: closed")

func startWriter(d driver.Driver, dsn string, s *Store) *writer {
	w := &writer{
		store: s, driver: d, dsn: dsn, queue: make(chan *turn),
		quit: make(chan struct{}), stopped: make(chan struct{}),
	}
	go w.loop()
	return w
}

// stop waits for the running group and ends the writer.
func (w *writer) stop() {
	close(w.quit)
	<-w.stopped
}

func (w *writer) loop() {
	defer close(w.stopped)
	for {
		select {
		case t := <-w.queue:
			w.group(t)
		case <-w.quit:
			if w.session != nil {
				w.session.discard()
			}
			return
		}
	}
}

// group runs first and whoever queues up meanwhile in one transaction.
func (w *writer) group(first *turn) {
	err := w.begin()
	var members []*turn
	for t := first; t != nil; t = w.next(len(members)) {
		select {
		case t.start <- err:
		case <-t.ctx.Done():
			continue
		}
		if err != nil {
			return // told to first, who waits for nothing more
		}
		members = append(members, t)
		if err = <-t.ran; err != nil {
			break
		}
	}
	if err == nil {
		err = w.session.run("COMMIT")
	}
	if err != nil {
		// Closing the connection takes the transaction back. After an error such
		// as a full disk SQLite may have done so by itself, or not.
		w.session = w.session.discard()
		err = unavailable(err)
	}
	for _, t := range members {
		t.settled <- err
	}
}

// next returns a waiting turn, or nil when there is none or the group is full.
func (w *writer) next(members int) *turn {
	if members >= maxBatch {
		return nil
	}
	select {
	case t := <-w.queue:
		return t
	default:
		return nil
	}
}

func (w *writer) begin() (err error) {
	if w.session == nil {
		if w.session, err = w.store.newSession(w.driver, w.dsn); err != nil {
			return translate("connect", err)
		}
	}
	if err := w.session.run("BEGIN IMMEDIATE"); err != nil {
		w.session = w.session.discard()
		return unavailable(err)
	}
	return nil
}

// update is Store.Update for SQLite.
func (w *writer) update(ctx context.Context, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := &turn{ctx: ctx, start: make(chan error), ran: make(chan error, 1), settled: make(chan error, 1)}
	select {
	case w.queue <- t:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return errClosed
	}
	select {
	case err := <-t.start:
		if err != nil {
			return err
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	err := w.run(t, fn)
	// Failures wait for the commit too: fn may have failed because of what
	// others in the group have written.
	if failure := <-t.settled; failure != nil {
		return failure
	}
	if err == nil {
		w.store.hear(t.change)
	}
	return err
}

// run runs fn in a savepoint, in the caller's goroutine, and then gives the
// connection back even when fn panics.
func (w *writer) run(t *turn, fn func(*Tx) error) (err error) {
	c := w.session
	if err := c.run("SAVEPOINT operation"); err != nil {
		t.ran <- err
		return err
	}
	err = errExited // stays when fn panics
	ctx := context.WithoutCancel(t.ctx)
	tx := w.store.newTx(ctx, c)
	defer func() {
		tx.end()
		t.ran <- endSavepoint(c, err == nil)
	}()
	if w.store.runTwice {
		_ = fn(tx)
		tx.end()
		if e := c.run("ROLLBACK TO operation"); e != nil {
			return e
		}
		tx = w.store.newTx(ctx, c)
	}
	err = fn(tx)
	err = tx.outcome(err)
	t.change = tx.change
	return err
}

// endSavepoint keeps or takes back what was done since the savepoint.
func endSavepoint(c *session, keep bool) error {
	if !keep {
		if err := c.run("ROLLBACK TO operation"); err != nil {
			return fmt.Errorf("taking back an operation: %w", err)
		}
	}
	return c.run("RELEASE operation")
}
