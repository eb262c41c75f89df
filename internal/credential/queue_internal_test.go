package credential

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/fault"
)

// TestNetworksTakeTurns has one network ask for much before others ask for a
// little.
func TestNetworksTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1, 100)
		if err := q.enter(t.Context(), "flood"); err != nil {
			t.Fatal(err)
		}
		var served []string
		for i, network := range []string{"flood", "flood", "flood", "flood", "home", "office", "office"} {
			go func() {
				if err := q.enter(t.Context(), network); err != nil {
					t.Errorf("%d: %v", i, err)
					return
				}
				served = append(served, network)
				q.leave()
			}()
			synctest.Wait() // so that they come in this order
		}
		q.leave()
		synctest.Wait()
		want := []string{"flood", "home", "office", "flood", "office", "flood", "flood"}
		if !slices.Equal(served, want) {
			t.Errorf("served %v, want %v", served, want)
		}
	})
}

// TestALongLineMakesRoom fills all places from one network: others still find
// one.
func TestALongLineMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1, 3)
		if err := q.enter(t.Context(), "flood"); err != nil {
			t.Fatal(err)
		}
		refused := map[string]int{}
		for i, network := range []string{"flood", "flood", "flood", "flood", "home", "office", "home"} {
			go func() {
				switch err := q.enter(t.Context(), network); {
				case err == nil:
					q.leave()
				case fault.Is(err, fault.Unavailable):
					refused[network]++
				default:
					t.Errorf("%d: %v", i, err)
				}
			}()
			synctest.Wait()
		}
		q.leave()
		synctest.Wait()
		if got := fmt.Sprint(refused); got != "map[flood:3 home:1]" {
			t.Errorf("sent away: %s", got)
		}
	})
}

// TestNobodyIsForgotten has callers come, give up and leave at random: in the
// end all turns are free and nobody waits.
func TestNobodyIsForgotten(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		parallel, places := rapid.IntRange(1, 3).Draw(r, "parallel"), rapid.IntRange(1, 5).Draw(r, "places")
		callers := rapid.IntRange(1, 30).Draw(r, "callers")
		networks := rapid.SliceOfN(rapid.IntRange(0, 3), callers, callers).Draw(r, "networks")
		patient := rapid.SliceOfN(rapid.Bool(), callers, callers).Draw(r, "patient")
		synctest.Test(t, func(t *testing.T) {
			q := newQueue(parallel, places)
			running := 0
			open := make(chan struct{})
			for i := range callers {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					err := q.enter(ctx, fmt.Sprint(networks[i]))
					if err != nil {
						if !fault.Is(err, fault.Unavailable) && !errors.Is(err, context.Canceled) {
							t.Errorf("%d: %v", i, err)
						}
						return
					}
					q.mu.Lock()
					if running++; running > parallel {
						t.Errorf("%d run, at most %d may", running, parallel)
					}
					q.mu.Unlock()
					<-open
					q.mu.Lock()
					running--
					q.mu.Unlock()
					q.leave()
				}()
				synctest.Wait()
				if !patient[i] {
					cancel()
				}
			}
			close(open)
			synctest.Wait()
			if q.free != parallel || q.waiting != 0 || len(q.lines) != 0 || len(q.turn) != 0 {
				t.Errorf("in the end: %d free, %d waiting, lines %v, turn %v", q.free, q.waiting, q.lines, q.turn)
			}
		})
	})
}
