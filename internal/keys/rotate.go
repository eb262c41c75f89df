package keys

import (
	"context"
	"fmt"
	"time"
)

// Rotate adds a generation for p that seals from delay on, which gives other
// nodes time to learn of it, and returns its number. What older generations
// sealed still opens. also, of which there may be any number, runs in the
// transaction that stores it.
func (r *Ring) Rotate(ctx context.Context, p Purpose, delay time.Duration, also ...func(tx Tx, generation uint32) error) (uint32, error) {
	if err := r.Refresh(ctx); err != nil {
		return 0, err
	}
	known := r.series(p)
	if len(known) == 0 {
		return 0, fmt.Errorf("there are no keys for %q; the purposes are %v", p, Purposes())
	}
	g, err := r.generate(ctx, p, known[0].Number+1, delay)
	if err != nil {
		return 0, err
	}
	var inserted bool
	err = r.db.Update(ctx, func(tx Tx) (err error) {
		if err := sameRoot(tx, g.RootID); err != nil {
			return err
		}
		if inserted, err = tx.InsertKeyGeneration(g); err != nil || !inserted {
			return err
		}
		return runAll(also, tx, g.Number)
	})
	switch {
	case err != nil:
		return 0, fmt.Errorf("store the new generation: %w", err)
	case !inserted:
		return 0, fmt.Errorf("the keys for %s were rotated by someone else at the same moment; nothing was changed", p)
	}
	return g.Number, r.Refresh(ctx)
}

// Revoke removes every generation of p but the newest: what they sealed will
// never open again. It returns how many were removed. It refuses for purposes
// whose sealed values are kept in the database. also, of which there may be any
// number, runs in the transaction that removes them.
func (r *Ring) Revoke(ctx context.Context, p Purpose, also ...func(tx Tx, removed int) error) (int, error) {
	if p.AtRest() {
		return 0, fmt.Errorf("the keys for %s protect what is stored: revoking them would destroy it", p)
	}
	var removed int
	err := r.db.Update(ctx, func(tx Tx) error {
		removed = 0
		stored, err := tx.KeyGenerations()
		if err != nil {
			return err
		}
		var newest uint32
		for _, g := range stored {
			if g.Purpose == p {
				newest = max(newest, g.Number)
			}
		}
		for _, g := range stored {
			if g.Purpose != p || g.Number == newest {
				continue
			}
			if _, err := tx.DeleteKeyGeneration(p, g.Number); err != nil {
				return err
			}
			removed++
		}
		return runAll(also, tx, removed)
	})
	if err != nil {
		return 0, fmt.Errorf("revoke generations: %w", err)
	}
	return removed, r.Refresh(ctx)
}

func runAll[N any](also []func(Tx, N) error, tx Tx, n N) error {
	for _, f := range also {
		if err := f(tx, n); err != nil {
			return err
		}
	}
	return nil
}
