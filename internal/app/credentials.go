package app

import (
	"context"
	"errors"
	"time"

	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/rolesession"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

// sealer seals for one purpose.
type sealer struct {
	ring    *keys.Ring
	purpose keys.Purpose
}

// Seal encrypts plaintext, bound to aad.
func (s sealer) Seal(plaintext, aad []byte) ([]byte, error) {
	return s.ring.Seal(s.purpose, plaintext, aad)
}

// Open decrypts what Seal sealed with the same aad.
func (s sealer) Open(sealed, aad []byte) ([]byte, error) {
	return s.ring.Open(s.purpose, sealed, aad)
}

// auditSigner signs batches of the audit trail.
type auditSigner struct{ ring *keys.Ring }

// Sign returns a tag over data.
func (s auditSigner) Sign(data []byte) ([]byte, error) { return s.ring.MAC(keys.AuditDigests, data) }

// Verify checks a tag that Sign made.
func (s auditSigner) Verify(data, signature []byte) error {
	return s.ring.VerifyMAC(keys.AuditDigests, data, signature)
}

// sessionKey protects temporary credentials.
type sessionKey struct{ sealer }

// sessionKeys are the keys of temporary credentials.
func (p *Program) sessionKeys() sessionKey { return sessionKey{sealer{p.ring, keys.Sessions}} }

// Derive returns bytes that depend on the key that sealed a value and on info.
func (k sessionKey) Derive(sealed []byte, info string, length int) ([]byte, error) {
	return k.ring.Derive(k.purpose, keys.SealedBy(sealed), info, length)
}

// credentials finds the access keys that requests are signed with.
type credentials struct {
	db       gateway.Database[iam.KeyReader]
	sealer   iam.Sealer
	sessions rolesession.Keys
	epochs   *epoch.Watcher
	now      func() time.Time
}

// FindKey finds an access key: a temporary one in its session token.
func (c *credentials) FindKey(ctx context.Context, accessKeyID, sessionToken string) (gateway.Credential, error) {
	if sessionToken != "" {
		return c.temporary(ctx, accessKeyID, sessionToken)
	}
	var found bool
	var out gateway.Credential
	err := c.db.View(ctx, func(tx iam.KeyReader) error {
		var err error
		out.Principal, out.Secret, found, err = iam.AuthenticateKey(tx, c.sealer, accessKeyID)
		return err
	})
	if err == nil && !found {
		err = &sigv4.Error{Kind: sigv4.UnknownAccessKey}
	}
	return out, err
}

// temporary opens temporary credentials and asks whether they have ended.
func (c *credentials) temporary(ctx context.Context, accessKeyID, sessionToken string) (gateway.Credential, error) {
	p, secret, err := rolesession.Open(c.sessions, c.now(), accessKeyID, sessionToken)
	switch {
	case errors.Is(err, rolesession.ErrExpired):
		return gateway.Credential{}, &sigv4.Error{Kind: sigv4.ExpiredToken}
	case err != nil:
		return gateway.Credential{}, &sigv4.Error{Kind: sigv4.InvalidToken}
	}
	valid, err := c.epochs.Valid(ctx, p.Session.Change, p.Session.DependsOn)
	switch {
	case err != nil:
		return gateway.Credential{}, err
	case !valid:
		return gateway.Credential{}, &sigv4.Error{Kind: sigv4.ExpiredToken}
	}
	return gateway.Credential{Secret: secret, Principal: p}, nil
}
