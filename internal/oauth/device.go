package oauth

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/session"
)

// DeviceInterval is how long a client waits between two polls, as at AWS.
const DeviceInterval = time.Second

// pollBurst is how far ahead of DeviceInterval a client may be: clients poll
// twice at once to begin with, and no two polls take the same time to arrive.
const pollBurst = 5 * time.Second

// Status is what has become of a device authorization.
type Status string

// The statuses.
const (
	Pending  Status = "PENDING"
	Approved Status = "APPROVED"
	Denied   Status = "DENIED"
	Redeemed Status = "REDEEMED"
)

// Requester is where a request came from.
type Requester struct {
	IP        string
	UserAgent string // at most 256 bytes are kept
}

// Device is a device authorization: a program's wish, shown to a person as a
// short code, to act for them.
type Device struct {
	Code     Hash   // of the device code
	UserCode string // as shown: "PMPJ-VZCJ"
	ClientID string // of Client.ID
	// ClientName is what the client calls itself. Nobody has verified it.
	ClientName           string
	Scopes               []string
	StoreID              string // whose people may approve it
	Requester            Requester
	CreatedAt, ExpiresAt time.Time
	Status               Status
	// SessionID is the portal session of the person who approved; "" until
	// somebody has.
	SessionID string
	// FamilyID is the login that it was redeemed for; "" until then.
	FamilyID string
	// NextPoll is when the next poll would be due if all came in time.
	NextPoll time.Time
}

// DeviceTx reads and writes device authorizations.
type DeviceTx interface {
	SessionReader
	authsettings.Reader
	DeviceByCode(Hash) (Device, bool, error)
	// DeviceByUserCode takes the code as it is shown.
	DeviceByUserCode(userCode string) (Device, bool, error)
	// InsertDevice reports false, and stores nothing, when the user code is
	// taken.
	InsertDevice(Device) (bool, error)
	// UpdateDevice stores d's Status, SessionID, FamilyID and NextPoll.
	UpdateDevice(d Device) error
}

// SessionReader finds portal sessions.
type SessionReader interface {
	PortalSession(id string) (session.Session, bool, error)
}

// approval is who approved what, as tokens need it.
type approval struct {
	SessionID, StoreID, UserID string
	SessionExpiresAt           time.Time
	scopes                     []string
}

// StartDevice begins a device authorization of a client and returns it with
// the device code, which only the client gets to know.
func StartDevice(tx DeviceTx, now time.Time, ids ident.Source, c Client, storeID string, from Requester) (Device, string, error) {
	if !c.MayUse(GrantDeviceCode) {
		return Device{}, "", errUnauthorizedClient(GrantDeviceCode)
	}
	code := base64.RawURLEncoding.EncodeToString(ids.Bytes(32))
	d := Device{
		Code: hash(code), ClientID: c.ID, ClientName: c.Name, Scopes: c.Scopes, StoreID: storeID, Requester: from.clipped(),
		CreatedAt: now, ExpiresAt: now.Add(DeviceLifetime), Status: Pending, NextPoll: now,
	}
	for range 4 {
		d.UserCode = newUserCode(ids)
		stored, err := tx.InsertDevice(d)
		if err != nil || stored {
			return d, code, err
		}
	}
	return Device{}, "", fault.New(fault.Unavailable, "user_code", "No code is free. Try again.")
}

// RedeemDevice gives the client its tokens once a person has approved, and
// until then says "authorization_pending", in a *Kept, or "slow_down". It says
// "expired_token" when nobody did in time, "access_denied" when somebody
// refused, and otherwise "invalid_grant". A code that comes again after it was
// redeemed revokes what it was redeemed for, in a *Kept.
func RedeemDevice(tx Tx, now time.Time, ids ident.Source, keys Keys, c Client, code string) (Tokens, error) {
	if !c.MayUse(GrantDeviceCode) {
		return Tokens{}, errUnauthorizedClient(GrantDeviceCode)
	}
	d, found, err := tx.DeviceByCode(hash(code))
	switch {
	case err != nil:
		return Tokens{}, err
	case !found || d.ClientID != c.ID:
		return Tokens{}, errGrant()
	case d.Status == Redeemed:
		return Tokens{}, replayed(tx, d.FamilyID)
	case !now.Before(d.ExpiresAt):
		return Tokens{}, errDeviceExpired()
	case d.Status == Denied:
		return Tokens{}, fault.New(fault.Denied, "access_denied", "The person has denied the request")
	case d.Status == Pending:
		return Tokens{}, d.poll(tx, now)
	}
	a, err := approvalOf(tx, d.SessionID, d.Scopes)
	if err != nil {
		return Tokens{}, err
	}
	t, err := begin(tx, now, ids, keys, c, a)
	if err != nil {
		return Tokens{}, err
	}
	d.Status, d.FamilyID = Redeemed, t.Family.ID
	return t, tx.UpdateDevice(d)
}

// poll counts a poll of a pending authorization.
func (d Device) poll(tx DeviceTx, now time.Time) error {
	if d.NextPoll.Sub(now) > pollBurst {
		return fault.New(fault.Throttled, "slow_down", "The client polls too often")
	}
	if d.NextPoll.Before(now) {
		d.NextPoll = now
	}
	d.NextPoll = d.NextPoll.Add(DeviceInterval)
	if err := tx.UpdateDevice(d); err != nil {
		return err
	}
	return &Kept{Err: invalid("authorization_pending", "The authorization is pending")}
}

// approvalOf returns the approval of a person in a portal session. Whether that
// is still good is begin's to say.
func approvalOf(tx SessionReader, sessionID string, scopes []string) (approval, error) {
	s, found, err := tx.PortalSession(sessionID)
	if err == nil && !found {
		err = errGrant()
	}
	return approval{SessionID: s.ID, StoreID: s.StoreID, UserID: s.UserID, SessionExpiresAt: s.ExpiresAt, scopes: scopes}, err
}

// replayed revokes what a code was redeemed for.
func replayed(tx FamilyTx, familyID string) error {
	f, found, err := tx.TokenFamily(familyID)
	if err != nil {
		return err
	}
	if !found {
		return errGrant()
	}
	return revoke(tx, f)
}

// DeviceByUserCode returns the device authorization that a person of an
// identity store may decide on. The code is taken as people type it: letters
// in either case, with or without the hyphen. Whoever calls this for a person
// slows down those who guess.
//
// It is a fault.NotFound, subject "user_code", when there is none, or one that
// the settings do not allow any more, a fault.Invalid, subject "expired_token", when it has expired, and a
// fault.Conflict, subject "user_code", when it was decided.
func DeviceByUserCode(tx DeviceTx, now time.Time, storeID, typed string) (Device, error) {
	d, err := device(tx, now, storeID, typed)
	if err == nil && d.Status != Pending {
		err = errDecided()
	}
	return d, err
}

func device(tx DeviceTx, now time.Time, storeID, typed string) (Device, error) {
	code, ok := canonicalUserCode(typed)
	if !ok {
		return Device{}, errUserCode()
	}
	d, found, err := tx.DeviceByUserCode(code)
	switch {
	case err != nil:
		return Device{}, err
	case !found || d.StoreID != storeID:
		return Device{}, errUserCode()
	case d.Status == Pending && !now.Before(d.ExpiresAt):
		return Device{}, errDeviceExpired()
	}
	return d, mayBeApproved(tx, d)
}

// ApproveDevice lets the client of a device authorization act for the person
// of a portal session. It fails as DeviceByUserCode does; to approve once more
// in the same session is no error.
func ApproveDevice(tx DeviceTx, now time.Time, s session.Session, typed string) (Device, error) {
	d, err := device(tx, now, s.StoreID, typed)
	if err != nil {
		return Device{}, err
	}
	if d.SessionID == s.ID {
		return d, nil
	}
	if d.Status != Pending {
		return Device{}, errDecided()
	}
	d.Status, d.SessionID = Approved, s.ID
	return d, tx.UpdateDevice(d)
}

// DenyDevice refuses a device authorization. It fails as DeviceByUserCode does.
func DenyDevice(tx DeviceTx, now time.Time, s session.Session, typed string) (Device, error) {
	d, err := DeviceByUserCode(tx, now, s.StoreID, typed)
	if err != nil {
		return Device{}, err
	}
	d.Status = Denied
	return d, tx.UpdateDevice(d)
}

// userCodeLetters are the letters of user codes: none of them a vowel, so that
// no word comes about, and none that is read as another (RFC 8628, section
// 6.1).
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"

// newUserCode returns one of 2.5e10 codes: "PMPJ-VZCJ".
func newUserCode(ids ident.Source) string {
	var code []byte
	for len(code) < 8 {
		for _, b := range ids.Bytes(10) {
			if b < 240 && len(code) < 8 { // 240 and above would favour some letters
				code = append(code, userCodeLetters[b%20])
			}
		}
	}
	return string(code[:4]) + "-" + string(code[4:])
}

// canonicalUserCode returns a code as it is shown.
func canonicalUserCode(typed string) (string, bool) {
	if len(typed) > 64 {
		return "", false
	}
	letters := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToUpper(typed))
	if len(letters) != 8 || strings.Trim(letters, userCodeLetters) != "" {
		return "", false
	}
	return letters[:4] + "-" + letters[4:], true
}

// maxUserAgent is how much of a user agent is kept, in bytes.
const maxUserAgent = 256

// clipped shortens the user agent to ASCII of at most maxUserAgent bytes.
func (r Requester) clipped() Requester {
	b := []byte(r.UserAgent[:min(len(r.UserAgent), maxUserAgent)])
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	r.UserAgent = string(b)
	return r
}

func errUserCode() error {
	return fault.New(fault.NotFound, "user_code", "The code is not valid. Check it and try again.")
}

func errDecided() error {
	return fault.New(fault.Conflict, "user_code", "The code has been used already. Start again on your device.")
}

func errDeviceExpired() error {
	return invalid("expired_token", "The device code has expired")
}

func errUnauthorizedClient(grantType string) error {
	return invalid("unauthorized_client", "The client is not registered for the grant type %s", grantType)
}
