package keys

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Settled is how long after a generation has begun to seal older ones may still
// be used: by a node whose clock is behind or that has not learned of it yet,
// and by what was sealed and not stored.
const Settled = 5 * time.Minute

// Superseded is a generation in whose place a newer one seals.
type Superseded struct {
	Number uint32
	// Since is when the newer one began. From Settled after it, nobody seals
	// with this one.
	Since time.Time
}

// Over reports whether nobody seals with it any more.
func (s Superseded) Over(now time.Time) bool { return !now.Before(s.Since.Add(Settled)) }

// Superseded returns the generations of p that are older than the one which
// seals now, oldest first.
func (r *Ring) Superseded(p Purpose) []Superseded {
	generations := r.series(p)
	current := generations.current(r.now())
	if current == nil {
		return nil
	}
	var out []Superseded
	for i, m := range generations { // newest first
		if m.Number < current.Number {
			out = append(out, Superseded{Number: m.Number, Since: generations[i-1].Active})
		}
	}
	slices.Reverse(out)
	return out
}

// Since returns from when the generation that seals for p now does so; the zero
// time when p has none.
func (r *Ring) Since(p Purpose) time.Time {
	if m := r.series(p).current(r.now()); m != nil {
		return m.Active
	}
	return time.Time{}
}

// Next returns the newest generation of p when it does not seal yet, and from
// when it does; 0 when there is none such.
func (r *Ring) Next(p Purpose) (number uint32, from time.Time) {
	s := r.series(p)
	if current := s.current(r.now()); current == nil || s[0].Number <= current.Number {
		return 0, time.Time{}
	}
	return s[0].Number, s[0].Active
}

// Remove removes superseded generations of p for good: what they sealed never
// opens again. The caller has seen that nothing they sealed is left. It refuses
// those that may still be in use. also, of which there may be any number, runs
// in the transaction.
func (r *Ring) Remove(ctx context.Context, p Purpose, numbers []uint32, also ...func(Tx, []uint32) error) error {
	now := r.now()
	for _, n := range numbers {
		over := func(s Superseded) bool { return s.Number == n && s.Over(now) }
		if !slices.ContainsFunc(r.Superseded(p), over) {
			return fmt.Errorf("generation %d of the keys for %s may still be in use", n, p)
		}
	}
	err := r.db.Update(ctx, func(tx Tx) error {
		for _, n := range numbers {
			if _, err := tx.DeleteKeyGeneration(p, n); err != nil {
				return err
			}
		}
		return runAll(also, tx, numbers)
	})
	if err != nil {
		return fmt.Errorf("remove generations: %w", err)
	}
	return r.Refresh(ctx)
}
