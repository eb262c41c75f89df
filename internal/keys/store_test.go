package keys_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func TestStoredGenerations(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		at := storetest.Now()
		generation := func(p keys.Purpose, number uint32) keys.Generation {
			return keys.Generation{Purpose: p, Number: number, RootID: "root", Wrapped: []byte{0, 1, byte(number)}, Created: at, Active: at.Add(time.Minute)}
		}
		insert := func(g keys.Generation) (inserted bool) {
			t.Helper()
			err := s.Update(t.Context(), func(tx *store.Tx) (err error) {
				inserted, err = tx.InsertKeyGeneration(g)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return inserted
		}
		for _, g := range []keys.Generation{generation(keys.Sessions, 4294967295), generation(keys.Sessions, 2), generation(keys.Cookies, 1)} {
			if !insert(g) {
				t.Errorf("%s %d was not inserted", g.Purpose, g.Number)
			}
		}
		other := generation(keys.Sessions, 2)
		other.RootID = "other"
		if insert(other) {
			t.Error("a number was taken twice")
		}
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			removed, err := tx.DeleteKeyGeneration(keys.Cookies, 1)
			again, err2 := tx.DeleteKeyGeneration(keys.Cookies, 1)
			if !removed || again {
				return fmt.Errorf("removed %v, then %v", removed, again)
			}
			return errors.Join(err, err2)
		})
		if err != nil {
			t.Error(err)
		}
		var got []keys.Generation
		err = s.View(t.Context(), func(tx *store.Tx) (err error) {
			got, err = tx.KeyGenerations()
			return err
		})
		want := []keys.Generation{generation(keys.Sessions, 2), generation(keys.Sessions, 4294967295)}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}

func TestNodesOnOneDatabaseAgree(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		db := store.Bind[keys.Tx](s)
		rings := make([]*keys.Ring, 6)
		var wg sync.WaitGroup
		for i := range rings {
			root := newRoot(t, 1)
			wg.Go(func() {
				var err error
				if rings[i], err = keys.Load(t.Context(), db, root, time.Now, rand.Reader); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		sealed, err := rings[0].Seal(keys.Sessions, []byte("x"), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range rings {
			if _, err := r.Open(keys.Sessions, sealed, nil); err != nil {
				t.Errorf("node %d has keys of its own", i)
			}
		}
		// Rotating at the same moment makes one generation, or one each:
		// never two with one number.
		for _, r := range rings {
			wg.Go(func() { _, _ = r.Rotate(t.Context(), keys.Sessions, 0) })
		}
		wg.Wait()
		for _, r := range rings {
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		sealed, err = rings[3].Seal(keys.Sessions, []byte("x"), nil)
		if err != nil || keys.SealedBy(sealed) < 2 {
			t.Fatalf("sealed by %d, %v; want a new generation", keys.SealedBy(sealed), err)
		}
		for i, r := range rings {
			if _, err := r.Open(keys.Sessions, sealed, nil); err != nil {
				t.Errorf("after rotations node %d has other keys", i)
			}
		}
	})
}
