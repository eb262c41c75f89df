package signin

import (
	"context"
	"errors"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/throttle"
)

// Whoever begins a sign-in may have a letter sent: the link for those who have
// forgotten their password, or the code for those who have none yet. What they
// are told, and how long it takes, is the same for every user name.

// Forgot sends the person of an attempt the link to choose another password.
func (f *Flow) Forgot(ctx context.Context, v Visit, id string) error {
	return f.askLetter(ctx, v, id, "ForgotPassword", func(tx Tx, c claim, s authsettings.Settings) error {
		// Somebody who has no password yet may choose one by mail only if the
		// setting says so, or by the invitation.
		allowed := (c.password.Version > 0 || s.NoPassword == authsettings.NoPasswordEmail) && !c.password.Barred
		to := c.user
		if IsRoot(c.attempt.StoreID) { // who is recovered on the server only
			to = directory.User{}
		}
		return maillink.SendReset(tx, f.now(), f.Mail, to, allowed)
	})
}

// OffersCode tells whether people of an identity store may ask for a code at
// the page that wants their password.
func (f *Flow) OffersCode(ctx context.Context, storeID string) (offers bool, err error) {
	if !f.Mail.Sends() {
		return false, nil
	}
	err = f.DB.View(ctx, func(tx Tx) error {
		s, err := authsettings.Of(tx, storeID)
		offers = s.NoPassword == authsettings.NoPasswordEmail
		return err
	})
	return offers, err
}

// SendPasswordCode sends the person of an attempt a code, at which a first
// password can be chosen: those who have one get none.
func (f *Flow) SendPasswordCode(ctx context.Context, v Visit, id string) error {
	return f.askLetter(ctx, v, id, "CredentialChallenge", func(tx Tx, c claim, s authsettings.Settings) error {
		if s.NoPassword != authsettings.NoPasswordEmail {
			return errGone()
		}
		to := c.user
		if !mayChooseFirst(c.password) {
			to = directory.User{}
		}
		return maillink.SendCode(tx, f.now(), f.Mail, mail.PasswordCode, codeSubject(c.attempt), to, f.notice(v))
	})
}

// askLetter has a letter sent, unless none are or there were too many. When there
// were too many to the person, the answer is the same.
func (f *Flow) askLetter(ctx context.Context, v Visit, id, event string, send func(Tx, claim, authsettings.Settings) error) error {
	if !f.Mail.Sends() {
		return errGone()
	}
	var r audit.Record
	err := f.DB.Update(ctx, func(tx Tx) error {
		c, err := f.admit(tx, v, id)
		if err != nil {
			return err
		}
		s, err := authsettings.Of(tx, c.attempt.StoreID)
		if err != nil {
			return err
		}
		may, err := f.askedFor(v, c.attempt).admit(tx, f.now())
		if err != nil {
			return err
		}
		a := c.attempt
		a.UserID = c.user.ID
		if r, err = f.record(tx, v, a, event, typeEmailCode, true); err != nil {
			return err
		}
		if !may { // those that were sent have to do
			return nil
		}
		return send(tx, c, s)
	})
	if err == nil {
		f.Audit.Noise(r)
	}
	return err
}

// PasswordCode takes the code that was mailed. It returns the token of the link
// at which the password is chosen. A wrong code is a fault.Denied, one that
// cannot be used any more a fault.NotFound; both have the subject "mail_code".
func (f *Flow) PasswordCode(ctx context.Context, v Visit, id, typed string) (token string, err error) {
	var verdict maillink.Verdict
	err = f.DB.Update(ctx, func(tx Tx) error {
		a, err := find(tx, f.now(), v.Browser, id, StepPassword)
		if err != nil {
			return err
		}
		if err := throttle.Check(tx, f.now(), guessedFrom(v.Address)...); err != nil {
			return err
		}
		var u directory.User
		if u, verdict, err = maillink.CheckCode(tx, f.now(), f.Mail, codeSubject(a), typed); err != nil {
			return err
		}
		a.UserID = u.ID
		r, err := f.record(tx, v, a, "CredentialVerification", typeEmailCode, verdict == maillink.CodeRight)
		if err != nil {
			return err
		}
		if err := audit.Append(tx, r); err != nil {
			return err
		}
		if verdict != maillink.CodeRight {
			return throttle.Count(tx, f.now(), guessedFrom(v.Address)...)
		}
		p, _, err := tx.PasswordOf(u.StoreID, u.ID)
		if err != nil {
			return err
		}
		if !mayChooseFirst(p) { // any longer
			verdict = maillink.CodeGone
			return nil
		}
		token, err = maillink.IssueFirstPassword(tx, f.now(), f.IDs, u)
		return err
	})
	switch {
	case err != nil:
		return "", err
	case verdict == maillink.CodeWrong:
		return "", fault.New(fault.Denied, "mail_code", "The code is not correct.")
	case verdict == maillink.CodeGone:
		return "", fault.New(fault.NotFound, "mail_code", "The code cannot be used any more.")
	}
	return token, nil
}

// mayChooseFirst tells whether a person may choose a first password by mail.
func mayChooseFirst(p credential.Password) bool { return p.Hash == "" && !p.Barred }

// codeSubject is what waits for the code of an attempt.
func codeSubject(a Attempt) string { return "password/" + a.ID }

// Linked is a link that somebody follows.
type Linked struct {
	Purpose maillink.Purpose
	User    directory.User
}

// Link returns what a link is for. It changes nothing. The error is that of
// maillink.Look.
func (f *Flow) Link(ctx context.Context, token string) (Linked, error) {
	var found Linked
	err := f.DB.View(ctx, func(tx Tx) error {
		l, u, err := maillink.Look(tx, f.now(), token)
		found = Linked{l.Purpose, u}
		return err
	})
	return found, err
}

// LinkedPassword stores the password that a person chooses at a link. A
// password that may not be chosen is a fault.Invalid with one of credential's
// reasons, and the link stays good.
func (f *Flow) LinkedPassword(ctx context.Context, v Visit, token, password string) (directory.User, error) {
	var p credential.Password
	var u directory.User
	err := f.DB.View(ctx, func(tx Tx) error {
		l, person, err := maillink.Look(tx, f.now(), token)
		if err != nil {
			return err
		}
		if !l.Purpose.SetsPassword() {
			return errGone()
		}
		u = person
		p, _, err = tx.PasswordOf(u.StoreID, u.ID)
		return err
	})
	if err != nil {
		return u, f.Replayed(ctx, v, token, err)
	}
	hash, err := f.hashNew(ctx, v, u, p, password)
	if err != nil {
		return u, err
	}
	err = f.DB.Update(ctx, func(tx Tx) error {
		set, err := maillink.SetPassword(tx, f.now(), f.Mail, token, hash, p, f.notice(v))
		if err != nil {
			return err
		}
		return f.appendMail(tx, v, set, "UpdatePassword")
	})
	return u, err
}

// Replayed is for the button of a link that cannot be followed: it passes on
// why, which refused says, and has the person told when that is because the
// link was used before. See maillink.Replayed.
func (f *Flow) Replayed(ctx context.Context, v Visit, token string, refused error) error {
	if e, ok := errors.AsType[*fault.Error](refused); !ok || e.Reason != maillink.ReasonUsed {
		return refused
	}
	err := f.DB.Update(ctx, func(tx Tx) error {
		u, told, err := maillink.Replayed(tx, f.now(), f.Mail, token, f.notice(v))
		if err != nil || !told {
			return err
		}
		r, err := f.record(tx, v, Attempt{StoreID: u.StoreID, UserID: u.ID}, "UpdatePassword", typeEmailCode, false)
		if err != nil {
			return err
		}
		r.EventSource, r.AdditionalEventData = directorySource, nil
		return audit.Append(tx, r)
	})
	if err != nil {
		return err
	}
	return refused
}

// hashNew hashes a password that a person has chosen, when it may be chosen in
// the place of p.
func (f *Flow) hashNew(ctx context.Context, v Visit, u directory.User, p credential.Password, password string) (string, error) {
	if err := credential.Check(password, namesOf(u)...); err != nil {
		return "", err
	}
	if credential.Breached(f.Breaches, password) {
		return "", credential.RefuseBreached()
	}
	reused, err := credential.Reused(ctx, f.hasher(v), p, password)
	if err != nil {
		return "", err
	}
	if reused {
		return "", credential.RefuseReused()
	}
	return f.hasher(v).Hash(ctx, password)
}

// VerifyEmail verifies the address that a link was sent to.
func (f *Flow) VerifyEmail(ctx context.Context, v Visit, token string) (directory.User, error) {
	var u directory.User
	err := f.DB.Update(ctx, func(tx Tx) error {
		var err error
		if u, err = maillink.Verify(tx, f.now(), token); err != nil {
			return err
		}
		return f.appendMail(tx, v, u, "VerifyEmail")
	})
	return u, err
}

// notice says where a change was made.
func (f *Flow) notice(v Visit) maillink.Notice {
	return maillink.Notice{From: v.Address.String(), Client: v.Client().UserAgent}
}

// appendMail records what a person did at a link, with the change.
func (f *Flow) appendMail(tx Tx, v Visit, u directory.User, event string) error {
	r, err := f.record(tx, v, Attempt{StoreID: u.StoreID, UserID: u.ID}, event, typeEmailCode, true)
	if err != nil {
		return err
	}
	r.EventSource, r.AdditionalEventData, r.ServiceEventDetails = directorySource, nil, nil
	return audit.Append(tx, r)
}

// FactorCodes mails the codes that stand for a second factor.
type FactorCodes struct{ Mail *mail.Outbox }

// Send mails a code to a person for an attempt that goes on where from says. Sent again, the earlier one is
// worth nothing.
func (c FactorCodes) Send(tx Tx, now time.Time, a Attempt, u directory.User, from maillink.Notice) error {
	return maillink.SendCode(tx, now, c.Mail, mail.FactorCode, "factor/"+a.ID, u, from)
}

// Check tells whether a code is the one that was sent. A right one is used up,
// and so is one that was guessed at too often.
func (c FactorCodes) Check(tx Tx, now time.Time, a Attempt, code string) (bool, error) {
	u, verdict, err := maillink.CheckCode(tx, now, c.Mail, "factor/"+a.ID, code)
	return verdict == maillink.CodeRight && u.ID == a.UserID, err
}
