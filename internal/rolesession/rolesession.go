// Package rolesession issues temporary credentials and opens them again.
//
// Nothing of a session is stored. Its session token holds the principal and
// everything else that there is to know about it, sealed and bound to the
// access key id; the secret access key is derived from the sealing key, the
// session's random id and the access key id. Any other pairing of key and
// token does not open. What ends a session before its time is told by the
// epochs of what it depends on: see the package epoch.
package rolesession

import (
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
)

// Keys protects credentials.
type Keys interface {
	// Seal encrypts plaintext and binds it to aad, which Open needs too.
	Seal(plaintext, aad []byte) ([]byte, error)
	Open(sealed, aad []byte) ([]byte, error)
	// Derive returns length bytes that depend on the key that sealed a value,
	// on info, and on nothing else.
	Derive(sealed []byte, info string, length int) ([]byte, error)
}

// Credentials are temporary credentials, as a client gets them.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	ExpiresAt                                  time.Time
	// PackedSize is how much of the space for session policies and tags is
	// used, in percent.
	PackedSize int
}

// Why credentials do not open.
var (
	// ErrInvalid: the token is not one of ours, or not this key's.
	ErrInvalid = errors.New("rolesession: the session token is not valid")
	// ErrExpired: the session is past its time.
	ErrExpired = errors.New("rolesession: the session token has expired")
)

const (
	// maxPacked bounds, in bytes, what a caller may put into a token: session
	// policies, tags and what a chain of roles leaves behind.
	maxPacked = 4096
	// maxToken bounds the session tokens that are looked at, in characters:
	// no token that Issue makes is longer.
	maxToken = 12 << 10

	sessionIDSize = 16
	secretSize    = 30 // bytes, 40 characters of base64
	tokenContext  = "atrium session v1:"
	secretContext = "atrium session secret v1:"
)

// Issue makes credentials for a principal with a Session, whose access key id
// is not set yet. It fails with fault.Quota, subject "packed_policy", when the
// session's policies and tags take up too much space.
func Issue(keys Keys, ids ident.Source, p iam.Principal) (Credentials, error) {
	p.AccessKeyID = ids.AccessKeyID("ASIA", p.AccountID)
	id := ids.Bytes(sessionIDSize)
	plain, packed := encode(id, p)
	if packed > maxPacked {
		message := "Packed size of session tags consumes %d%% of allotted space."
		if len(p.Session.Policies)+len(p.Session.PolicyARNs) > 0 {
			message = "Packed policy consumes %d%% of allotted space, please use smaller policy."
		}
		return Credentials{}, fault.New(fault.Quota, "packed_policy", message, packed*100/maxPacked)
	}
	sealed, err := keys.Seal(plain, []byte(tokenContext+p.AccessKeyID))
	if err != nil {
		return Credentials{}, err
	}
	secret, err := secretOf(keys, sealed, id, p.AccessKeyID)
	if err != nil {
		return Credentials{}, err
	}
	return Credentials{
		AccessKeyID: p.AccessKeyID, SecretAccessKey: secret, SessionToken: base64.RawURLEncoding.EncodeToString(sealed),
		ExpiresAt: p.Session.ExpiresAt, PackedSize: (packed*100 + maxPacked - 1) / maxPacked,
	}, nil
}

// Open returns the principal and the secret access key of an access key id
// with its session token, or ErrInvalid, or ErrExpired. Whether the session
// was ended before its time is still to be asked: with the principal's
// Session.Change and DependsOn.
func Open(keys Keys, now time.Time, keyID, token string) (p iam.Principal, secret string, err error) {
	// A token has one spelling; the decoder would skip line ends.
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") {
		return iam.Principal{}, "", ErrInvalid
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return iam.Principal{}, "", ErrInvalid
	}
	plain, err := keys.Open(sealed, []byte(tokenContext+keyID))
	if err != nil {
		return iam.Principal{}, "", ErrInvalid
	}
	id, p, ok := decode(plain)
	if !ok {
		return iam.Principal{}, "", ErrInvalid
	}
	if !now.Before(p.Session.ExpiresAt) {
		return iam.Principal{}, "", ErrExpired
	}
	if secret, err = secretOf(keys, sealed, id, keyID); err != nil {
		return iam.Principal{}, "", ErrInvalid
	}
	p.AccessKeyID = keyID
	return p, secret, nil
}

func secretOf(keys Keys, sealed, id []byte, keyID string) (string, error) {
	secret, err := keys.Derive(sealed, secretContext+string(id)+keyID, secretSize)
	return base64.StdEncoding.EncodeToString(secret), err
}
