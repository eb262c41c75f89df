package signin

import (
	"context"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/session"
)

// StepUpAge is how long ago a signed-in person may have proved who they are to
// change what guards the account.
const StepUpAge = session.StepUpAge

// acting is a signed-in person who does something.
type acting struct {
	session  session.Session
	user     directory.User
	settings authsettings.Settings
	devices  []mfa.Device // that can be used
}

// attempt is what the person does, in the form in which steps are recorded.
func (a *acting) attempt() Attempt {
	return Attempt{ID: a.session.ID, StoreID: a.user.StoreID, UserID: a.user.ID, UserName: a.user.UserName}
}

// act reads who acts in a session. fault.NotFound, subject "session", when it
// has ended, or the person may not sign in any more.
func (f *Flow) act(tx Tx, sessionID string) (acting, error) {
	var a acting
	var found bool
	var err error
	if a.session, found, err = session.ByID(tx, f.now(), sessionID); err != nil {
		return a, err
	}
	if found {
		if a.user, found, err = session.PersonOf(tx, a.session); err != nil {
			return a, err
		}
	}
	if !found {
		return a, fault.New(fault.NotFound, "session", "The session does not exist or has ended.")
	}
	if a.settings, err = authsettings.Of(tx, a.user.StoreID); err != nil {
		return a, err
	}
	all, err := mfa.List(tx, a.user.StoreID, a.user.ID)
	a.devices = mfa.Usable(all, a.settings)
	return a, err
}

// fresh is nil when the session is session.Fresh, and otherwise fault.Denied with
// the subject "step_up".
func (a *acting) fresh(now time.Time) error {
	if a.session.Fresh(now, len(a.devices) > 0) {
		return nil
	}
	return fault.New(fault.Denied, "step_up", "Verify that it is you first.")
}

// Fresh tells whether the person of a session has proved who they are lately
// enough to change what guards the account: fault.Denied, subject "step_up",
// when not.
func (f *Flow) Fresh(ctx context.Context, sessionID string) error {
	return f.DB.View(ctx, func(tx Tx) error {
		a, err := f.act(tx, sessionID)
		if err != nil {
			return err
		}
		return a.fresh(f.now())
	})
}

// AskProof asks a signed-in person to prove who they are. Without devices in
// the answer it is the password that is asked for.
func (f *Flow) AskProof(ctx context.Context, sessionID string) (Asked, error) {
	var asked Asked
	err := f.DB.Update(ctx, func(tx Tx) error {
		a, err := f.act(tx, sessionID)
		if err != nil {
			return err
		}
		asked, err = f.ask(tx, a.session.ID, a.user, a.settings)
		asked.Trust = false
		return err
	})
	return asked, err
}

// ProveAgain takes a second factor of a signed-in person. Its errors are those
// of Factor. token, unless empty, is what proves the session from now on, in the
// place of the one that the visitor's browser has.
func (f *Flow) ProveAgain(ctx context.Context, v Visit, sessionID string, p Proof) (token string, err error) {
	var refused error // is to commit, with the try that it counted
	err = f.DB.Update(ctx, func(tx Tx) error {
		a, err := f.act(tx, sessionID)
		if err != nil {
			return err
		}
		if refused, err = f.prove(tx, v, a.attempt(), a.user, a.settings, p); err != nil || refused != nil {
			return err
		}
		if err := session.Strengthen(tx, f.now(), a.session.ID); err != nil {
			return err
		}
		token, err = session.Renew(tx, f.IDs, a.session.ID, v.Session)
		return err
	})
	if err == nil {
		err = refused
	}
	return token, err
}

// PasswordAgain takes the password of a signed-in person. A wrong one is
// fault.Denied with the subject "password"; fault.Throttled, before anything is
// computed, when too many were wrong. token is as ProveAgain returns it.
func (f *Flow) PasswordAgain(ctx context.Context, v Visit, sessionID, password string) (token string, err error) {
	var c claim
	err = f.DB.Update(ctx, func(tx Tx) error {
		a, err := f.act(tx, sessionID)
		if err != nil {
			return err
		}
		if c, err = f.claimed(tx, a.attempt()); err != nil {
			return err
		}
		return f.guessAt(v, c.attempt).admit(tx, f.now())
	})
	if err != nil {
		return "", err
	}
	right, err := f.hasher(v).Matches(ctx, c.password.Hash, password)
	if err != nil {
		return "", err
	}
	if !right || !c.usable() {
		return "", f.refuse(ctx, v, c)
	}
	err = f.DB.Update(ctx, func(tx Tx) error {
		held, err := tx.HoldPassword(c.user.StoreID, c.user.ID, c.password.Version)
		if err != nil {
			return err
		}
		if !held {
			return errWrong()
		}
		if err := f.guessAt(v, c.attempt).right(tx, f.now()); err != nil {
			return err
		}
		r, err := f.record(tx, v, c.attempt, "CredentialVerification", typePassword, true)
		if err != nil {
			return err
		}
		if err := audit.Append(tx, r); err != nil {
			return err
		}
		if err := session.GavePassword(tx, f.now(), sessionID); err != nil {
			return err
		}
		token, err = session.Renew(tx, f.IDs, sessionID, v.Session)
		return err
	})
	return token, err
}
