package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// epochsOf returns all epochs, read two at a time.
func epochsOf(t *testing.T, s *store.Store) (list []epoch.Epoch) {
	t.Helper()
	err := s.View(t.Context(), func(tx *store.Tx) error {
		list = nil
		for after := (epoch.Epoch{}); ; after = list[len(list)-1] {
			page, err := tx.EpochsAfter(after, 2)
			list = append(list, page...)
			if err != nil || len(page) < 2 {
				return err
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestEpochs(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		do := func(f func(tx *store.Tx) error) {
			t.Helper()
			if err := s.Update(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		at := storetest.Now()
		epochOf := func(scope epoch.Scope, id string, value int64) epoch.Epoch {
			return epoch.Epoch{Ref: epoch.Ref{Scope: scope, ID: id}, Value: value, RaisedAt: at}
		}
		do(func(tx *store.Tx) error { return tx.RevokeUser("user") })
		do(func(tx *store.Tx) error {
			// One transaction raises the counter once.
			if err := tx.RevokePrincipal("AROA"); err != nil {
				return err
			}
			return tx.RevokeAccount("111122223333")
		})
		do(func(tx *store.Tx) error { return tx.RevokeMembership("d-1234567890", "no group", "nobody") })
		do(func(tx *store.Tx) error { return tx.RevokeUser("user") })
		want := []epoch.Epoch{
			epochOf(epoch.Account, "111122223333", 2), epochOf(epoch.Principal, "AROA", 2), epochOf(epoch.User, "user", 3),
		}
		if diff := cmp.Diff(want, epochsOf(t, s)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if heard := s.HeardChange(); heard != 3 {
			t.Errorf("the process has heard of change %d, want 3", heard)
		}

		do(func(tx *store.Tx) error {
			n, err := tx.DeleteEpochs(at, 10)
			if n != 0 {
				t.Errorf("deleted %d epochs of which none is older", n)
			}
			return err
		})
		do(func(tx *store.Tx) error {
			n, err := tx.DeleteEpochs(at.Add(time.Millisecond), 2)
			if n != 2 {
				t.Errorf("deleted %d epochs, want 2", n)
			}
			return err
		})
		if left := epochsOf(t, s); len(left) != 1 {
			t.Errorf("left: %v", left)
		}
	})
}

// A change that is taken back is not heard of.
func TestHeardChangeIsCommitted(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		takenBack := errors.New("taken back")
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			if err := tx.RevokeUser("user"); err != nil {
				return err
			}
			return takenBack
		})
		if !errors.Is(err, takenBack) || s.HeardChange() != 0 || len(epochsOf(t, s)) != 0 {
			t.Errorf("heard of change %d, %v", s.HeardChange(), err)
		}
	})
}

// TestListen has one node hear of another's change, also after its connection
// was lost.
func TestListen(t *testing.T) {
	dsn := storetest.Database(t, "")
	first := storetest.Open(t, store.Config{PostgresDSN: dsn})
	second := storetest.Open(t, store.Config{PostgresDSN: dsn})
	reports := make(chan error, 10)
	stopped := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		defer close(stopped)
		second.Listen(ctx, func(err error) { reports <- err })
	}()
	raise := func(want int64) {
		t.Helper()
		if err := first.Update(t.Context(), func(tx *store.Tx) error { return tx.RevokeUser("user") }); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(10 * time.Second); second.HeardChange() < want; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the second node has heard of change %d, not of %d", second.HeardChange(), want)
			}
		}
	}
	raise(1)
	raise(2)
	err := first.View(t.Context(), func(tx *store.Tx) error {
		return tx.Rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND query LIKE 'SELECT value FROM change_counter%'`, nil, func(scan func(...any) error) error { var ok bool; return scan(&ok) })
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-reports; err == nil {
		t.Error("the lost connection was not reported")
	}
	raise(3)
	stop()
	<-stopped
}
