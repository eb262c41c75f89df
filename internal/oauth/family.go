package oauth

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
)

// Family is one login of one client: all the tokens that descend from one
// approval. It ends with the portal session of the person who approved, or
// when it is revoked; it ends by being deleted.
type Family struct {
	ID       string // 32 hexadecimal digits, random; not a secret
	ClientID string // of Client.ID
	// ClientName is what the client calls itself. Nobody has verified it.
	ClientName string
	// SessionID is the portal session on which the family hangs.
	SessionID, StoreID, UserID string
	Scopes                     []string
	CreatedAt                  time.Time
	ExpiresAt                  time.Time // when the portal session does
	// Sequence is the number of the newest refresh token, from 1; 0 when the
	// family has none.
	Sequence int64
	// Exchanges are the times at which the tokens before the newest were
	// exchanged for the next one, newest first; those of the last RepeatWindow.
	Exchanges []time.Time

	// What the family's person and directory are now. Only read.
	InstanceID, OwnerAccountID string
	UserEnabled                bool
	// MFAAt is when the person last proved a second factor in the portal
	// session; zero for not at all.
	MFAAt time.Time
}

// FamilyReader finds families.
type FamilyReader interface {
	TokenFamily(id string) (Family, bool, error)
	// TokenFamiliesOfUser returns at most limit families of a person, the newest
	// first.
	TokenFamiliesOfUser(storeID, userID string, limit int) ([]Family, error)
}

// FamilyTx reads and writes families.
type FamilyTx interface {
	FamilyReader
	InsertTokenFamily(Family) error
	// UpdateTokenFamily stores f's Sequence and Exchanges.
	UpdateTokenFamily(f Family) error
	// DeleteTokenFamily ends a family. One that does not exist is no error.
	DeleteTokenFamily(id string) error
}

// Tokens are what a client gets.
type Tokens struct {
	Access  string
	Expires time.Duration // how long Access lasts, in whole seconds
	Refresh string        // "" when the login cannot be refreshed
	Family  Family
}

// Grant is what an access token gives.
type Grant struct {
	// FamilyID names the login, for Revoke.
	FamilyID string
	// StoreID and UserID are the person, InstanceID the instance and
	// OwnerAccountID the account that owns it.
	StoreID, UserID            string
	InstanceID, OwnerAccountID string
	// SessionID is the portal session in which the token was issued.
	SessionID string
	ClientID  string
	ExpiresAt time.Time // of the token
	// MFAAt is when the person last proved a second factor in that session; zero
	// for not at all.
	MFAAt time.Time
}

// maxExchanges bounds how many exchanges a family remembers. A client that
// refreshes more often than this in a minute is not waiting for lost replies.
const maxExchanges = 32

const (
	accessContext  = "atrium oauth access token v1"
	refreshContext = "atrium oauth refresh token v1:"
	// accessSize is the plaintext of an access token: family and expiry.
	accessSize = 16 + 8
	// refreshSize is the signed part of a refresh token: family and number.
	refreshSize = 16 + 8
)

// begin starts a family of an approved client and returns its first tokens.
func begin(tx FamilyTx, now time.Time, ids ident.Source, keys Keys, c Client, a approval) (Tokens, error) {
	f := Family{
		ID: ids.Hex(32), ClientID: c.ID, ClientName: c.Name, SessionID: a.SessionID, StoreID: a.StoreID, UserID: a.UserID,
		Scopes: a.scopes, CreatedAt: now, ExpiresAt: a.SessionExpiresAt,
	}
	if c.refreshes(a.scopes) {
		f.Sequence = 1
	}
	if err := tx.InsertTokenFamily(f); err != nil {
		return Tokens{}, err
	}
	f, found, err := tx.TokenFamily(f.ID)
	if err != nil {
		return Tokens{}, err
	}
	if !found || !f.live(now) {
		return Tokens{}, errGrant()
	}
	return f.issue(now, keys, f.Sequence)
}

// live tells whether the family's tokens are good for anything.
func (f Family) live(now time.Time) bool { return now.Before(f.ExpiresAt) && f.UserEnabled }

// issue makes an access token and the refresh token with a number.
func (f Family) issue(now time.Time, keys Keys, number int64) (Tokens, error) {
	lifetime := AccessLifetime
	if number == 0 {
		lifetime = LegacyAccessLifetime
	}
	lifetime = min(lifetime, f.ExpiresAt.Sub(now)).Truncate(time.Second)
	if lifetime <= 0 {
		return Tokens{}, errGrant()
	}
	t := Tokens{Expires: lifetime, Family: f}
	id, err := hex.DecodeString(f.ID)
	if err != nil {
		return Tokens{}, err
	}
	sealed, err := keys.Tokens.Seal(binary.BigEndian.AppendUint64(id, uint64(now.Add(lifetime).UnixMilli())), []byte(accessContext))
	if err != nil {
		return Tokens{}, err
	}
	t.Access = base64.RawURLEncoding.EncodeToString(sealed)
	if number > 0 {
		t.Refresh, err = refreshToken(keys, id, number)
	}
	return t, err
}

// refreshToken derives the family's refresh token with a number: whoever may
// have it again gets the same one, and no sibling.
func refreshToken(keys Keys, family []byte, number int64) (string, error) {
	body := binary.BigEndian.AppendUint64(slices.Clone(family), uint64(number))
	tag, err := keys.Tokens.Sign(append([]byte(refreshContext), body...))
	return base64.RawURLEncoding.EncodeToString(append(body, tag...)), err
}

// openRefresh returns the family and the number of a refresh token.
func openRefresh(keys Keys, token string) (family string, number int64, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) <= refreshSize {
		return "", 0, false
	}
	body, tag := raw[:refreshSize], raw[refreshSize:]
	if keys.Tokens.Verify(append([]byte(refreshContext), body...), tag) != nil {
		return "", 0, false
	}
	return hex.EncodeToString(body[:16]), int64(binary.BigEndian.Uint64(body[16:])), true
}

// Refresh exchanges a refresh token for new tokens.
//
// Several programs of one machine share a login and may send the same token at
// once, and a reply may be lost. So a token that was used already gets the
// very successor it got before: for RepeatWindow in any case, and after that
// while the successor itself was not used. A token that comes back later than
// that is in wrong hands, or its successor is: the family is revoked, in a
// *Kept. All other refusals are fault.Invalid, subject "invalid_grant".
func Refresh(tx FamilyTx, now time.Time, keys Keys, c Client, token string) (Tokens, error) {
	if !c.MayUse(GrantRefreshToken) {
		return Tokens{}, errUnauthorizedClient(GrantRefreshToken)
	}
	id, number, ok := openRefresh(keys, token)
	if !ok {
		return Tokens{}, errGrant()
	}
	f, found, err := tx.TokenFamily(id)
	switch {
	case err != nil:
		return Tokens{}, err
	case !found || f.ClientID != c.ID || !f.live(now) || number > f.Sequence:
		return Tokens{}, errGrant()
	case number == f.Sequence:
		f.exchange(now)
		if err := tx.UpdateTokenFamily(f); err != nil {
			return Tokens{}, err
		}
	case number < f.Sequence-1 && !f.exchangedLately(now, number):
		return Tokens{}, revoke(tx, f)
	}
	return f.issue(now, keys, number+1)
}

// exchange notes that the newest token was exchanged for the next.
func (f *Family) exchange(now time.Time) {
	kept := f.Exchanges[:min(len(f.Exchanges), maxExchanges-1)]
	for len(kept) > 0 && now.Sub(kept[len(kept)-1]) > RepeatWindow {
		kept = kept[:len(kept)-1]
	}
	f.Exchanges = slices.Concat([]time.Time{now}, kept)
	f.Sequence++
}

// exchangedLately tells whether a token was exchanged within RepeatWindow.
func (f Family) exchangedLately(now time.Time, number int64) bool {
	i := f.Sequence - 1 - number
	return i < int64(len(f.Exchanges)) && now.Sub(f.Exchanges[i]) <= RepeatWindow
}

// revoke ends a family because something that may be used once came again.
func revoke(tx FamilyTx, f Family) error {
	if err := tx.DeleteTokenFamily(f.ID); err != nil {
		return err
	}
	return &Kept{Err: errGrant(), Revoked: f}
}

// Revoke ends a login: its access and refresh tokens are good for nothing from
// now on. It is not an error when it has ended already.
func Revoke(tx FamilyTx, familyID string) error { return tx.DeleteTokenFamily(familyID) }

// Logins returns at most limit logins of a person that are good for something,
// the newest first.
func Logins(tx FamilyReader, now time.Time, storeID, userID string, limit int) ([]Family, error) {
	all, err := tx.TokenFamiliesOfUser(storeID, userID, limit)
	return slices.DeleteFunc(all, func(f Family) bool { return !f.live(now) || !now.Before(f.Until()) }), err
}

// RevokeLogin is Revoke for a login of a person, which it returns. found is
// false, and nothing changes, when it has ended or is somebody else's.
func RevokeLogin(tx FamilyTx, now time.Time, storeID, userID, familyID string) (f Family, found bool, err error) {
	f, found, err = tx.TokenFamily(familyID)
	if err != nil || !found || f.StoreID != storeID || f.UserID != userID || !f.live(now) {
		return Family{}, false, err
	}
	return f, true, tx.DeleteTokenFamily(f.ID)
}

// Renews tells whether the client holds a refresh token, by which it renews its
// access until the portal session ends.
func (f Family) Renews() bool { return f.Sequence > 0 }

// Until is when the client's access ends, unless the login is revoked before.
func (f Family) Until() time.Time {
	if f.Renews() {
		return f.ExpiresAt
	}
	return earliest(f.ExpiresAt, f.CreatedAt.Add(LegacyAccessLifetime))
}

// RenewedAt is when the client last renewed its access; zero for not yet.
func (f Family) RenewedAt() time.Time {
	if len(f.Exchanges) == 0 {
		return time.Time{}
	}
	return f.Exchanges[0]
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// VerifyAccessToken returns what an access token gives. fault.Denied, subject
// "token", when it is not one, has expired, or its login or the portal session
// has ended.
func VerifyAccessToken(tx FamilyReader, now time.Time, keys Keys, token string) (Grant, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return Grant{}, errToken()
	}
	plain, err := keys.Tokens.Open(sealed, []byte(accessContext))
	if err != nil || len(plain) != accessSize {
		return Grant{}, errToken()
	}
	expires := time.UnixMilli(int64(binary.BigEndian.Uint64(plain[16:]))).UTC()
	if !now.Before(expires) {
		return Grant{}, errToken()
	}
	f, found, err := tx.TokenFamily(hex.EncodeToString(plain[:16]))
	if err != nil {
		return Grant{}, err
	}
	if !found || !f.live(now) {
		return Grant{}, errToken()
	}
	return Grant{
		FamilyID: f.ID, StoreID: f.StoreID, UserID: f.UserID, InstanceID: f.InstanceID, OwnerAccountID: f.OwnerAccountID,
		SessionID: f.SessionID, ClientID: f.ClientID, ExpiresAt: expires, MFAAt: f.MFAAt,
	}, nil
}

func errToken() error {
	return fault.New(fault.Denied, "token", "Session token not found or invalid")
}
