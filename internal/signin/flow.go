package signin

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/atrium-iam/atrium/internal/administrator"
	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/rootuser"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/throttle"
)

// Tx is what signing in needs of a transaction.
type Tx interface {
	AttemptTx
	directory.UserReader
	credential.Tx
	session.Tx
	throttle.Tx
	audit.Tx
	mfa.Tx
	authsettings.Reader
	maillink.Tx
	rootuser.LinkTx
	administrator.Tx
	InstanceByIdentityStore(storeID string) (instance.Instance, bool, error)
}

// DB runs transactions. Their functions may run more than once. A snapshot is
// enough for them: they decide by the attempt, the counts and the password,
// each of which they change, or hold; whether a person is enabled is asked
// again whenever the session is used.
type DB interface {
	Update(ctx context.Context, f func(Tx) error) error
	View(ctx context.Context, f func(Tx) error) error
}

// AuditSink takes the records of what changes nothing: challenges and wrong
// passwords.
type AuditSink interface {
	Enqueue(audit.Record)
	Noise(audit.Record)
}

// Flow takes people through their sign-in. All of its fields but
// Breaches, Mail and Policies are required. It is safe for concurrent use.
type Flow struct {
	DB     DB
	Hasher *credential.Hasher
	// Breaches are compared with new passwords; nil for none.
	Breaches credential.Breaches
	Factors  *mfa.Factors
	Audit    AuditSink
	// Mail takes letters; nil where none are sent.
	Mail *mail.Outbox
	// Policies find who administers Identity Center; nil lets everybody take
	// their own devices away, the last administrator too.
	Policies administrator.Policies
	// Known signs what the browsers of people keep.
	Known Signer
	// Admit is a fault.Throttled when too many attempts begin at an address:
	// each leaves a row behind.
	Admit func(netip.Addr) error
	IDs   ident.Source
	Now   func() time.Time
}

// Visit is the request by which a person takes a step.
type Visit struct {
	Browser   string // the browser's secret
	Address   netip.Addr
	UserAgent string
	RequestID string
	// Trusted is what the browser keeps to be recognised, Known what tells that
	// the person has signed in with it before, and Session the token of a
	// session that it has.
	Trusted, Known, Session string
}

// context is where the visit comes from, as trust in browsers depends on it.
func (v Visit) context() mfa.Context { return mfa.NewContext(v.Address, v.UserAgent) }

// Client is where the visit comes from, as sessions keep it.
func (v Visit) Client() session.Client {
	return session.NewClient(v.Address.String(), v.UserAgent)
}

// Outcome is what a step led to.
type Outcome struct {
	// Attempt goes on with its Next step, unless that is StepDone: then there
	// is a Session, and Token proves it.
	Attempt Attempt
	Session session.Session
	Token   string
	// Trusted, unless empty, is what the browser is to keep until TrustedUntil.
	Trusted      string
	TrustedUntil time.Time
	// Known, unless empty, is what the browser is to keep for KnownLifetime.
	Known string
}

// Begin starts an attempt of whoever has a user name in an identity store.
// Nobody learns here whether there is such a person. fault.Throttled when too
// many were begun from the address.
func (f *Flow) Begin(ctx context.Context, v Visit, storeID, userName, destination string) (Attempt, error) {
	if err := f.Admit(v.Address); err != nil {
		return Attempt{}, err
	}
	var a Attempt
	var r audit.Record
	err := f.DB.Update(ctx, func(tx Tx) error {
		a = newAttempt(f.now(), f.IDs, v.Browser, storeID, userName, destination)
		var err error
		if r, err = f.record(tx, v, a, "CredentialChallenge", typePassword, true); err != nil {
			return err
		}
		return tx.InsertSigninAttempt(a)
	})
	if err == nil {
		f.Audit.Noise(r)
	}
	return a, err
}

// Find returns an attempt of the visitor's browser. fault.NotFound, subject
// "signin_attempt", when it cannot go on.
func (f *Flow) Find(ctx context.Context, v Visit, id string) (Attempt, error) {
	var a Attempt
	err := f.DB.View(ctx, func(tx Tx) error {
		var err error
		a, err = find(tx, f.now(), v.Browser, id, StepPassword, StepNewPassword, StepFactor, StepRegister, StepEmailCode, StepBlocked)
		return err
	})
	return a, err
}

// Resume returns an attempt of the visitor's browser at the step that it needs
// now, or begins the session when it needs nothing more: the settings, the
// person's devices or the trust in the browser may have changed since it came
// where it was. The error is Find's.
func (f *Flow) Resume(ctx context.Context, v Visit, id string) (Outcome, error) {
	var out Outcome
	var moved bool
	err := f.DB.View(ctx, func(tx Tx) (err error) {
		out.Attempt, moved, err = f.moved(tx, v, id)
		return err
	})
	if err != nil || !moved {
		return out, err
	}
	err = f.DB.Update(ctx, func(tx Tx) error {
		a, moved, err := f.moved(tx, v, id)
		if out = (Outcome{Attempt: a}); err == nil && moved {
			out, err = f.settle(tx, v, a)
		}
		return err
	})
	return out, err
}

// moved reads an attempt and tells whether it needs another step than the one
// that it is at.
func (f *Flow) moved(tx Tx, v Visit, id string) (a Attempt, moved bool, err error) {
	a, err = find(tx, f.now(), v.Browser, id, StepPassword, StepNewPassword, StepFactor, StepRegister, StepEmailCode, StepBlocked)
	if err != nil || a.PasswordVerifiedAt.IsZero() || a.PasswordExpired {
		return a, false, err
	}
	_, _, err = f.authenticating(tx, v, id, a.Step)
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Subject == "signin_step" {
		return a, true, nil
	}
	return a, false, err
}

// Begun returns what was begun in the visitor's browser under an id, when it
// cannot go on any more, too. found is false for everything else.
func (f *Flow) Begun(ctx context.Context, v Visit, id string) (a Attempt, found bool, err error) {
	err = f.DB.View(ctx, func(tx Tx) error {
		a, found, err = tx.SigninAttempt(id)
		if err == nil && !a.of(v.Browser) {
			a, found = Attempt{}, false
		}
		return err
	})
	return a, found, err
}

// settle is the dispatcher: it finds what comes next after what a step has
// achieved and stores it, or begins the session when nothing is left to do.
func (f *Flow) settle(tx Tx, v Visit, a Attempt) (Outcome, error) {
	settings, err := authsettings.Of(tx, a.StoreID)
	if err != nil {
		return Outcome{}, err
	}
	if a.Step, err = f.next(tx, v, a, settings); err != nil {
		return Outcome{}, err
	}
	if a.Step == StepDone {
		return f.finish(tx, v, a, settings)
	}
	if err := f.challenge(tx, v, a, settings); err != nil {
		return Outcome{}, err
	}
	a.Version++
	stored, err := tx.UpdateSigninAttempt(a)
	if err == nil && !stored {
		err = errGone()
	}
	return Outcome{Attempt: a}, err
}

// next is the dispatcher's rule: what the attempt needs next.
func (f *Flow) next(tx Tx, v Visit, a Attempt, s authsettings.Settings) (Step, error) {
	switch {
	case a.PasswordVerifiedAt.IsZero():
		return StepPassword, nil
	case a.PasswordExpired:
		return StepNewPassword, nil
	case a.Enroll:
		return f.nextEnrolling(tx, a, s)
	case !a.FactorVerifiedAt.IsZero(), s.MfaMode == authsettings.MfaDisabled:
		return StepDone, nil
	}
	if s.MfaMode == authsettings.MfaContextAware {
		p, _, err := tx.PasswordOf(a.StoreID, a.UserID)
		if err != nil {
			return 0, err
		}
		trusted, err := f.Factors.Trusted(tx, f.now(), p.ChangedAt, a.StoreID, a.UserID, v.Trusted, v.context())
		if err != nil || trusted {
			return StepDone, err
		}
	}
	devices, err := mfa.List(tx, a.StoreID, a.UserID)
	if err != nil {
		return 0, err
	}
	if len(mfa.Usable(devices, s)) > 0 {
		return StepFactor, nil
	}
	switch s.NoMfa {
	case authsettings.NoMfaAllow:
		return StepDone, nil
	case authsettings.NoMfaEnroll:
		return StepRegister, nil
	case authsettings.NoMfaEmail:
		return f.nextByMail(tx, a)
	default:
		return StepBlocked, nil
	}
}

// finish ends the attempt and begins the session.
func (f *Flow) finish(tx Tx, v Visit, a Attempt, settings authsettings.Settings) (Outcome, error) {
	// A password that is changed or reset at this moment ends all sessions: it
	// must not overlook this one.
	held, err := tx.HoldPassword(a.StoreID, a.UserID, a.PasswordVersion)
	if err == nil && !held {
		err = errGone()
	}
	if err != nil {
		return Outcome{}, err
	}
	if err := tx.DeleteSigninAttempt(a.ID); err != nil {
		return Outcome{}, err
	}
	out := Outcome{Attempt: a}
	if err := f.endOlder(tx, v); err != nil {
		return Outcome{}, err
	}
	out.Session, out.Token, err = session.Start(tx, f.now(), f.IDs, a.StoreID, a.UserID, settings.SessionDuration(), v.Client())
	if err != nil {
		return Outcome{}, err
	}
	if a.Factor != "" {
		if err := session.BeganWith(tx, out.Session.ID, a.Factor); err != nil {
			return Outcome{}, err
		}
		out.Session.Factor = a.Factor
	}
	if a.Factor == typeTotp || a.Factor == typeWebauthn {
		if err := session.Strengthen(tx, a.FactorVerifiedAt, out.Session.ID); err != nil {
			return Outcome{}, err
		}
		out.Session.MFAAt = a.FactorVerifiedAt
	}
	if a.Trust && settings.MfaMode == authsettings.MfaContextAware {
		var b mfa.Browser
		if out.Trusted, b, err = f.Factors.Trust(tx, f.now(), a.StoreID, a.UserID, v.Trusted, v.context()); err != nil {
			return Outcome{}, err
		}
		out.TrustedUntil = b.ExpiresAt
	}
	if out.Known, err = f.know(v, a, knownBySignIn); err != nil {
		return Outcome{}, err
	}
	used := typePassword
	if a.Factor != "" {
		used += "," + a.Factor
	}
	r, err := f.record(tx, v, a, "UserAuthentication", used, true)
	if err != nil {
		return Outcome{}, err
	}
	r.UserIdentity.CredentialID = out.Session.ID
	return out, audit.Append(tx, r)
}

func (f *Flow) now() time.Time { return ident.Millis(f.Now()) }
