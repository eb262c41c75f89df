package maillink_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestAnAddressThatNobodyVerified gives sam.lee, whose password came from an
// administrator, another address: a reset must not go to it before it is
// verified, nor after it was taken away and another came.
func TestAnAddressThatNobodyVerified(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		resets := func(when string, want int) {
			t.Helper()
			w.letters()
			w.update(func(tx *store.Tx) error { return maillink.SendReset(tx, w.now, w.box, w.sam, true) })
			if got := len(w.letters()); got != want {
				t.Errorf("%s: %d resets were sent to %q", when, got, w.sam.Email())
			}
		}
		w.setPassword("hash")
		resets("the first address", 1)
		w.change("emails", address("eve@example.org"))
		resets("another address", 0)
		w.change("emails", nil)
		w.change("emails", address("eve@example.net"))
		resets("another after none", 0)
		w.change("emails", address("sam.lee@example.com"))
		resets("the first one again", 1)
	})
}

// TestAFirstAddress corrects the address of a person who never had a password:
// there is nothing to take over yet.
func TestAFirstAddress(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.change("emails", address("sam@example.org"))
		w.update(func(tx *store.Tx) error {
			reachable, err := maillink.Reachable(tx, w.sam)
			if !reachable {
				t.Error("a corrected address is not reachable")
			}
			return err
		})
	})
}
