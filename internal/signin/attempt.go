// Package signin is how a person proves who they are. A sign-in under way is
// an Attempt in the store, so that it survives a restart and may go on at
// another node. Each step does its own part and hands the attempt to one
// dispatcher, which alone knows what has to come next and when a session
// begins; no step calls another, so none can be skipped.
//
// An attempt goes on only in the browser that began it: the browser has a
// random secret in a cookie, the attempt its hash.
package signin

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/maillink"
)

// AttemptLifetime is how long a sign-in may take.
const AttemptLifetime = 30 * time.Minute

// Attempt is a sign-in under way.
type Attempt struct {
	ID      string // 32 hexadecimal digits; in addresses, useless without the browser's secret
	Browser BrowserHash
	StoreID string
	// Destination is where the person goes once signed in: a path of this
	// server, which the caller of Begin has checked.
	Destination string
	// UserName is what was typed. It may be nobody's.
	UserName string
	// UserID is whose password was given; "" until then.
	UserID             string
	PasswordVerifiedAt time.Time // zero until then
	// PasswordVersion is of the password that was given.
	PasswordVersion int64
	// PasswordExpired tells that it has to be replaced before anything else.
	PasswordExpired bool
	// FactorVerifiedAt is when something beside the password was proved; zero
	// until then. Factor is what: a CredentialType of the audit trail.
	FactorVerifiedAt time.Time
	Factor           string
	// Trust tells that the browser is to be remembered at the end.
	Trust bool
	// Enroll tells that the person is to register a device, whatever the
	// settings say: an administrator has asked for it.
	Enroll bool
	// Link is the hash of the link that asks for it, in hexadecimal digits: it is
	// used up when the device is registered.
	Link string
	// Step is what the dispatcher has found to come next.
	Step      Step
	CreatedAt time.Time
	ExpiresAt time.Time
	// Version counts the changes of the attempt, from 1.
	Version int64
}

// BrowserHash is the hash of a browser's secret.
type BrowserHash [sha256.Size]byte

// HashBrowser hashes a browser's secret.
func HashBrowser(secret string) BrowserHash { return sha256.Sum256([]byte(secret)) }

// Step is what a person has to do next.
type Step uint8

// The steps, in their order. Attempts are stored with their numbers.
const (
	// StepPassword asks for the password.
	StepPassword Step = 0
	// StepNewPassword asks for a password in the place of a one-time one.
	StepNewPassword Step = 1
	// StepFactor asks for one of the person's second factors.
	StepFactor Step = 2
	// StepRegister has a person who has none register a second factor.
	StepRegister Step = 3
	// StepEmailCode asks for a code that was mailed to the person.
	StepEmailCode Step = 4
	// StepBlocked goes no further: the person needs a second factor and has
	// none.
	StepBlocked Step = 5
	// StepDone needs nothing more: the session begins.
	StepDone Step = 6
)

// Next is what the attempt needs next.
func (a *Attempt) Next() Step { return a.Step }

// AttemptTx reads and writes attempts.
type AttemptTx interface {
	SigninAttempt(id string) (Attempt, bool, error)
	InsertSigninAttempt(Attempt) error
	// UpdateSigninAttempt stores a over the version before a.Version and
	// reports false when that is not what is stored.
	UpdateSigninAttempt(a Attempt) (bool, error)
	DeleteSigninAttempt(id string) error
}

func newAttempt(now time.Time, ids ident.Source, browser, storeID, userName, destination string) Attempt {
	return Attempt{
		ID: ids.Hex(32), Browser: HashBrowser(browser), StoreID: storeID, UserName: userName, Destination: destination,
		CreatedAt: now, ExpiresAt: now.Add(AttemptLifetime), Version: 1,
	}
}

// find returns the attempt id of a browser that is at one of steps. One answer
// stands for an attempt that never was, has expired or is another browser's;
// another one, errMoved, for one that is at another step.
func find(tx AttemptTx, now time.Time, browser, id string, steps ...Step) (Attempt, error) {
	a, found, err := tx.SigninAttempt(id)
	if err != nil {
		return Attempt{}, err
	}
	if !found || !a.of(browser) || !now.Before(a.ExpiresAt) {
		return Attempt{}, errGone()
	}
	for _, s := range steps {
		if a.Next() == s {
			return a, nil
		}
	}
	return Attempt{}, errMoved()
}

// of tells whether the attempt was begun in a browser.
func (a *Attempt) of(browser string) bool {
	hash := HashBrowser(browser)
	return browser != "" && subtle.ConstantTimeCompare(hash[:], a.Browser[:]) == 1
}

func errGone() error {
	return fault.New(fault.NotFound, "signin_attempt", "This sign-in has expired, or was begun in another browser. Start again.")
}

// errMoved is of an attempt that needs another step than the one that was
// taken: Resume finds which.
func errMoved() error {
	return fault.New(fault.NotFound, "signin_step", "This sign-in is at another step now. Go back to it.")
}

// EndPending ends what a person has begun, or was sent, and has not finished:
// sign-ins under way, links and codes. Whoever is disabled does not find it again
// when enabled.
func EndPending(tx maillink.Tx, u directory.User) error {
	if err := credential.Outdate(tx, u.StoreID, u.ID); err != nil {
		return err
	}
	return tx.DeleteMailLinksOfUser(u.StoreID, u.ID)
}
