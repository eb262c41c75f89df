// Package session keeps the sessions of people at the access portal: what
// begins when somebody signs in and what everything that they open there
// hangs on.
//
// A session is proved by a random token that only the person's browser holds;
// the store has its hash. A session ends by being deleted.
package session

import (
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
)

// DefaultDuration is how long a session lasts: AWS's default.
const DefaultDuration = 8 * time.Hour

// StepUpAge is how long ago people may have proved who they are to change what
// guards sign-ins.
const StepUpAge = 15 * time.Minute

// Session is one session of one person in one browser.
type Session struct {
	ID              string // 32 hexadecimal digits, random; not a secret
	StoreID, UserID string
	CreatedAt       time.Time
	ExpiresAt       time.Time
	Client          Client // at sign-in
	// Factor is what was proved at the sign-in beside the password: a
	// CredentialType of the audit trail; "" for nothing.
	Factor string
	// MFAAt is when the person last proved a second factor in the session; zero
	// for not at all.
	MFAAt time.Time
	// PasswordAt is when the person last gave the password in the session; zero
	// for not since it began.
	PasswordAt time.Time
}

// Fresh tells whether the person of a session has proved who they are less than
// StepUpAge ago: with a second factor or, for who has no device for that, with
// the password.
func (s *Session) Fresh(now time.Time, device bool) bool {
	return Lately(now, s.MFAAt) || !device && (Lately(now, s.CreatedAt) || Lately(now, s.PasswordAt))
}

// Lately tells whether something was proved less than StepUpAge ago; zero is
// never.
func Lately(now, at time.Time) bool { return now.Sub(at) < StepUpAge }

// Client is where a session was begun from.
type Client struct {
	IP        string
	UserAgent string // at most 256 bytes are kept
}

// NewClient returns where a session is begun from. What does not fit, or is not
// printable ASCII, is taken out of the user agent.
func NewClient(ip, userAgent string) Client { return Client{IP: ip, UserAgent: clip(userAgent)} }

// TokenHash is the hash of a session's token, under which it is stored.
type TokenHash [sha256.Size]byte

// Reader reads sessions.
type Reader interface {
	// PortalSession finds a session by its id, whether expired or not.
	PortalSession(id string) (Session, bool, error)
	PortalSessionByToken(TokenHash) (Session, bool, error)
	// PortalSessionsOfUser returns at most limit sessions whose ids follow
	// after, in the order of their ids.
	PortalSessionsOfUser(storeID, userID, after string, limit int) ([]Session, error)
}

// Tx reads and writes sessions.
type Tx interface {
	Reader
	InsertPortalSession(Session, TokenHash) error
	// SetPortalSessionMFA stores MFAAt of a session and reports whether there
	// is one.
	SetPortalSessionMFA(id string, at time.Time) (bool, error)
	// SetPortalSessionPassword is SetPortalSessionMFA for PasswordAt.
	SetPortalSessionPassword(id string, at time.Time) (bool, error)
	// SetPortalSessionFactor stores Factor of a session.
	SetPortalSessionFactor(id, factor string) error
	// ReplacePortalSessionToken stores the hash of another token in the place of
	// old, and reports false when that is not what is stored.
	ReplacePortalSessionToken(id string, old, renewed TokenHash) (bool, error)
	// DeletePortalSession deletes a session, with what was issued in it, and
	// reports whether there was one.
	DeletePortalSession(id string) (bool, error)
	// DeleteOtherPortalSessions deletes all sessions of a session's person but
	// that one, and what clients were given in any of them, that one too. It
	// returns how many sessions there were.
	DeleteOtherPortalSessions(Session) (int64, error)
	// RevokePortalSession ends what was opened in accounts from a session.
	RevokePortalSession(id string) error
	Ender
}

// Ender ends what a person has open.
type Ender interface {
	// RevokeUser ends all that a person has opened in accounts.
	RevokeUser(userID string) error
	// DeletePortalSessionsOfUser deletes all sessions of a person, with what was
	// issued in them, and returns how many there were.
	DeletePortalSessionsOfUser(storeID, userID string) (int64, error)
}

// Start begins a session of a person and returns it with its token. The
// caller has established who the person is.
func Start(tx Tx, now time.Time, ids ident.Source, storeID, userID string, duration time.Duration, from Client) (Session, string, error) {
	s := Session{
		ID: ids.Hex(32), StoreID: storeID, UserID: userID,
		CreatedAt: now, ExpiresAt: now.Add(duration), Client: from,
	}
	token := newToken(ids)
	return s, token, tx.InsertPortalSession(s, hashToken(token))
}

// Renew gives a session another token in the place of token, which opens it no
// more. It is done whenever the person has proved who they are again: a token
// that somebody got hold of before is then worth nothing. renewed is "" when
// token is not the session's, or not any more: whoever renewed it first has
// the new one.
func Renew(tx Tx, ids ident.Source, id, token string) (renewed string, err error) {
	if token == "" {
		return "", nil
	}
	renewed = newToken(ids)
	replaced, err := tx.ReplacePortalSessionToken(id, hashToken(token), hashToken(renewed))
	if err != nil || !replaced {
		return "", err
	}
	return renewed, nil
}

func newToken(ids ident.Source) string { return base64.RawURLEncoding.EncodeToString(ids.Bytes(32)) }

// Strengthen notes that the person of a session has proved a second factor,
// now. What is opened from the session afterwards says so. fault.NotFound,
// subject "session", when it has ended.
func Strengthen(tx Tx, now time.Time, id string) error {
	stored, err := tx.SetPortalSessionMFA(id, now)
	if err == nil && !stored {
		err = errEnded()
	}
	return err
}

// BeganWith notes what the person of a session has proved to begin it, beside
// the password.
func BeganWith(tx Tx, id, factor string) error { return tx.SetPortalSessionFactor(id, factor) }

// GavePassword notes that the person of a session has given the password, now.
// fault.NotFound, subject "session", when it has ended.
func GavePassword(tx Tx, now time.Time, id string) error {
	stored, err := tx.SetPortalSessionPassword(id, now)
	if err == nil && !stored {
		err = errEnded()
	}
	return err
}

// ByToken returns the session that a token proves. found is false when there
// is none, or not any more.
func ByToken(tx Reader, now time.Time, token string) (s Session, found bool, err error) {
	if token == "" {
		return Session{}, false, nil
	}
	s, found, err = tx.PortalSessionByToken(hashToken(token))
	return s.live(now, found, err)
}

// ByID returns the session with an id, if it has not ended.
func ByID(tx Reader, now time.Time, id string) (s Session, found bool, err error) {
	s, found, err = tx.PortalSession(id)
	return s.live(now, found, err)
}

// live passes on a session that was found and has not expired.
func (s Session) live(now time.Time, found bool, err error) (Session, bool, error) {
	if err != nil || !found || !now.Before(s.ExpiresAt) {
		return Session{}, false, err
	}
	return s, true, nil
}

// PersonReader reads the people whose sessions are.
type PersonReader interface {
	DirectoryUser(storeID, userID string) (directory.User, bool, error)
}

// PersonOf returns the person of a session. found is false when that person
// may not sign in any more.
func PersonOf(tx PersonReader, s Session) (u directory.User, found bool, err error) {
	u, found, err = tx.DirectoryUser(s.StoreID, s.UserID)
	if err != nil || !found || u.Status != directory.Enabled {
		return directory.User{}, false, err
	}
	return u, true, nil
}

// List returns at most limit sessions of a person that have not expired, after
// the session id after, and the id to go on after; "" when there are no more.
func List(tx Reader, now time.Time, storeID, userID, after string, limit int) (live []Session, next string, err error) {
	all, err := tx.PortalSessionsOfUser(storeID, userID, after, limit+1)
	if len(all) > limit {
		all = all[:limit]
		next = all[limit-1].ID
	}
	for _, s := range all {
		if now.Before(s.ExpiresAt) {
			live = append(live, s)
		}
	}
	return live, next, err
}

// End ends a session, with the sessions in accounts that were opened from it.
// fault.NotFound, subject "session", when there is none.
func End(tx Tx, id string) error {
	ended, err := tx.DeletePortalSession(id)
	if err != nil {
		return err
	}
	if !ended {
		return errEnded()
	}
	return tx.RevokePortalSession(id)
}

// SignOut ends a session with all that clients were given in it. Sessions in
// accounts go on, as AWS documents it for signing out. fault.NotFound, subject
// "session", when there is none.
func SignOut(tx Tx, id string) error {
	ended, err := tx.DeletePortalSession(id)
	if err == nil && !ended {
		err = errEnded()
	}
	return err
}

// EndAll is End for all sessions of a person, those that are not there any
// more too, and returns how many there were.
func EndAll(tx Ender, storeID, userID string) (int64, error) {
	if err := tx.RevokeUser(userID); err != nil {
		return 0, err
	}
	return tx.DeletePortalSessionsOfUser(storeID, userID)
}

// EndOthers ends what a person is signed in to but for the session s itself:
// all other sessions, the logins of clients, and the sessions in accounts. It
// returns how many other sessions there were.
func EndOthers(tx Tx, s Session) (int64, error) {
	if err := tx.RevokeUser(s.UserID); err != nil {
		return 0, err
	}
	return tx.DeleteOtherPortalSessions(s)
}

func errEnded() error {
	return fault.New(fault.NotFound, "session", "The session does not exist or has ended.")
}

// hashToken hashes a token. Tokens are random and long, so that a hash without
// salt or cost is enough.
func hashToken(token string) TokenHash { return sha256.Sum256([]byte(token)) }

// maxUserAgent is how much of a user agent is kept, in bytes.
const maxUserAgent = 256

// clip shortens s to maxUserAgent bytes of ASCII; other characters become "?".
func clip(s string) string {
	b := []byte(s[:min(len(s), maxUserAgent)])
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}
