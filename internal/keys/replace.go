package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrOtherRoot is of a ring whose stored generations are wrapped by another
// root key than the configured one.
var ErrOtherRoot = errors.New("the root key in the configuration is not the one that wraps the database's keys")

// errReplaced is of a change that met another root key than it began with.
var errReplaced = errors.New("the root key was replaced at the same moment; nothing was changed: run the command again")

// Status tells how a ring stands to the root key.
type Status struct {
	// Configured is the id of the root key that Load was given, Stored of the
	// one that wraps what is stored. They differ from when the root key is
	// replaced until the node is started with the new one.
	Configured, Stored string
	// Unreadable is how many stored generations the ring lacks, because it has
	// not their root key. UnreadableFrom is when the first of them seals.
	Unreadable     int
	UnreadableFrom time.Time
}

// Ready returns an error when values that other nodes seal at now do not open
// here.
func (s Status) Ready(now time.Time) error {
	if s.Unreadable == 0 || now.Before(s.UnreadableFrom) {
		return nil
	}
	return fmt.Errorf("%d generations of keys cannot be read: %w", s.Unreadable, s.err())
}

func (s *Status) unreadable(g Generation) {
	if s.Unreadable == 0 || g.Active.Before(s.UnreadableFrom) {
		s.UnreadableFrom = g.Active
	}
	s.Unreadable++
}

func (s Status) err() error {
	return fmt.Errorf("%w: they are wrapped by root key %s, the configured one is %s; configure %s and restart this node, or, when %s is to replace it, run: atrium keys replace-root",
		ErrOtherRoot, s.Stored, s.Configured, s.Stored, s.Configured)
}

// Status tells how the ring stands to the root key, as of the last refresh.
func (r *Ring) Status() Status { return *r.status.Load() }

// missingRootError is of generations that none of the ring's root keys wraps.
type missingRootError struct {
	stored     string
	configured []string
}

func (e *missingRootError) Error() string {
	return fmt.Sprintf("the database's keys are wrapped by root key %s, but the configured root key is %s: configure the root key that this database was created with, or the one that has replaced it (root_key in the configuration); without it what it protects cannot be read",
		e.stored, strings.Join(e.configured, " or "))
}

// Replaced tells what ReplaceRoot did.
type Replaced struct {
	// From and To are the ids of the root keys.
	From, To string
	// Generations is how many were wrapped anew.
	Generations int
}

// ReplaceRoot wraps every generation with next instead of the root key that
// wraps them now, in one transaction, and goes on with it. The keys that seal
// and sign stay the same: rings in memory work on, and what was sealed opens.
// It refuses when next wraps them already. also, of which there may be any
// number, runs in the transaction.
func (r *Ring) ReplaceRoot(ctx context.Context, next Root, also ...func(Tx, Replaced) error) (Replaced, error) {
	stored, err := r.refresh(ctx)
	if err != nil {
		return Replaced{}, err
	}
	done := Replaced{From: r.Status().Stored, To: next.ID(), Generations: len(stored)}
	if done.From == done.To {
		return Replaced{}, fmt.Errorf("root key %s wraps the database's keys already: give a new one", done.To)
	}
	wrapped := make([]Generation, len(stored))
	for i, g := range stored {
		if wrapped[i], err = r.rewrap(ctx, g, next); err != nil {
			return Replaced{}, err
		}
	}
	err = r.db.Update(ctx, func(tx Tx) error {
		if err := unchanged(tx, stored); err != nil {
			return err
		}
		for _, g := range wrapped {
			if err := tx.RewrapKeyGeneration(g); err != nil {
				return err
			}
		}
		return runAll(also, tx, done)
	})
	if err != nil {
		return Replaced{}, fmt.Errorf("replace the root key: %w", err)
	}
	r.learn(next)
	return done, r.Refresh(ctx)
}

// rewrap returns g wrapped by next, having seen that next gives its key back.
func (r *Ring) rewrap(ctx context.Context, g Generation, next Root) (Generation, error) {
	root := r.rootNamed(g.RootID)
	if root == nil {
		return Generation{}, &missingRootError{stored: g.RootID, configured: r.rootIDs()}
	}
	key, err := unwrap(ctx, root, g)
	if err != nil {
		return Generation{}, err
	}
	out, err := wrap(ctx, next, g, key)
	if err != nil {
		return Generation{}, err
	}
	again, err := unwrap(ctx, next, out)
	if err != nil || !bytes.Equal(again, key) {
		return Generation{}, fmt.Errorf("root key %s does not give back what it wraps: nothing was changed", next.ID())
	}
	return out, nil
}

// unchanged returns errReplaced unless the generations are still as they were.
func unchanged(tx Tx, before []Generation) error {
	now, err := tx.KeyGenerations()
	if err != nil {
		return err
	}
	if len(now) != len(before) {
		return errReplaced
	}
	for i, g := range now {
		if b := before[i]; g.Purpose != b.Purpose || g.Number != b.Number || !bytes.Equal(g.Wrapped, b.Wrapped) {
			return errReplaced
		}
	}
	return nil
}

// sameRoot returns errReplaced when a generation is wrapped by another root key
// than id.
func sameRoot(tx Tx, id string) error {
	stored, err := tx.KeyGenerations()
	if err != nil {
		return err
	}
	for _, g := range stored {
		if g.RootID != id {
			return errReplaced
		}
	}
	return nil
}

// rootNamed returns the root key with an id; nil when the ring has none.
func (r *Ring) rootNamed(id string) Root {
	for _, root := range *r.roots.Load() {
		if root.ID() == id {
			return root
		}
	}
	return nil
}

func (r *Ring) rootIDs() (ids []string) {
	for _, root := range *r.roots.Load() {
		ids = append(ids, root.ID())
	}
	return ids
}

// learn adds a root key to those that the ring has.
func (r *Ring) learn(root Root) {
	for {
		before := r.roots.Load()
		if r.rootNamed(root.ID()) != nil {
			return
		}
		after := append(append([]Root(nil), *before...), root)
		if r.roots.CompareAndSwap(before, &after) {
			return
		}
	}
}
