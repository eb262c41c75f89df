package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestSnapshotsLoseNoUpdate has many clients raise one counter that each reads
// first.
func TestSnapshotsLoseNoUpdate(t *testing.T) {
	const rounds = 5
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		set := func(tx *store.Tx, value int) error { return tx.SetMeta("counter", fmt.Sprint(value)) }
		if err := s.UpdateSnapshot(t.Context(), func(tx *store.Tx) error { return set(tx, 0) }); err != nil {
			t.Fatal(err)
		}
		var acknowledged atomic.Int64
		inParallel(func(int) {
			for range rounds {
				err := s.UpdateSnapshot(t.Context(), func(tx *store.Tx) error {
					text, _, err := tx.Meta("counter")
					if err != nil {
						return err
					}
					var value int
					if _, err := fmt.Sscan(text, &value); err != nil {
						return err
					}
					return set(tx, value+1)
				})
				if err == nil {
					acknowledged.Add(1)
				}
			}
		})
		wantMeta(t, s, map[string]string{"counter": fmt.Sprint(acknowledged.Load())})
		if acknowledged.Load() < clients {
			t.Errorf("only %d updates of %d came through", acknowledged.Load(), clients*rounds)
		}
	})
}

// TestSnapshotsOfOtherRowsDoNotDisturb has many clients each read and change
// rows of their own, and insert others: none is ever run again.
func TestSnapshotsOfOtherRowsDoNotDisturb(t *testing.T) {
	const rounds = 10
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		var runs atomic.Int64
		inParallel(func(client int) {
			for round := range rounds {
				err := s.UpdateSnapshot(t.Context(), func(tx *store.Tx) error {
					runs.Add(1)
					own := fmt.Sprint("client ", client)
					if _, _, err := tx.Meta(own); err != nil {
						return err
					}
					if err := tx.SetMeta(fmt.Sprint("row ", client, round), "1"); err != nil {
						return err
					}
					return tx.SetMeta(own, fmt.Sprint(round))
				})
				if err != nil {
					t.Errorf("client %d: %v", client, err)
				}
			}
		})
		if got := runs.Load(); got != clients*rounds {
			t.Errorf("%d transactions took %d attempts", clients*rounds, got)
		}
	})
}
