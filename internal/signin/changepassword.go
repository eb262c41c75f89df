package signin

import (
	"context"
	"encoding/json"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/session"
)

// PasswordChange is what a signed-in person asks for.
type PasswordChange struct {
	Current, New string
	// EndOthers ends everything else that the person is signed in to: other
	// sessions, the logins of clients, sessions in accounts.
	EndOthers bool
}

// ChangePassword lets the person of a portal session choose another password.
// Whoever has only got hold of the session must not be able to: the current
// password is asked for, and guesses at it are slowed down as, and together
// with, those at signing in.
//
// A wrong current password is a fault.Denied, subject "password"; a new one
// that may not be chosen a fault.Invalid with one of credential's reasons; and
// a session that has ended a fault.NotFound, subject "session". Otherwise the
// errors are those of MayChangePassword.
func (f *Flow) ChangePassword(ctx context.Context, v Visit, s session.Session, in PasswordChange) error {
	var c claim
	err := f.DB.View(ctx, func(tx Tx) error {
		var err error
		c, err = f.changing(tx, s)
		return err
	})
	if err != nil {
		return err
	}
	if err := credential.Check(in.New, namesOf(c.user)...); err != nil { // before a guess is counted
		return err
	}
	if err := f.DB.Update(ctx, func(tx Tx) error { return f.guessAt(v, c.attempt).admit(tx, f.now()) }); err != nil {
		return err
	}
	right, err := f.hasher(v).Matches(ctx, c.password.Hash, in.Current)
	if err != nil {
		return err
	}
	if !right || !c.usable() {
		return f.refuseChange(ctx, v, c, s)
	}
	err = f.DB.Update(ctx, func(tx Tx) error { return f.guessAt(v, c.attempt).right(tx, f.now()) })
	if err != nil {
		return err
	}
	hash, err := f.hashNew(ctx, v, c.user, c.password, in.New)
	if err != nil {
		return err
	}
	return f.DB.Update(ctx, func(tx Tx) error { return f.storeChange(tx, v, c, s, hash, in.EndOthers) })
}

// MayChangePassword tells whether the person of a session has proved a second
// factor lately enough to change the password: fault.Denied, subject "step_up",
// when not. Of who has none the current password is proof enough.
func (f *Flow) MayChangePassword(ctx context.Context, s session.Session) error {
	return f.DB.View(ctx, func(tx Tx) error {
		_, err := f.changing(tx, s)
		return err
	})
}

// changing reads who changes the password in a session, if they may.
func (f *Flow) changing(tx Tx, s session.Session) (claim, error) {
	a, err := f.act(tx, s.ID)
	if err != nil {
		return claim{}, err
	}
	if len(a.devices) > 0 {
		if err := a.fresh(f.now()); err != nil {
			return claim{}, err
		}
	}
	c := claim{attempt: a.attempt(), user: a.user}
	c.password, _, err = tx.PasswordOf(a.user.StoreID, a.user.ID)
	return c, err
}

// refuseChange counts and records a wrong current password, and returns the
// answer to it.
func (f *Flow) refuseChange(ctx context.Context, v Visit, c claim, s session.Session) error {
	err := f.DB.Update(ctx, func(tx Tx) error {
		if err := f.recordChange(tx, v, c.user, s, "Failure", nil); err != nil {
			return err
		}
		return f.guessAt(v, c.attempt).wrong(tx, f.now())
	})
	if err != nil {
		return err
	}
	return fault.New(fault.Denied, "password", "The current password is not correct.")
}

// storeChange stores the new password, unless the person, the session or the old
// password has changed since it was checked.
func (f *Flow) storeChange(tx Tx, v Visit, checked claim, s session.Session, hash string, endOthers bool) error {
	c, err := f.changing(tx, s)
	if err != nil {
		return err
	}
	if err := credential.Replace(tx, f.now(), checked.password, hash); err != nil {
		return err
	}
	ended := int64(0)
	if endOthers {
		if ended, err = session.EndOthers(tx, s); err != nil {
			return err
		}
	}
	if err := f.recordChange(tx, v, c.user, s, "Success", map[string]any{"endOtherSessions": endOthers, "endedSessions": ended}); err != nil {
		return err
	}
	if IsRoot(c.user.StoreID) { // whose account no letter may reset
		return nil
	}
	notice := f.notice(v)
	notice.Kind = mail.PasswordChanged
	return maillink.Notify(tx, f.now(), f.Mail, c.user, notice)
}

// recordChange records that a person changed, or tried to change, the own
// password.
func (f *Flow) recordChange(tx Tx, v Visit, u directory.User, s session.Session, result string, more map[string]any) error {
	in, err := instanceOf(tx, u.StoreID)
	if err != nil {
		return err
	}
	r := f.personRecord(in, v, u.ID, s.ID, "UpdatePassword")
	if r.ServiceEventDetails, err = json.Marshal(map[string]string{"UpdatePassword": result}); err != nil {
		return err
	}
	if more != nil {
		if r.AdditionalEventData, err = json.Marshal(more); err != nil {
			return err
		}
	}
	return audit.Append(tx, r)
}

// personRecord describes what a signed-in person did to the own account, as
// AWS's directory records it.
func (f *Flow) personRecord(in instance.Instance, v Visit, userID, sessionID, event string) audit.Record {
	who := IdentityOf(in, userID)
	who.CredentialID = sessionID
	return audit.Record{
		UserIdentity: who, EventTime: f.now(), EventSource: directorySource, EventName: event, EventType: audit.ServiceEvent,
		Region: in.Region, SourceIPAddress: v.Address.String(), UserAgent: v.Client().UserAgent,
		RequestID: v.RequestID, EventID: f.IDs.UUID(), RecipientAccountID: in.OwnerAccountID,
	}
}
