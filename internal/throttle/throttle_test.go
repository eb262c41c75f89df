package throttle_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
	"github.com/atrium-iam/atrium/internal/throttle"
)

var limit = throttle.Limit{Scope: "test", Free: 2, First: time.Second, Most: 5 * time.Second, Forget: time.Minute}

func take(t *testing.T, s *store.Store, now time.Time, subjects ...throttle.Subject) error {
	t.Helper()
	return s.Update(t.Context(), func(tx *store.Tx) error { return throttle.Take(tx, now, subjects...) })
}

// wait is how long err says to wait; -1 when it is not a refusal.
func wait(err error) time.Duration {
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Category == fault.Throttled {
		return e.RetryAfter
	}
	return -1
}

func TestDelaysGrow(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		sam := throttle.Subject{Limit: limit, Key: "sam"}
		now := storetest.Now()
		var waits []time.Duration
		for range 7 {
			if err := take(t, s, now, sam); err != nil {
				t.Fatal(err)
			}
			delay := max(wait(take(t, s, now, sam)), 0)
			if delay == 0 { // the second try of this round was free: it counts
				waits = append(waits, 0, 0)
				continue
			}
			waits = append(waits, delay)
			if got := wait(take(t, s, now.Add(delay-time.Millisecond), sam)); got != time.Millisecond {
				t.Errorf("a moment before the end of %s: wait %s", delay, got)
			}
			now = now.Add(delay)
		}
		want := []time.Duration{0, 0, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second, 5 * time.Second}
		if diff := cmp.Diff(want, waits); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if err := take(t, s, now.Add(limit.Forget), sam); err != nil {
			t.Errorf("after everything is forgotten: %v", err)
		}
		if err := take(t, s, now.Add(limit.Forget), sam); err != nil {
			t.Errorf("the free tries did not come back: %v", err)
		}
	})
}

func TestSubjectsCountTogether(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		now := storetest.Now()
		address := throttle.Subject{Limit: throttle.Limit{Scope: "address", Free: 3, First: time.Minute, Most: time.Minute, Forget: time.Hour}, Key: "203.0.113.9"}
		account := func(name string) throttle.Subject { return throttle.Subject{Limit: limit, Key: name} }
		for _, name := range []string{"a", "b", "c", "d"} {
			if err := take(t, s, now, account(name), address); err != nil {
				t.Fatal(err)
			}
		}
		if got := wait(take(t, s, now, account("e"), address)); got != time.Minute {
			t.Errorf("the fifth account from one address waits %s, want a minute", got)
		}
		// The refused try counted against nobody.
		for i := range 3 {
			if err := take(t, s, now, account("e")); err != nil {
				t.Errorf("try %d of an account that was refused with its address: %v", i, err)
			}
		}
	})
}

func TestRightTriesCostNothing(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		now := storetest.Now()
		account := throttle.Subject{Limit: limit, Key: "sam"}
		address := throttle.Subject{Limit: throttle.Limit{Scope: "address", Free: 1, First: time.Minute, Most: time.Minute, Forget: time.Hour}, Key: "203.0.113.9"}
		if err := take(t, s, now, address); err != nil { // somebody else's wrong one
			t.Fatal(err)
		}
		for i := range 20 {
			if err := take(t, s, now, account, address); err != nil {
				t.Fatalf("try %d: %v", i, err)
			}
			err := s.Update(t.Context(), func(tx *store.Tx) error {
				if err := throttle.Clear(tx, account); err != nil {
					return err
				}
				return throttle.GiveBack(tx, now, address)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		// The wrong one still counts.
		if err := take(t, s, now, address); err != nil {
			t.Fatal(err)
		}
		if wait(take(t, s, now, address)) != time.Minute {
			t.Error("giving back right tries forgot a wrong one")
		}
	})
}

// TestAtOnce lets many try at the same time: no more than the free ones and
// one get through.
func TestAtOnce(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		passed := make(chan struct{}, 50)
		for range cap(passed) {
			wg.Go(func() {
				if take(t, s, storetest.Now(), throttle.Subject{Limit: limit, Key: "sam"}) == nil {
					passed <- struct{}{}
				}
			})
		}
		wg.Wait()
		if got := int64(len(passed)); got != limit.Free+1 {
			t.Errorf("%d tries at once got through, want %d", got, limit.Free+1)
		}
	})
}

func TestForgottenCountsAreCleared(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		now := storetest.Now()
		for i := range 5 {
			at := now.Add(time.Duration(i) * time.Second)
			if err := take(t, s, at, throttle.Subject{Limit: limit, Key: string(rune('a' + i))}); err != nil {
				t.Fatal(err)
			}
		}
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			for _, want := range []int64{2, 1, 0} { // three are forgotten, two at a time
				n, err := tx.DeleteForgottenThrottles(now.Add(limit.Forget+2*time.Second), 2)
				if err != nil {
					return err
				}
				if n != want {
					t.Errorf("cleared %d counts, want %d", n, want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
