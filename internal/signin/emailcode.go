package signin

import (
	"context"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/throttle"
)

// codeMails slows down the mails with codes to one person.
func codeMails() throttle.Limit {
	return throttle.Limit{Scope: "factor/mail", Free: 5, First: 30 * time.Second, Most: 10 * time.Minute, Forget: time.Hour}
}

// nextByMail is what comes next for a person who needs a code by mail: nobody
// goes on whom no mail reaches.
func (f *Flow) nextByMail(tx Tx, a Attempt) (Step, error) {
	if !f.Mail.Sends() {
		return StepBlocked, nil
	}
	u, _, err := tx.DirectoryUser(a.StoreID, a.UserID)
	if err != nil {
		return 0, err
	}
	reachable, err := maillink.Reachable(tx, u)
	if err != nil || !reachable {
		return StepBlocked, err
	}
	return StepEmailCode, nil
}

// Blocked is why a person cannot sign in who has no second factor.
type Blocked uint8

// The reasons.
const (
	// BlockedDevice wants a device that the person has registered before.
	BlockedDevice Blocked = iota
	// BlockedMail wants a code by mail where none is sent.
	BlockedMail
	// BlockedAddress wants a code by mail, which may not go to the person's
	// address.
	BlockedAddress
)

// Blocked tells why an attempt is at StepBlocked.
func (f *Flow) Blocked(ctx context.Context, storeID string) (why Blocked, err error) {
	err = f.DB.View(ctx, func(tx Tx) error {
		s, err := authsettings.Of(tx, storeID)
		switch {
		case s.NoMfa != authsettings.NoMfaEmail:
			why = BlockedDevice
		case !f.Mail.Sends():
			why = BlockedMail
		default:
			why = BlockedAddress
		}
		return err
	})
	return why, err
}

// sendCode mails the person of an attempt a code.
func (f *Flow) sendCode(tx Tx, v Visit, a Attempt) error {
	u, _, err := tx.DirectoryUser(a.StoreID, a.UserID)
	if err != nil {
		return err
	}
	if err := throttle.Take(tx, f.now(), throttle.Subject{Limit: codeMails(), Key: u.StoreID + "/" + u.ID}); err != nil {
		return err
	}
	return FactorCodes{f.Mail}.Send(tx, f.now(), a, u, f.notice(v))
}

// ResendEmailCode mails another code in the step that asks for one.
// fault.Throttled when there were too many.
func (f *Flow) ResendEmailCode(ctx context.Context, v Visit, id string) error {
	return f.DB.Update(ctx, func(tx Tx) error {
		c, _, err := f.authenticating(tx, v, id, StepEmailCode)
		if err != nil {
			return err
		}
		return f.sendCode(tx, v, c.attempt)
	})
}

// EmailCode is the step in which a person without a second factor types the
// code that was mailed. A wrong one, and one that is of no use any longer, is
// fault.Denied with the subject "factor"; fault.Throttled when too many were
// wrong.
func (f *Flow) EmailCode(ctx context.Context, v Visit, id string, p Proof) (Outcome, error) {
	var out Outcome
	var refused error // is to commit, with the try that it counted
	err := f.DB.Update(ctx, func(tx Tx) error {
		refused = nil
		c, _, err := f.authenticating(tx, v, id, StepEmailCode)
		if err != nil {
			return err
		}
		a := c.attempt
		if err := throttle.Take(tx, f.now(), f.guessedFactor(v, c.user)); err != nil {
			return err
		}
		right, err := FactorCodes{f.Mail}.Check(tx, f.now(), a, p.Code)
		if err != nil {
			return err
		}
		r, err := f.record(tx, v, a, "CredentialVerification", typeEmailCode, right)
		if err != nil {
			return err
		}
		if err := audit.Append(tx, r); err != nil {
			return err
		}
		if !right {
			refused = errWrongFactor()
			return nil
		}
		if err := throttle.Clear(tx, f.guessedFactor(v, c.user)); err != nil {
			return err
		}
		a.FactorVerifiedAt, a.Factor, a.Trust = f.now(), typeEmailCode, p.Trust
		out, err = f.settle(tx, v, a)
		return err
	})
	if err == nil {
		err = refused
	}
	return out, err
}

// EmailCodeAsked is where the code of an attempt was sent, for the person to
// read, and whether the browser can be remembered.
type EmailCodeAsked struct {
	To    string
	Trust bool
}

// AskEmailCode describes the step that asks for a mailed code.
func (f *Flow) AskEmailCode(ctx context.Context, v Visit, id string) (EmailCodeAsked, error) {
	var asked EmailCodeAsked
	err := f.DB.View(ctx, func(tx Tx) error {
		c, s, err := f.authenticating(tx, v, id, StepEmailCode)
		asked = EmailCodeAsked{To: mail.Hint(c.user.Email()), Trust: f.registering(s).Trust}
		return err
	})
	return asked, err
}
