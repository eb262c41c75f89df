// Package oauth lets programs on a person's machine act for that person at the
// access portal: it registers clients, has a person approve them, and gives
// them access and refresh tokens (RFC 6749, 7636, 8252 and 8628 as AWS's
// sso-oidc speaks them).
//
// Little is stored. A client's registration travels in its own client id,
// sealed; a request for authorization travels in the address of the page that
// shows it, sealed; tokens are sealed or signed. Stored are device
// authorizations, authorization codes and, for each login, one token family,
// and of what clients hold only hashes. All of it hangs on the portal session
// of the person who approved, and goes when that session ends.
//
// Errors have as their subject the code that OAuth gives them
// ("invalid_grant"). One that is a *Kept has changed something, and its
// transaction must be committed.
package oauth

import (
	"crypto/sha256"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
)

// How long things live.
const (
	// RegistrationLifetime is how long a client may be used.
	RegistrationLifetime = 90 * 24 * time.Hour
	// DeviceLifetime is how long a person has to approve a device, as at AWS.
	DeviceLifetime = 10 * time.Minute
	// RequestLifetime is how long a person has to decide on a request for
	// authorization.
	RequestLifetime = 10 * time.Minute
	// CodeLifetime is how long an authorization code can be redeemed.
	CodeLifetime = 2 * time.Minute
	// AccessLifetime is how long an access token lasts that can be refreshed,
	// and LegacyAccessLifetime one that cannot, of clients that registered
	// without scopes. Neither outlasts the portal session.
	AccessLifetime       = time.Hour
	LegacyAccessLifetime = 8 * time.Hour
	// RepeatWindow is for how long a refresh token that was used may be used
	// again with the same result.
	RepeatWindow = time.Minute
)

// The grant types.
const (
	GrantDeviceCode        = "urn:ietf:params:oauth:grant-type:device_code"
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
)

// The scopes.
const (
	// ScopeAccountAccess is for the person's accounts and roles.
	ScopeAccountAccess = "sso:account:access"
	// ScopePortal is what ScopeAccountAccess replaced. Its tokens cannot be
	// refreshed.
	ScopePortal = "sso-portal:*"
)

// Key protects what clients hold.
type Key interface {
	// Seal encrypts plaintext and binds it to aad, which Open needs too.
	Seal(plaintext, aad []byte) ([]byte, error)
	Open(sealed, aad []byte) ([]byte, error)
	// Sign returns a tag over data, the same for the same data until the key
	// is rotated.
	Sign(data []byte) ([]byte, error)
	Verify(data, tag []byte) error
}

// Keys are the keys of everything here.
type Keys struct {
	Clients Key // registrations
	Tokens  Key // tokens and requests for authorization
}

// Hash is the hash of a code, under which it is stored. Codes are random and
// long, so that a hash without salt or cost is enough.
type Hash [sha256.Size]byte

func hash(code string) Hash { return sha256.Sum256([]byte(code)) }

// Tx is everything that this package asks of a transaction.
type Tx interface {
	DeviceTx
	CodeTx
	FamilyTx
}

// Kept is a refusal that has changed something which must last: how often a
// client has polled, or that a family was revoked because a code came twice.
// The transaction must commit although the answer is an error.
type Kept struct {
	Err *fault.Error
	// Revoked is the family that was revoked; its ID is "" when none was.
	Revoked Family
}

// Error returns the refusal's text.
func (k *Kept) Error() string { return k.Err.Error() }

// Unwrap returns the refusal.
func (k *Kept) Unwrap() error { return k.Err }

// invalid returns a refusal with one of OAuth's error codes.
func invalid(code, format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, code, format, args...)
}

func errGrant() *fault.Error { return invalid("invalid_grant", "Invalid grant provided") }
