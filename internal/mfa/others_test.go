package mfa_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestChallengesAreForOnePerson has somebody else answer in the same sign-in or
// session, each kind of challenge: nothing comes of it, and who was asked can
// still answer.
func TestChallengesAreForOnePerson(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		var kim directory.User
		b.update(func(tx *store.Tx) (err error) {
			kim, err = b.user(tx, "kim.poe")
			return err
		})
		k, _ := b.key("blue")
		answer := k.answer(t, b.ask("h"))
		other := newToken()
		registration := other.register(t, b.beginKey("h"))
		var app mfa.NewApp
		b.update(func(tx *store.Tx) (err error) {
			app, err = b.factors.BeginApp(tx, b.now, "h", storeID, b.sam.ID, "sam.lee")
			return err
		})

		for what, try := range map[string]func(*store.Tx) (bool, error){
			"a key": func(tx *store.Tx) (bool, error) {
				_, right, err := b.factors.VerifyKey(tx, b.now, "h", kim, answer)
				return right, err
			},
			"a registration": func(tx *store.Tx) (bool, error) {
				_, right, err := b.factors.FinishKey(tx, b.now, "h", kim, "theirs", registration)
				return right, err
			},
			"an app": func(tx *store.Tx) (bool, error) {
				_, right, err := b.factors.FinishApp(tx, b.now, "h", storeID, kim.ID, "theirs", b.code(app.Secret, -1), b.code(app.Secret, 0))
				return right, err
			},
		} {
			var right bool
			err := b.store.UpdateSnapshot(t.Context(), func(tx *store.Tx) (err error) {
				right, err = try(tx)
				return err
			})
			if right || !fault.Is(err, fault.NotFound) {
				t.Errorf("%s of another person: %v, %v", what, right, err)
			}
		}

		if _, right, err := b.use("h", answer); err != nil || !right {
			t.Errorf("the person's own key after that: %v, %v", right, err)
		}
		if _, right, err := b.finishKey("h", "green", registration); err != nil || !right {
			t.Errorf("the person's own registration after that: %v, %v", right, err)
		}
		b.update(func(tx *store.Tx) error {
			theirs, err := b.factors.BeginApp(tx, b.now, "h", storeID, kim.ID, "kim.poe")
			if theirs.Secret == app.Secret {
				t.Error("somebody else is shown the secret of an app")
			}
			return err
		})
	})
}
