package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestInstanceIsReadAnewAfterAWrite reads an instance several times in one
// transaction, which remembers it, around changes to it.
func TestInstanceIsReadAnewAfterAWrite(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		in := instance.Instance{
			ID: "ssoins-1", IdentityStoreID: "d-1", OwnerAccountID: "111111111111", Region: "us-east-1",
			Name: "before", CreatedAt: storetest.Now(), Version: 1,
		}
		var ended *store.Tx
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			if err := tx.InsertInstance(in); err != nil {
				return err
			}
			names := func(id, storeID string) (byID, byStore string) {
				i, found, err := tx.InstanceByID(id)
				if err != nil || found != (i.ID == id) {
					t.Errorf("InstanceByID(%q): %+v, %t, %v", id, i, found, err)
				}
				j, found, err := tx.InstanceByIdentityStore(storeID)
				if err != nil || found != (j.IdentityStoreID == storeID) {
					t.Errorf("InstanceByIdentityStore(%q): %+v, %t, %v", storeID, j, found, err)
				}
				return i.Name, j.Name
			}
			want := func(name string) {
				for range 2 {
					if byID, byStore := names("ssoins-1", "d-1"); byID != name || byStore != name {
						t.Errorf("read %q by id and %q by identity store, want %q", byID, byStore, name)
					}
					if byID, byStore := names("ssoins-2", "d-2"); byID != "" || byStore != "" {
						t.Errorf("read %q and %q of another instance", byID, byStore)
					}
				}
			}
			want("before")
			once := tx.Statements(func() {
				for n := range 3 {
					if _, _, err := tx.InstanceByID(in.ID); err != nil {
						t.Error(err)
					}
					if err := tx.SetMeta("written", fmt.Sprint(n)); err != nil {
						t.Error(err)
					}
				}
			})
			if once > 4 {
				t.Errorf("three writes elsewhere and the instance before each took %d statements", once)
			}
			changed := in
			changed.Name = "after"
			if err := tx.UpdateInstance(changed); err != nil {
				return err
			}
			want("after")
			if err := tx.DeleteInstance(in); err != nil {
				return err
			}
			if i, found, err := tx.InstanceByID(in.ID); found || err != nil {
				t.Errorf("after its deletion: %+v, %v", i, err)
			}
			if err := tx.InsertInstance(in); err != nil {
				return err
			}
			want("before")
			ended = tx
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ended.InstanceByID(in.ID); !errors.Is(err, store.ErrEnded) {
			t.Errorf("after the transaction: %v", err)
		}
	})
}
