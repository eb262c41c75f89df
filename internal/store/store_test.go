package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func meta(t *testing.T, s *store.Store, name string) string {
	t.Helper()
	var value string
	err := s.View(t.Context(), func(tx *store.Tx) (err error) {
		value, _, err = tx.Meta(name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func setMeta(ctx context.Context, s *store.Store, name, value string) error {
	return s.Update(ctx, func(tx *store.Tx) error { return tx.SetMeta(name, value) })
}

func TestUpdateCommitsOrLeavesNothing(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		if err := setMeta(t.Context(), s, "a", "1"); err != nil {
			t.Fatal(err)
		}
		own := fault.New(fault.Denied, "", "no")
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			return errors.Join(tx.SetMeta("a", "2"), tx.SetMeta("b", "2"), own)
		})
		if !errors.Is(err, own) {
			t.Errorf("Update returned %v, want the function's own error", err)
		}
		if got := fmt.Sprint(meta(t, s, "a"), meta(t, s, "b")); got != "1" {
			t.Errorf("after a failed transaction a and b are %q, want 1 and nothing", got)
		}
	})
}
