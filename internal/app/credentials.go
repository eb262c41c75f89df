package app

import (
	"context"

	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/keys"
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

// credentials finds the access keys that requests are signed with.
type credentials struct {
	db     gateway.Database[iam.KeyReader]
	sealer iam.Sealer
}

// FindKey finds a long-term access key.
func (c *credentials) FindKey(ctx context.Context, accessKeyID, sessionToken string) (gateway.Credential, error) {
	if sessionToken != "" {
		return gateway.Credential{}, &sigv4.Error{Kind: sigv4.InvalidToken}
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
