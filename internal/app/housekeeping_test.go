package app

import (
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestSweepRemovesWhatHasExpired fills more than one batch and keeps what is
// still of use.
func TestSweepRemovesWhatHasExpired(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		const expired = sweepBatch + 1
		save := func(token string, expires time.Time) func(*store.Tx) error {
			return func(tx *store.Tx) error {
				return tx.SaveIdempotentResponse("123456789012", "op", token, []byte("h"), []byte("r"), expires)
			}
		}
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			for i := range expired {
				if err := save(time.Duration(i).String(), storetest.Now().Add(-time.Second))(tx); err != nil {
					return err
				}
			}
			return save("live", storetest.Now().Add(time.Hour))(tx)
		})
		if err != nil {
			t.Fatal(err)
		}
		p := &Program{Options: Options{Store: s, Now: storetest.Now}}
		for _, sw := range sweeps() {
			if err := p.sweep(t.Context(), sw); err != nil {
				t.Fatal(err)
			}
		}
		err = s.View(t.Context(), func(tx *store.Tx) error {
			if _, _, found, err := tx.IdempotentResponse("123456789012", "op", "live"); err != nil || !found {
				t.Errorf("what is still of use was removed (%v)", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Update(t.Context(), func(tx *store.Tx) error {
			n, err := tx.DeleteExpiredResponses(10)
			if n != 0 {
				t.Errorf("%d expired rows were left", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
