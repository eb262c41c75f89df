package epoch_test

import (
	"sync"
	"testing"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestLastTwoWaysAtOnce takes a person's two ways to an access at the same
// time: neither change may think that the other way remains.
func TestLastTwoWaysAtOnce(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		amy, set := w.user("amy"), w.set("Admin")
		ben := w.user("ben")
		w.assign(ben, set, member) // the role stays
		ops := w.group("ops", amy)
		w.assign(ops, set, member)
		for range 20 {
			w.assign(amy, set, member)
			before := w.open(amy, set, member)
			var both sync.WaitGroup
			both.Go(func() {
				if err := s.Update(t.Context(), func(tx *store.Tx) error {
					_, err := assignment.Delete(tx, storetest.Now(), w.ids, w.in, set, member, amy)
					return err
				}); err != nil {
					t.Error(err)
				}
			})
			both.Go(func() {
				if err := s.Update(t.Context(), func(tx *store.Tx) error {
					m, err := directory.MembershipOf(tx, w.in.IdentityStoreID, ops.ID, amy.ID)
					if err != nil {
						return err
					}
					_, err = directory.DeleteMembership(tx, w.in.IdentityStoreID, m.ID)
					return err
				}); err != nil {
					t.Error(err)
				}
			})
			both.Wait()
			if t.Failed() {
				return
			}
			if w.valid(before) {
				t.Fatal("both ways are gone and the session is not")
			}
			w.join(ops, amy)
		}
	})
}

// TestManyEndAtOnce has 64 clients take access away at once: nothing is lost,
// and nobody else's session ends.
func TestManyEndAtOnce(t *testing.T) {
	const clients = 64
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		set := w.set("Admin")
		stays := w.user("stays")
		w.assign(stays, set, member)
		kept := w.open(stays, set, member)
		people := make([]assignment.Principal, clients)
		sessions := make([]credentials, clients)
		for i := range people {
			people[i] = w.user("user" + string(rune('a'+i%26)) + string(rune('a'+i/26)))
			w.assign(people[i], set, member)
			sessions[i] = w.open(people[i], set, member)
		}
		var all sync.WaitGroup
		for _, p := range people {
			all.Go(func() {
				if err := s.Update(t.Context(), func(tx *store.Tx) error {
					_, err := assignment.Delete(tx, storetest.Now(), w.ids, w.in, set, member, p)
					return err
				}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for i, c := range sessions {
			if w.valid(c) {
				t.Errorf("session %d has not ended", i)
			}
		}
		if !w.valid(kept) {
			t.Error("another person's session has ended")
		}
	})
}
