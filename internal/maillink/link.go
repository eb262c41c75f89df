// Package maillink proves things by mail: that an address is a person's own,
// and that whoever acts has it. It makes the links and codes that letters
// carry, and says what each of them opens.
//
// A link works once, for a while, for the person and the address that it was
// sent to, and only as long as the password is the one that there was. Looking
// at a link changes nothing, since programs that inspect mail do so too; what
// it is for happens when the person presses the button on its page.
//
// Links are stored as hashes, codes, which are short, as tags that need a key.
package maillink

import (
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/rootuser"
	"github.com/atrium-iam/atrium/internal/session"
)

// Purpose is what a link opens.
type Purpose string

// The purposes.
const (
	// Invitation lets a new person choose a password.
	Invitation Purpose = "INVITATION"
	// Reset lets a person choose another password.
	Reset Purpose = "PASSWORD_RESET"
	// FirstPassword is Reset after a code was typed: it is not mailed.
	FirstPassword Purpose = "FIRST_PASSWORD"
	// Verification confirms an address.
	Verification Purpose = "EMAIL_VERIFICATION"
	// Enrollment lets a person register a device.
	Enrollment Purpose = "MFA_ENROLLMENT"
	// NotMe stops what somebody else has begun.
	NotMe Purpose = "NOT_ME"
)

// SetsPassword tells whether a link of the purpose opens the page where a
// password is chosen.
func (p Purpose) SetsPassword() bool { return p == Invitation || p == Reset || p == FirstPassword }

// How long links are good. AWS's invitations are good for seven days.
const (
	InvitationLifetime    = 7 * 24 * time.Hour
	ResetLifetime         = time.Hour
	AdminResetLifetime    = 24 * time.Hour
	FirstPasswordLifetime = 15 * time.Minute
	VerificationLifetime  = 7 * 24 * time.Hour
	EnrollmentLifetime    = 24 * time.Hour
	NotMeLifetime         = 7 * 24 * time.Hour
)

// The reasons why a link cannot be followed, as fault.Error.Reason. Its
// ResourceType is the link's purpose, where it is known.
const (
	ReasonUnknown = "LINK_UNKNOWN"
	ReasonUsed    = "LINK_USED"
	ReasonExpired = "LINK_EXPIRED"
	// ReasonOutdated is of a link after which the person's address or password
	// was changed.
	ReasonOutdated = "LINK_OUTDATED"
)

// Link is what is stored of a link.
type Link struct {
	Hash            TokenHash
	Purpose         Purpose
	StoreID, UserID string
	// EmailKey is the address that it was sent to, in the form of
	// directory.User.EmailKey.
	EmailKey string
	// About is what it is about, when that is not the person alone: a device.
	About string
	// PasswordVersion is of the password when the link was made.
	PasswordVersion      int64
	CreatedAt, ExpiresAt time.Time
	UsedAt               time.Time // zero until then
}

// TokenHash is the hash under which a link is stored.
type TokenHash [sha256.Size]byte

// Tx is what links and codes need of a transaction.
type Tx interface {
	mail.Tx
	directory.UserReader
	credential.Tx
	session.Tx
	InsertMailLink(Link) error
	MailLink(TokenHash) (Link, bool, error)
	// UseMailLink marks a link as used and reports false when it was.
	UseMailLink(hash TokenHash, at time.Time) (bool, error)
	// NoteMailLinkReplay notes that a link that was used was tried again, and
	// reports false when that was noted before.
	NoteMailLinkReplay(hash TokenHash, at time.Time) (bool, error)
	// UseMailLinksOfUser marks all links of a purpose that a person has as used.
	UseMailLinksOfUser(storeID, userID string, p Purpose, at time.Time) error

	// PutMailCode stores a code in the place of one with the same subject.
	PutMailCode(Code) error
	MailCode(subject string) (Code, bool, error)
	DeleteMailCode(subject string) error

	// DeleteMailLinksOfUser deletes all links and codes that a person has.
	DeleteMailLinksOfUser(storeID, userID string) error

	VerifiedReader
	PutVerifiedEmail(storeID, userID, emailKey string, at time.Time) error

	// DeleteTrustedBrowsers forgets the browsers in which a person is asked for
	// less, and returns how many there were.
	DeleteTrustedBrowsers(storeID, userID string) (int64, error)
}

// VerifiedReader reads which address a person has last shown to have.
type VerifiedReader interface {
	// VerifiedEmail returns the address's key (directory.User.EmailKey).
	VerifiedEmail(storeID, userID string) (emailKey string, found bool, err error)
}

// tokenSize is how many random bytes a link has.
const tokenSize = 32

// pathPrefix is where links lie below the public URL.
const pathPrefix = "/link/"

// Path is the address of a link, below the public URL.
func Path(token string) string { return pathPrefix + token }

// issue makes a link and returns its token.
func issue(tx Tx, now time.Time, ids ident.Source, l Link, lifetime time.Duration) (string, error) {
	if _, isRoot := rootuser.AccountOf(l.StoreID); isRoot {
		return "", fault.New(fault.Denied, "mail_link", "A root user is recovered on the server only, with: atrium root reset.")
	}
	p, _, err := tx.PasswordOf(l.StoreID, l.UserID)
	if err != nil {
		return "", err
	}
	token := base64.RawURLEncoding.EncodeToString(ids.Bytes(tokenSize))
	l.Hash, l.PasswordVersion = sha256.Sum256([]byte(token)), p.Version
	l.CreatedAt, l.ExpiresAt = now, now.Add(lifetime)
	return token, tx.InsertMailLink(l)
}

// Look returns the link of a token, with its person. It is a fault.NotFound,
// subject "mail_link", with one of the reasons above, when the link cannot be
// followed.
func Look(tx Tx, now time.Time, token string) (Link, directory.User, error) {
	return look(tx, now, sha256.Sum256([]byte(token)))
}

func look(tx Tx, now time.Time, hash TokenHash) (Link, directory.User, error) {
	l, found, err := tx.MailLink(hash)
	if err != nil {
		return l, directory.User{}, err
	}
	if !found {
		return l, directory.User{}, gone(l, ReasonUnknown)
	}
	u, found, err := tx.DirectoryUser(l.StoreID, l.UserID)
	if err != nil {
		return l, u, err
	}
	if !found || u.Status != directory.Enabled {
		return l, u, gone(Link{}, ReasonUnknown)
	}
	p, _, err := tx.PasswordOf(l.StoreID, l.UserID)
	if err != nil {
		return l, u, err
	}
	switch {
	case !l.UsedAt.IsZero():
		return l, u, gone(l, ReasonUsed)
	case !now.Before(l.ExpiresAt):
		return l, u, gone(l, ReasonExpired)
	case l.Purpose != NotMe && l.EmailKey != u.EmailKey():
		return l, u, gone(l, ReasonOutdated)
	case l.Purpose.SetsPassword() && l.PasswordVersion != p.Version:
		return l, u, gone(l, ReasonOutdated)
	}
	return l, u, nil
}

// Use uses a link up: Look, and from now on never again.
func Use(tx Tx, now time.Time, token string) (Link, directory.User, error) {
	return UseHash(tx, now, sha256.Sum256([]byte(token)))
}

// UseHash is Use of the link with a hash.
func UseHash(tx Tx, now time.Time, hash TokenHash) (Link, directory.User, error) {
	l, u, err := look(tx, now, hash)
	if err != nil {
		return l, u, err
	}
	used, err := tx.UseMailLink(l.Hash, now)
	if err == nil && !used {
		err = gone(l, ReasonUsed)
	}
	return l, u, err
}

// useFor is Use of a link that is for one of these purposes: any other is as
// unknown as one that never was.
func useFor(tx Tx, now time.Time, token string, is func(Purpose) bool) (Link, directory.User, error) {
	l, u, err := Use(tx, now, token)
	if err == nil && !is(l.Purpose) {
		err = gone(Link{}, ReasonUnknown)
	}
	return l, u, err
}

func gone(l Link, reason string) error {
	return fault.New(fault.NotFound, "mail_link", "The link cannot be used any more.").WithReason(reason).WithResource(string(l.Purpose), "")
}
