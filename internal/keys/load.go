package keys

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Load returns the ring of the generations in db, unwrapped by root. A
// purpose without any gets its first one, so that a node has keys before it
// serves; nodes that start together agree on one. now and rand must be safe
// for concurrent use.
func Load(ctx context.Context, db DB, root Root, now func() time.Time, rand io.Reader) (*Ring, error) {
	r := &Ring{db: db, root: root, now: now, rand: rand, wake: make(chan struct{}, 1)}
	r.keys.Store(&map[Purpose]series{})
	stored, err := r.stored(ctx)
	if err != nil {
		return nil, err
	}
	// Unwrap first: a wrong root key must not add generations of its own.
	if err := r.adopt(ctx, stored); err != nil {
		return nil, err
	}
	first, err := r.missing(ctx, stored)
	if err != nil || len(first) == 0 {
		return r, err
	}
	err = db.Update(ctx, func(tx Tx) error {
		for _, g := range first {
			if _, err := tx.InsertKeyGeneration(g); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store the first key generations: %w", err)
	}
	// Another node may have been first: what is stored counts.
	return r, r.Refresh(ctx)
}

// missing makes a first generation for each purpose that stored lacks.
func (r *Ring) missing(ctx context.Context, stored []Generation) ([]Generation, error) {
	var first []Generation
	for _, p := range Purposes() {
		if slices.ContainsFunc(stored, func(g Generation) bool { return g.Purpose == p }) {
			continue
		}
		g, err := r.generate(ctx, p, 1, 0)
		if err != nil {
			return nil, err
		}
		first = append(first, g)
	}
	return first, nil
}

// Refresh takes over what is stored now: generations that another node added
// or revoked. On failure the ring stays as it was.
func (r *Ring) Refresh(ctx context.Context) error {
	stored, err := r.stored(ctx)
	if err != nil {
		return err
	}
	return r.adopt(ctx, stored)
}

// Follow refreshes the ring every interval, and soon after a value named a
// generation that is unknown here, until ctx ends. Failures go to report.
// interval must be shorter than the delay given to Rotate, or other nodes
// would seal with a generation that this one does not know yet.
func (r *Ring) Follow(ctx context.Context, interval time.Duration, report func(error)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-r.wake:
		}
		if err := r.Refresh(ctx); err != nil && ctx.Err() == nil {
			report(fmt.Errorf("refresh the keys: %w", err))
		}
		// A flood of forged values asks for one refresh a second, no more.
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(time.Second, interval)):
		}
	}
}

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

func (r *Ring) stored(ctx context.Context) ([]Generation, error) {
	var stored []Generation
	err := r.db.View(ctx, func(tx Tx) (err error) {
		stored, err = tx.KeyGenerations()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the key generations: %w", err)
	}
	return stored, nil
}

// adopt unwraps what is new in stored and makes it the ring's content.
func (r *Ring) adopt(ctx context.Context, stored []Generation) error {
	next := make(map[Purpose]series)
	for _, g := range stored {
		m := r.series(g.Purpose).number(g.Number)
		if m == nil || !bytes.Equal(m.Wrapped, g.Wrapped) || !m.Active.Equal(g.Active) {
			var err error
			if m, err = r.unwrap(ctx, g); err != nil {
				return err
			}
		}
		next[g.Purpose] = append(next[g.Purpose], m)
	}
	for _, s := range next {
		slices.SortFunc(s, func(a, b *material) int { return int(b.Number) - int(a.Number) })
	}
	r.keys.Store(&next)
	return nil
}

func (r *Ring) unwrap(ctx context.Context, g Generation) (*material, error) {
	if g.RootID != r.root.ID() {
		return nil, fmt.Errorf("the database's keys are wrapped by root key %s, but the configured root key is %s: configure the root key that this database was created with (root_key in the configuration); without it what it protects cannot be read", g.RootID, r.root.ID())
	}
	key, err := r.root.Unwrap(ctx, g.Wrapped, binding(g.Purpose, g.Number))
	if errors.Is(err, ErrOpen) {
		return nil, fmt.Errorf("generation %d of the keys for %s has been altered in the database (root key %s is the right one): restore the database from a backup", g.Number, g.Purpose, g.RootID)
	}
	if err != nil {
		return nil, fmt.Errorf("unwrap generation %d of the keys for %s: %w", g.Number, g.Purpose, err)
	}
	return newMaterial(g, key)
}

func (r *Ring) generate(ctx context.Context, p Purpose, number uint32, delay time.Duration) (Generation, error) {
	key := make([]byte, keySize)
	if _, err := io.ReadFull(r.rand, key); err != nil {
		return Generation{}, fmt.Errorf("make a key: %w", err)
	}
	wrapped, err := r.root.Wrap(ctx, key, binding(p, number))
	if err != nil {
		return Generation{}, fmt.Errorf("wrap a key: %w", err)
	}
	now := r.now().UTC().Truncate(time.Millisecond)
	return Generation{Purpose: p, Number: number, RootID: r.root.ID(), Wrapped: wrapped, Created: now, Active: now.Add(delay)}, nil
}

// binding ties a wrapped key to its place: moved to another purpose or number
// in the database, it does not unwrap.
func binding(p Purpose, number uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte("atrium key generation v1 "+string(p)+"\x00"), number)
}
