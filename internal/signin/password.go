package signin

import (
	"context"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
)

// claim is who an attempt's user name stands for.
type claim struct {
	attempt  Attempt
	user     directory.User      // the zero User for nobody
	password credential.Password // the zero Password when there is none
}

// usable tells whether the right password would let the person in.
func (c *claim) usable() bool { return c.user.Status == directory.Enabled && c.password.Hash != "" }

// Password is the step in which a person gives the password. A wrong one, an
// unknown or disabled user and a user without password have one answer,
// fault.Denied with the subject "password", and take the same time.
// fault.Throttled, before anything is computed, when too many were wrong. A
// one-time password that is right and has expired is a fault.Denied with the
// subject "one_time_password".
func (f *Flow) Password(ctx context.Context, v Visit, id, password string) (Outcome, error) {
	var c claim
	var tooMany error // unless it is a one-time password that is right
	err := f.DB.Update(ctx, func(tx Tx) error {
		var err error
		if c, err = f.admit(tx, v, id); err != nil {
			return err
		}
		if credential.LooksOneTime(password) {
			tooMany, err = f.guessAt(v, c.attempt).admitOneTime(tx, f.now())
			return err
		}
		tooMany = nil
		return f.guessAt(v, c.attempt).admit(tx, f.now())
	})
	if err != nil {
		return Outcome{}, err
	}
	right, err := f.hasher(v).Matches(ctx, c.password.Hash, password)
	if err != nil {
		return Outcome{}, err
	}
	if tooMany != nil && !(right && c.usable() && c.password.OneTime) {
		if err := f.refuse(ctx, v, c); !fault.Is(err, fault.Denied) {
			return Outcome{}, err
		}
		return Outcome{}, tooMany
	}
	if !right || !c.usable() {
		return Outcome{}, f.refuse(ctx, v, c)
	}
	if c.password.Expired(f.now()) {
		return Outcome{}, f.refuseExpired(ctx, v, c)
	}
	renewed := "" // the hash made with today's parameters, when it was with others
	if f.Hasher.Outdated(c.password.Hash) {
		if renewed, err = f.hasher(v).Hash(ctx, password); err != nil {
			return Outcome{}, err
		}
	}
	var out Outcome
	err = f.DB.Update(ctx, func(tx Tx) error {
		var err error
		out, err = f.accept(tx, v, c, renewed)
		return err
	})
	return out, err
}

// admit reads the attempt and whom it is about.
func (f *Flow) admit(tx Tx, v Visit, id string) (claim, error) {
	a, err := find(tx, f.now(), v.Browser, id, StepPassword)
	if err != nil {
		return claim{}, err
	}
	return f.claimed(tx, a)
}

// claimed reads whom an attempt is about. It reads as much for nobody as for
// somebody.
func (f *Flow) claimed(tx Tx, a Attempt) (claim, error) {
	c := claim{attempt: a}
	userID, _, err := tx.DirectoryUserIDByName(a.StoreID, directory.Key(a.UserName))
	if err != nil {
		return c, err
	}
	if c.user, _, err = tx.DirectoryUser(a.StoreID, userID); err != nil {
		return c, err
	}
	c.password, _, err = tx.PasswordOf(a.StoreID, userID)
	return c, err
}

// refuse counts and records a wrong password, and returns the answer to it.
func (f *Flow) refuse(ctx context.Context, v Visit, c claim) error {
	a := c.attempt
	a.UserID = c.user.ID
	var r audit.Record
	err := f.DB.Update(ctx, func(tx Tx) error {
		var err error
		if r, err = f.record(tx, v, a, "CredentialVerification", typePassword, false); err != nil {
			return err
		}
		return f.guessAt(v, a).wrong(tx, f.now())
	})
	if err != nil {
		return err
	}
	if a.UserID == "" {
		f.Audit.Noise(r)
	} else {
		f.Audit.Enqueue(r)
	}
	return errWrong()
}

// refuseExpired records a one-time password that was right, but too late, and
// returns the answer to it. Only who has the password is told.
func (f *Flow) refuseExpired(ctx context.Context, v Visit, c claim) error {
	a := c.attempt
	a.UserID = c.user.ID
	err := f.DB.Update(ctx, func(tx Tx) error {
		if err := f.guessAt(v, a).right(tx, f.now()); err != nil {
			return err
		}
		r, err := f.record(tx, v, a, "CredentialVerification", typePassword, false)
		if err != nil {
			return err
		}
		return audit.Append(tx, r)
	})
	if err != nil {
		return err
	}
	return fault.New(fault.Denied, "one_time_password", "The one-time password has expired. Ask an administrator of IAM Identity Center for another.")
}

func errWrong() error {
	return fault.New(fault.Denied, "password", "The username or password is not correct.")
}

// accept takes the right password, unless what it was right for has changed
// while it was checked.
func (f *Flow) accept(tx Tx, v Visit, checked claim, renewed string) (Outcome, error) {
	c, err := f.admit(tx, v, checked.attempt.ID)
	if err != nil {
		return Outcome{}, err
	}
	if !c.usable() || c.user.ID != checked.user.ID {
		return Outcome{}, errWrong()
	}
	held, err := tx.HoldPassword(c.user.StoreID, c.user.ID, checked.password.Version)
	if err != nil {
		return Outcome{}, err
	}
	if !held {
		return Outcome{}, errWrong()
	}
	a := c.attempt
	a.UserID, a.PasswordVerifiedAt = c.user.ID, f.now()
	a.PasswordVersion, a.PasswordExpired = c.password.Version, c.password.OneTime
	if renewed != "" {
		if err := credential.Rehash(tx, c.password, renewed); err != nil {
			return Outcome{}, err
		}
		a.PasswordVersion++
	}
	if err := f.guessAt(v, a).right(tx, f.now()); err != nil {
		return Outcome{}, err
	}
	r, err := f.record(tx, v, a, "CredentialVerification", typePassword, true)
	if err != nil {
		return Outcome{}, err
	}
	if err := audit.Append(tx, r); err != nil {
		return Outcome{}, err
	}
	return f.settle(tx, v, a)
}
