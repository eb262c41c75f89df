package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/keys"
)

// RotatedKeys tells what became of the keys of a purpose.
type RotatedKeys struct {
	Purpose    keys.Purpose
	Generation uint32
	// Revoked is how many older generations were removed.
	Revoked int
}

// rotationDelay gives running nodes time to learn of new keys before anything
// is sealed with them.
const rotationDelay = 2 * time.Minute

// RotateKeys adds a generation of keys for every purpose.
func (p *Program) RotateKeys(ctx context.Context, by Operator, revoke bool) ([]RotatedKeys, error) {
	var out []RotatedKeys
	for _, purpose := range keys.Purposes() {
		r, err := p.rotateKeys(ctx, by, purpose, revoke)
		if err != nil {
			return nil, fmt.Errorf("%s (the purposes before it are done): %w", purpose, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func (p *Program) rotateKeys(ctx context.Context, by Operator, purpose keys.Purpose, revoke bool) (RotatedKeys, error) {
	out := RotatedKeys{Purpose: purpose}
	delay := rotationDelay
	if revoke {
		delay = 0 // what the old keys sealed must not be accepted any longer
	}
	var err error
	// The keys' transaction is the store's, which has a trail.
	out.Generation, err = p.ring.Rotate(ctx, purpose, delay, func(tx keys.Tx, generation uint32) error {
		return p.recordOperation(tx.(audit.Tx), by, "RotateKeys", "", map[string]any{"purpose": purpose, "generation": generation})
	})
	if err != nil || !revoke || purpose.AtRest() {
		return out, err
	}
	out.Revoked, err = p.ring.Revoke(ctx, purpose, func(tx keys.Tx, removed int) error {
		return p.recordOperation(tx.(audit.Tx), by, "RevokeKeys", "", map[string]any{"purpose": purpose, "removed": removed})
	})
	return out, err
}

// RootKeyText is a root key as keys.ParseRoot reads it. It is shown nowhere.
type RootKeyText string

// String returns a mask.
func (RootKeyText) String() string { return "(secret)" }

// GoString returns a mask.
func (RootKeyText) GoString() string { return "(secret)" }

// LogValue returns a mask.
func (RootKeyText) LogValue() slog.Value { return slog.StringValue("(secret)") }

// ReplaceRootKey wraps the keys of every purpose with a new root key.
func (p *Program) ReplaceRootKey(ctx context.Context, by Operator, next RootKeyText) (keys.Replaced, error) {
	root, err := keys.ParseRoot(string(next), p.Rand)
	if err != nil {
		return keys.Replaced{}, err
	}
	return p.ring.ReplaceRoot(ctx, root, func(tx keys.Tx, r keys.Replaced) error {
		return p.recordOperation(tx.(audit.Tx), by, "ReplaceRootKey", "",
			map[string]any{"from": r.From, "to": r.To, "generations": r.Generations})
	})
}

// reportKeys logs what following the keys reports.
func (p *Program) reportKeys(err error) {
	if errors.Is(err, keys.ErrOtherRoot) {
		p.Log.Warn("the root key", "note", err)
		return
	}
	p.report("keys")(err)
}

// ready tells why the node cannot serve, if so.
func (p *Program) ready(ctx context.Context) error {
	if err := p.Store.Ping(ctx); err != nil {
		return err
	}
	return p.ring.Status().Ready(p.Now())
}

// note is what an operator should know of a node that is ready; "" for nothing.
func (p *Program) note() string {
	if s := p.ring.Status(); s.Stored != s.Configured {
		return fmt.Sprintf("the database's keys are wrapped by root key %s, this node is configured with %s", s.Stored, s.Configured)
	}
	return ""
}
