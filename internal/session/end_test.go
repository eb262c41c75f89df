package session_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestEndAllEndsWhatIsOpenInAccounts ends the sessions of a person who has none:
// what was opened in accounts earlier ends too.
func TestEndAllEndsWhatIsOpenInAccounts(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		sam := newUser(t, s, "sam")
		update(t, s, func(tx *store.Tx) error {
			_, err := session.EndAll(tx, storeID, sam)
			return err
		})
		ended := false
		update(t, s, func(tx *store.Tx) error {
			all, err := tx.EpochsAfter(epoch.Epoch{}, 100)
			ended = false
			for _, e := range all {
				ended = ended || e.Ref == epoch.Ref{Scope: epoch.User, ID: sam}
			}
			return err
		})
		if !ended {
			t.Error("what sam opened in accounts goes on")
		}
	})
}

// TestPersonOfTheDisabled asks for the person of a session that was read before
// the person was disabled.
func TestPersonOfTheDisabled(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		sam := newUser(t, s, "sam")
		held, _ := start(t, s, sam)
		person := func() (found bool) {
			update(t, s, func(tx *store.Tx) (err error) {
				_, found, err = session.PersonOf(tx, held)
				return err
			})
			return found
		}
		if !person() {
			t.Fatal("the person is not found")
		}
		update(t, s, func(tx *store.Tx) error {
			_, _, err := directory.DisableUser(tx, directory.Stamp{At: storetest.Now(), By: "test"}, storeID, sam)
			return err
		})
		if person() {
			t.Error("a person who is disabled may go on")
		}
	})
}
