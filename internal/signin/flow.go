package signin

import (
	"context"
	"net/netip"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
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
	authsettings.Reader
	maillink.Tx
	rootuser.LinkTx
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

// Flow takes people through their sign-in. All of its fields but Mail are
// required. It is safe for concurrent use.
type Flow struct {
	DB     DB
	Hasher *credential.Hasher
	Audit  AuditSink
	// Mail takes letters; nil where none are sent.
	Mail *mail.Outbox
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
}

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
		if r, err = f.record(tx, v, a, "CredentialChallenge", true); err != nil {
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
		a, err = find(tx, f.now(), v.Browser, id, StepPassword, StepNewPassword)
		return err
	})
	return a, err
}

// settle is the dispatcher: it stores what a step has achieved, and begins the
// session when nothing is left to do.
func (f *Flow) settle(tx Tx, v Visit, a Attempt) (Outcome, error) {
	if a.Next() != StepDone {
		a.Version++
		stored, err := tx.UpdateSigninAttempt(a)
		if err == nil && !stored {
			err = errGone()
		}
		return Outcome{Attempt: a}, err
	}
	if err := tx.DeleteSigninAttempt(a.ID); err != nil {
		return Outcome{}, err
	}
	s, token, err := session.Start(tx, f.now(), f.IDs, a.StoreID, a.UserID, session.DefaultDuration, v.Client())
	if err != nil {
		return Outcome{}, err
	}
	r, err := f.record(tx, v, a, "UserAuthentication", true)
	if err != nil {
		return Outcome{}, err
	}
	r.UserIdentity.CredentialID = s.ID
	return Outcome{Attempt: a, Session: s, Token: token}, audit.Append(tx, r)
}

func (f *Flow) now() time.Time { return ident.Millis(f.Now()) }
