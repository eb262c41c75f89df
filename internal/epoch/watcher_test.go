package epoch_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/fault"
)

// memory is a database of epochs whose failures and delays are chosen.
type memory struct {
	mu     sync.Mutex
	epochs []epoch.Epoch
	views  int
	fails  error
	delay  time.Duration
}

func (m *memory) raise(ref epoch.Ref) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epochs = append(m.epochs, epoch.Epoch{Ref: ref, Value: int64(len(m.epochs) + 1), RaisedAt: time.Now()})
}

func (m *memory) View(_ context.Context, fn func(epoch.Reader) error) error {
	time.Sleep(m.delay)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.views++
	if m.fails != nil {
		return m.fails
	}
	return fn(m)
}

func (m *memory) Change() (int64, error) { return int64(len(m.epochs)), nil }

func (m *memory) EpochsAfter(after epoch.Epoch, limit int) (page []epoch.Epoch, err error) {
	for _, e := range m.epochs {
		if e.Value > after.Value || (e.Value == after.Value && e.ID > after.ID) {
			page = append(page, e)
		}
	}
	return page[:min(limit, len(page))], nil
}

func user(n int) epoch.Ref { return epoch.Ref{Scope: epoch.User, ID: fmt.Sprint(n)} }

// TestWatcherKeepsUp measures how long an epoch raised elsewhere goes
// unnoticed, with Run and without.
func TestWatcherKeepsUp(t *testing.T) {
	for _, running := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			db := new(memory)
			w := epoch.NewWatcher(db, func() int64 { return 0 }, time.Now)
			ctx, stop := context.WithCancel(t.Context())
			if running {
				go w.Run(ctx, func(err error) { t.Error(err) })
			}
			for i := range 100 {
				time.Sleep(10 * time.Millisecond)
				if ok, err := w.Valid(ctx, int64(i), []epoch.Ref{user(i)}); !ok || err != nil {
					t.Fatalf("epoch %d is not raised yet: %v, %v", i, ok, err)
				}
				db.raise(user(i))
				time.Sleep(epoch.Tolerance)
				if ok, err := w.Valid(ctx, int64(i), []epoch.Ref{user(i)}); ok || err != nil {
					t.Fatalf("epoch %d goes unnoticed: %v, %v", i, ok, err)
				}
				if ok, err := w.Valid(ctx, int64(i+1), []epoch.Ref{user(i)}); !ok || err != nil {
					t.Fatalf("what was issued after epoch %d is refused: %v, %v", i, ok, err)
				}
			}
			stop()
		})
	}
}

// What the process has heard of counts at once.
func TestWatcherHears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := new(memory)
		var heard int64
		w := epoch.NewWatcher(db, func() int64 { return heard }, time.Now)
		valid := func() bool {
			ok, err := w.Valid(t.Context(), 0, []epoch.Ref{user(1)})
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		for range 2 {
			if !valid() || db.views != 1 {
				t.Errorf("the database was asked %d times", db.views)
			}
		}
		db.raise(user(1))
		heard = 1
		if valid() {
			t.Error("an epoch that the process knows of goes unnoticed")
		}
	})
}

// A watcher that cannot know refuses, and does not block for good when the
// database is slow.
func TestWatcherWithoutDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := new(memory)
		w := epoch.NewWatcher(db, func() int64 { return 0 }, time.Now)
		ask := func() (bool, error) { return w.Valid(t.Context(), 0, []epoch.Ref{user(1)}) }
		db.fails = errors.New("away")
		if _, err := ask(); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a watcher that knows nothing answers: %v", err)
		}
		db.fails = nil
		if ok, err := ask(); !ok || err != nil {
			t.Errorf("got %v, %v", ok, err)
		}
		db.fails = errors.New("away")
		time.Sleep(epoch.Tolerance - time.Nanosecond)
		if ok, err := ask(); !ok || err != nil {
			t.Errorf("within its tolerance: %v, %v", ok, err)
		}
		time.Sleep(time.Nanosecond)
		if _, err := ask(); !fault.Is(err, fault.Unavailable) {
			t.Errorf("beyond its tolerance it answers: %v", err)
		}
		db.fails, db.delay = nil, 3*epoch.Tolerance
		if ok, err := ask(); !ok || err != nil {
			t.Errorf("with a slow database: %v, %v", ok, err)
		}
	})
}

// Many questions at once ask the database once.
func TestWatcherAsksOnce(t *testing.T) {
	db := &memory{delay: 20 * time.Millisecond}
	started := time.Now()
	w := epoch.NewWatcher(db, func() int64 { return 0 }, func() time.Time { return started })
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if ok, err := w.Valid(t.Context(), 0, nil); !ok || err != nil {
				t.Errorf("got %v, %v", ok, err)
			}
		})
	}
	all.Wait()
	if db.views != 1 {
		t.Errorf("the database was asked %d times", db.views)
	}
}

// TestWatcherForgets lets epochs grow old, more of them than are read at a
// time.
func TestWatcherForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := new(memory)
		for i := range 2500 {
			db.raise(user(i))
		}
		w := epoch.NewWatcher(db, func() int64 { return 0 }, time.Now)
		ended := func(n int) bool {
			ok, err := w.Valid(t.Context(), 0, []epoch.Ref{user(n)})
			if err != nil {
				t.Fatal(err)
			}
			return !ok
		}
		for _, n := range []int{0, 999, 1000, 2499} {
			if !ended(n) {
				t.Errorf("epoch %d was not read", n)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		go w.Run(ctx, func(err error) { t.Error(err) })
		time.Sleep(epoch.Retention - time.Minute)
		if !ended(0) {
			t.Error("an epoch is forgotten before its time")
		}
		time.Sleep(20 * time.Minute)
		if ended(0) {
			t.Error("an epoch is remembered after its time")
		}
		stop()
	})
}
