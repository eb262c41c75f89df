// Package keys holds Atrium's key hierarchy: one root key, which is never
// stored in the database, wraps generations of keys, a series for each
// purpose. What is sealed names the generation that sealed it, so that a
// rotation adds a generation while what older ones sealed still opens.
//
// Everything is AES-256-GCM, HMAC-SHA-256 and HKDF-SHA-256 of the standard
// library. A generation may seal 2^32 values (NIST SP 800-38D, random
// nonces): at a hundred a second that is more than a year, and a rotation
// starts anew.
package keys

import (
	"context"
	"errors"
	"time"
)

// Purpose names what a series of keys is for. A value sealed for one purpose
// opens for no other.
type Purpose string

// The purposes. Each has keys of its own.
const (
	// Sessions seals session tokens and derives their secret access keys.
	Sessions Purpose = "session"
	// ClientSecrets seals what registered OAuth clients present.
	ClientSecrets Purpose = "client-secret"
	// StoredSecrets seals secrets at rest: access keys, passwords of connectors.
	StoredSecrets Purpose = "stored-secret"
	// Factors seals what proves people's second factors.
	Factors Purpose = "factor"
	// Cookies seals and signs browser cookies.
	Cookies Purpose = "cookie"
	// PagingTokens seals NextToken values.
	PagingTokens Purpose = "paging-token"
	// AuditDigests signs the digests of the audit trail.
	AuditDigests Purpose = "audit-digest"
)

// Purposes returns all purposes, in a fixed order.
func Purposes() []Purpose {
	return []Purpose{Sessions, ClientSecrets, StoredSecrets, Factors, Cookies, PagingTokens, AuditDigests}
}

// AtRest reports whether what p protects lies in the database, where a
// revoked generation would make it unreadable for good.
func (p Purpose) AtRest() bool { return p == StoredSecrets || p == Factors || p == AuditDigests }

// ErrOpen is the one answer to every value that does not open: forged,
// altered, truncated, sealed for something else or by a revoked generation.
// It says no more, so that nobody learns from it.
var ErrOpen = errors.New("keys: the value was not sealed here, or has been altered or revoked")

// Generation is one wrapped key as the store keeps it.
type Generation struct {
	Purpose Purpose
	// Number counts from 1 within the purpose and is never reused.
	Number uint32
	// RootID is the ID of the root key that wrapped it.
	RootID string
	// Wrapped is the key, sealed by the root key for this purpose and number.
	Wrapped []byte
	// Created is when it was made; from Active on it seals new values. The
	// time between gives every node the chance to learn of it.
	Created, Active time.Time
}

// Tx is what the hierarchy needs of a store transaction.
type Tx interface {
	// KeyGenerations returns every generation of every purpose, by purpose
	// and number.
	KeyGenerations() ([]Generation, error)
	// InsertKeyGeneration stores g unless its purpose and number are taken,
	// and reports whether it did.
	InsertKeyGeneration(g Generation) (bool, error)
	// DeleteKeyGeneration removes a generation and reports whether it was
	// there.
	DeleteKeyGeneration(p Purpose, number uint32) (bool, error)
	// RewrapKeyGeneration stores RootID and Wrapped of g over those of the
	// generation with its purpose and number.
	RewrapKeyGeneration(g Generation) error
}

// DB runs store transactions. Their functions may run more than once.
type DB interface {
	Update(ctx context.Context, f func(Tx) error) error
	View(ctx context.Context, f func(Tx) error) error
}
