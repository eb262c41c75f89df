package mfa_test

import (
	"testing"
	"time"

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

// TestBothCodesCount registers an app with one code that is right.
func TestBothCodesCount(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		var app mfa.NewApp
		b.update(func(tx *store.Tx) (err error) {
			app, err = b.factors.BeginApp(tx, b.now, "h", storeID, b.sam.ID, "sam.lee")
			return err
		})
		for name, codes := range map[string][2]string{
			"the second alone":      {"", b.code(app.Secret, 0)},
			"the first alone":       {b.code(app.Secret, -1), ""},
			"one twice":             {b.code(app.Secret, 0), b.code(app.Secret, 0)},
			"the wrong order":       {b.code(app.Secret, 0), b.code(app.Secret, -1)},
			"not one after another": {b.code(app.Secret, -2), b.code(app.Secret, 0)},
		} {
			b.update(func(tx *store.Tx) error {
				_, right, err := b.factors.FinishApp(tx, b.now, "h", storeID, b.sam.ID, "phone", codes[0], codes[1])
				if right {
					t.Errorf("%s registers an app", name)
				}
				return err
			})
		}
		if len(b.list()) != 0 {
			t.Error("a device was registered")
		}
	})
}

// TestTrustEndsWithThePassword asks whether a browser is trusted of which the
// trust is older than the password, as old, and younger.
func TestTrustEndsWithThePassword(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		token := b.trust("", home())
		for name, c := range map[string]struct {
			since time.Time
			want  bool
		}{
			"an older password":  {b.now.Add(-time.Millisecond), true},
			"one of that moment": {b.now, true},
			"a younger password": {b.now.Add(time.Millisecond), false},
		} {
			b.update(func(tx *store.Tx) error {
				got, err := b.factors.Trusted(tx, b.now.Add(time.Second), c.since, storeID, b.sam.ID, token, home())
				if got != c.want {
					t.Errorf("%s: trusted is %v", name, got)
				}
				return err
			})
		}
	})
}
