package signin_test

import (
	"context"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// meanwhile runs something once, at the moment at which a sign-in is about to
// begin its session: what the transaction has read is then of yesterday.
type meanwhile struct {
	signin.DB
	run func()
}

// Update is part of signin.DB.
func (m *meanwhile) Update(ctx context.Context, f func(signin.Tx) error) error {
	return m.DB.Update(ctx, func(tx signin.Tx) error { return f(&interrupted{tx, m}) })
}

type interrupted struct {
	signin.Tx
	by *meanwhile
}

func (i *interrupted) now() {
	if run := i.by.run; run != nil {
		i.by.run = nil
		run()
	}
}

// HoldPassword is part of signin.Tx.
func (i *interrupted) HoldPassword(storeID, userID string, version int64) (bool, error) {
	i.now()
	return i.Tx.HoldPassword(storeID, userID, version)
}

// DeleteSigninAttempt is part of signin.Tx.
func (i *interrupted) DeleteSigninAttempt(id string) error {
	i.now()
	return i.Tx.DeleteSigninAttempt(id)
}

// TestResetWhileTheLastStepIsTaken has an administrator reset the password
// while the person, who gave the old one, proves the second factor: where
// transactions run side by side, the reset must not overlook the session that
// begins, nor the session the reset.
func TestResetWhileTheLastStepIsTaken(t *testing.T) {
	b := newBench(t, storetest.Open(t, store.Config{PostgresDSN: storetest.Postgres(t)}))
	b.setOwn(chosen)
	secret := b.register("phone")
	v := from("203.0.113.9")
	out := b.pass(v)
	if step := out.Attempt.Next(); step != signin.StepFactor {
		t.Fatalf("after the password comes step %d", step)
	}
	hash, err := b.flow.Hasher.Hash(t.Context(), oneTime)
	if err != nil {
		t.Fatal(err)
	}
	b.flow.DB = &meanwhile{b.flow.DB, func() {
		b.update(func(tx *store.Tx) error {
			if err := credential.SetOneTime(tx, b.now, b.in.IdentityStoreID, b.sam.ID, hash); err != nil {
				return err
			}
			_, err := session.EndAll(tx, b.in.IdentityStoreID, b.sam.ID)
			return err
		})
	}}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	if out, err := b.flow.Factor(ctx, v, out.Attempt.ID, signin.Proof{Code: b.code(secret, 0)}); err == nil {
		t.Errorf("the sign-in went on: session %q", out.Session.ID)
	}
	b.update(func(tx *store.Tx) error {
		left, err := tx.PortalSessionsOfUser(b.in.IdentityStoreID, b.sam.ID, "", 10)
		if len(left) > 0 {
			t.Errorf("%d sessions are left after the reset", len(left))
		}
		return err
	})
}
