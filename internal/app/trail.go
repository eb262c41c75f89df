package app

import (
	"context"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/store"
)

// Keys is the node's key ring.
func (p *Program) Keys() *keys.Ring { return p.ring }

// VerifyTrail checks the audit trail. What is pending is sealed first.
func (p *Program) VerifyTrail(ctx context.Context, anchors ...audit.Anchor) (*audit.Report, error) {
	if err := p.trail.Flush(ctx); err != nil {
		return nil, err
	}
	return audit.Verify(ctx, store.Bind[audit.ChainTx](p.Store), auditSigner{p.ring}, anchors...)
}

// ReadTrail returns records of the audit trail after a sequence number, and
// the number to go on after. What is pending is sealed first.
func (p *Program) ReadTrail(ctx context.Context, after int64, limit int) (entries []audit.Entry, next int64, err error) {
	if err := p.trail.Flush(ctx); err != nil {
		return nil, 0, err
	}
	err = store.Bind[audit.ChainTx](p.Store).View(ctx, func(tx audit.ChainTx) error {
		entries, next, err = audit.Read(tx, after, limit)
		return err
	})
	return entries, next, err
}
