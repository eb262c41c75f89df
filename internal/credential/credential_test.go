package credential_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

const storeID = "d-1234567890"

// newUser creates a person and returns the id.
func newUser(t *testing.T, s *store.Store) string {
	t.Helper()
	var id string
	update(t, s, func(tx *store.Tx) error {
		u, err := directory.CreateUser(tx, ident.NewSource(rand.Reader), directory.Stamp{At: storetest.Now(), By: "test"}, storeID,
			directory.NewUser{Attributes: directory.Attributes{UserName: "sam.lee", DisplayName: "Sam Lee", Name: directory.Name{GivenName: "Sam", FamilyName: "Lee"}}})
		id = u.ID
		return err
	})
	return id
}

func update(t *testing.T, s *store.Store, f func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s *store.Store, userID string) credential.Password {
	t.Helper()
	var p credential.Password
	err := s.View(t.Context(), func(tx *store.Tx) error {
		var found bool
		var err error
		p, found, err = tx.PasswordOf(storeID, userID)
		if err == nil && !found {
			t.Fatal("no password")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestLife follows a password from the administrator's to the person's own,
// and through a reset.
func TestLife(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		user := newUser(t, s)
		now := storetest.Now()
		steps := []struct {
			do      string
			hash    string
			oneTime bool
			earlier []string
		}{
			{"set", "one-time-1", true, nil},
			{"replace", "own-1", false, nil},
			{"replace", "own-2", false, []string{"own-1"}},
			{"replace", "own-3", false, []string{"own-2", "own-1"}},
			{"replace", "own-4", false, []string{"own-3", "own-2"}},
			{"set", "one-time-2", true, []string{"own-4", "own-3", "own-2"}},
			{"set", "one-time-3", true, []string{"own-4", "own-3", "own-2"}},
			{"replace", "own-5", false, []string{"own-4", "own-3"}},
		}
		for i, step := range steps {
			now = now.Add(time.Hour)
			update(t, s, func(tx *store.Tx) error {
				if step.do == "set" {
					return credential.SetOneTime(tx, now, storeID, user, step.hash)
				}
				p, _, err := tx.PasswordOf(storeID, user)
				if err != nil {
					return err
				}
				return credential.Replace(tx, now, p, step.hash)
			})
			want := credential.Password{
				StoreID: storeID, UserID: user, Hash: step.hash, Earlier: step.earlier,
				OneTime: step.oneTime, ChangedAt: now, Version: int64(i + 1),
			}
			got := read(t, s, user)
			if len(got.Earlier) == 0 {
				got.Earlier = nil
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("step %d (-want +got):\n%s", i, diff)
			}
		}
	})
}

func TestReplaceLosesToAnEarlierChange(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		user := newUser(t, s)
		update(t, s, func(tx *store.Tx) error {
			return credential.SetOneTime(tx, storetest.Now(), storeID, user, "one-time-1")
		})
		stale := read(t, s, user)
		update(t, s, func(tx *store.Tx) error {
			return credential.SetOneTime(tx, storetest.Now(), storeID, user, "one-time-2")
		})
		err := s.Update(t.Context(), func(tx *store.Tx) error { return credential.Replace(tx, storetest.Now(), stale, "own") })
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("replacing a password that was reset: %v, want a conflict", err)
		}
		if got := read(t, s, user); got.Hash != "one-time-2" || !got.OneTime {
			t.Errorf("the reset was undone: %+v", got)
		}
	})
}

func TestPasswordGoesWithItsPerson(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		user := newUser(t, s)
		update(t, s, func(tx *store.Tx) error {
			return credential.SetOneTime(tx, storetest.Now(), storeID, user, "hash")
		})
		update(t, s, func(tx *store.Tx) error {
			_, _, err := directory.DeleteUser(tx, storeID, user)
			return err
		})
		update(t, s, func(tx *store.Tx) error {
			if _, found, err := tx.PasswordOf(storeID, user); found || err != nil {
				t.Errorf("found = %t, %v", found, err)
			}
			return nil
		})
		if err := s.Update(t.Context(), func(tx *store.Tx) error {
			return credential.SetOneTime(tx, storetest.Now(), storeID, user, "hash")
		}); !fault.Is(err, fault.Conflict) {
			t.Errorf("a password for nobody: %v", err)
		}
	})
}

func TestReused(t *testing.T) {
	h := newHasher()
	hash := func(password string) string {
		encoded, err := h.Hash(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		return encoded
	}
	p := credential.Password{Hash: hash("third"), Earlier: []string{hash("second"), hash("first")}}
	for password, want := range map[string]bool{"third": true, "second": true, "first": true, "fourth": false} {
		if got, err := credential.Reused(t.Context(), h, p, password); err != nil || got != want {
			t.Errorf("Reused(%q) = %t, %v; want %t", password, got, err, want)
		}
	}
}

func TestHold(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		user := newUser(t, s)
		update(t, s, func(tx *store.Tx) error {
			return credential.SetOneTime(tx, storetest.Now(), storeID, user, "hash")
		})
		before := read(t, s, user)
		for version, want := range map[int64]bool{0: false, 1: true, 2: false} {
			update(t, s, func(tx *store.Tx) error {
				held, err := tx.HoldPassword(storeID, user, version)
				if held != want {
					t.Errorf("holding version %d = %t, want %t", version, held, want)
				}
				return err
			})
		}
		if diff := cmp.Diff(before, read(t, s, user)); diff != "" {
			t.Errorf("holding a password changed it (-before +after):\n%s", diff)
		}
	})
}
