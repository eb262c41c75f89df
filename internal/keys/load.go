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

// Load returns the ring of the generations in db, unwrapped by root or by one
// of others: root keys that root is to replace, or has replaced. A purpose
// without any gets its first one, so that a node has keys before it serves;
// nodes that start together agree on one. now and rand must be safe for
// concurrent use.
func Load(ctx context.Context, db DB, root Root, now func() time.Time, rand io.Reader, others ...Root) (*Ring, error) {
	r := &Ring{db: db, configured: root.ID(), now: now, rand: rand, wake: make(chan struct{}, 1)}
	r.keys.Store(&map[Purpose]series{})
	r.status.Store(&Status{Configured: r.configured})
	r.roots.Store(&[]Root{root})
	for _, o := range others {
		r.learn(o)
	}
	for range attempts {
		// Unwrap first: a wrong root key must not add generations of its own.
		stored, err := r.refresh(ctx)
		if err != nil {
			return nil, err
		}
		first, err := r.missing(ctx, stored)
		if err != nil {
			return nil, err
		}
		if len(first) == 0 {
			return r, nil
		}
		if err := r.add(ctx, first); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the keys in the database are being changed again and again: try again")
}

// attempts is how often Load looks at what other nodes changed meanwhile.
const attempts = 3

// add stores first generations. Another node may have been first, perhaps with
// another root key: what is stored counts.
func (r *Ring) add(ctx context.Context, first []Generation) error {
	err := r.db.Update(ctx, func(tx Tx) error {
		if err := sameRoot(tx, first[0].RootID); err != nil {
			if errors.Is(err, errReplaced) {
				return nil
			}
			return err
		}
		for _, g := range first {
			if _, err := tx.InsertKeyGeneration(g); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store the first key generations: %w", err)
	}
	return nil
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
// or revoked. Those that it cannot read, because another root key wraps them,
// are an error; the others are taken over all the same. On any other failure
// the ring stays as it was.
func (r *Ring) Refresh(ctx context.Context) error {
	_, err := r.refresh(ctx)
	return err
}

func (r *Ring) refresh(ctx context.Context) ([]Generation, error) {
	stored, err := r.stored(ctx)
	if err != nil {
		return nil, err
	}
	return stored, r.adopt(ctx, stored)
}

// Follow refreshes the ring every interval, and soon after a value named a
// generation that is unknown here, until ctx ends. Failures go to report, and
// once, as ErrOtherRoot, that the root key was replaced.
// interval must be shorter than the delay given to Rotate, or other nodes
// would seal with a generation that this one does not know yet.
func (r *Ring) Follow(ctx context.Context, interval time.Duration, report func(error)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var told string
	for {
		if s := r.Status(); s.Stored != told {
			if told = s.Stored; s.Stored != s.Configured {
				report(s.err())
			}
		}
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
	next, status := make(map[Purpose]series), Status{Configured: r.configured, Stored: r.configured}
	var unreadable error
	for _, g := range stored {
		m, err := r.material(ctx, g)
		var missing *missingRootError
		switch {
		case errors.As(err, &missing):
			status.unreadable(g)
			if unreadable == nil {
				unreadable = err
			}
		case err != nil:
			return err
		default:
			next[g.Purpose] = append(next[g.Purpose], m)
		}
		status.Stored = g.RootID // one root key wraps them all
	}
	for _, s := range next {
		slices.SortFunc(s, func(a, b *material) int { return int(b.Number) - int(a.Number) })
	}
	r.keys.Store(&next)
	r.status.Store(&status)
	return unreadable
}

// material returns the keys of g: those that the ring has, or g unwrapped.
func (r *Ring) material(ctx context.Context, g Generation) (*material, error) {
	known := r.series(g.Purpose).number(g.Number)
	if known != nil && bytes.Equal(known.Wrapped, g.Wrapped) && known.Active.Equal(g.Active) {
		return known, nil
	}
	m, err := r.unwrap(ctx, g)
	var missing *missingRootError
	if known != nil && errors.As(err, &missing) {
		// The root key was replaced. The generation is still the one in memory:
		// numbers are not reused.
		kept := *known
		kept.Generation = g
		return &kept, nil
	}
	return m, err
}

func (r *Ring) unwrap(ctx context.Context, g Generation) (*material, error) {
	root := r.rootNamed(g.RootID)
	if root == nil {
		return nil, &missingRootError{stored: g.RootID, configured: r.rootIDs()}
	}
	key, err := unwrap(ctx, root, g)
	if err != nil {
		return nil, err
	}
	return newMaterial(g, key)
}

func unwrap(ctx context.Context, root Root, g Generation) ([]byte, error) {
	key, err := root.Unwrap(ctx, g.Wrapped, binding(g.Purpose, g.Number))
	if errors.Is(err, ErrOpen) {
		return nil, fmt.Errorf("generation %d of the keys for %s has been altered in the database (root key %s is the right one): restore the database from a backup", g.Number, g.Purpose, g.RootID)
	}
	if err != nil {
		return nil, fmt.Errorf("unwrap generation %d of the keys for %s: %w", g.Number, g.Purpose, err)
	}
	return key, nil
}

// generate makes a generation, wrapped by the root key that wraps what is
// stored.
func (r *Ring) generate(ctx context.Context, p Purpose, number uint32, delay time.Duration) (Generation, error) {
	root := r.rootNamed(r.Status().Stored)
	if root == nil {
		return Generation{}, &missingRootError{stored: r.Status().Stored, configured: r.rootIDs()}
	}
	key := make([]byte, keySize)
	if _, err := io.ReadFull(r.rand, key); err != nil {
		return Generation{}, fmt.Errorf("make a key: %w", err)
	}
	now := r.now().UTC().Truncate(time.Millisecond)
	return wrap(ctx, root, Generation{Purpose: p, Number: number, Created: now, Active: now.Add(delay)}, key)
}

// wrap returns g with key, wrapped by root.
func wrap(ctx context.Context, root Root, g Generation, key []byte) (Generation, error) {
	wrapped, err := root.Wrap(ctx, key, binding(g.Purpose, g.Number))
	if err != nil {
		return Generation{}, fmt.Errorf("wrap a key: %w", err)
	}
	g.RootID, g.Wrapped = root.ID(), wrapped
	return g, nil
}

// binding ties a wrapped key to its place: moved to another purpose or number
// in the database, it does not unwrap.
func binding(p Purpose, number uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte("atrium key generation v1 "+string(p)+"\x00"), number)
}
