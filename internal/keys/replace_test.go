package keys_test

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// roots returns by which root keys the stored generations are wrapped.
func roots(t *testing.T, db keys.DB) map[string]int {
	t.Helper()
	var found map[string]int
	err := db.View(t.Context(), func(tx keys.Tx) error {
		found = map[string]int{}
		stored, err := tx.KeyGenerations()
		for _, g := range stored {
			found[g.RootID]++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestReplacingTheRootKey wraps the generations anew, on both engines: what was
// sealed opens with the new root key, and the old one is told what is missing.
func TestReplacingTheRootKey(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		db := store.Bind[keys.Tx](s)
		ring := load(t, db, 1)
		old, next := newRoot(t, 1), newRoot(t, 2)
		if _, err := ring.Rotate(t.Context(), keys.Factors, 0); err != nil {
			t.Fatal(err)
		}
		sealed := map[keys.Purpose][]byte{}
		for _, p := range keys.Purposes() {
			sealed[p], _ = ring.Seal(p, []byte("kept"), nil)
		}
		n := len(keys.Purposes()) + 1
		var told keys.Replaced
		done, err := ring.ReplaceRoot(t.Context(), next, func(_ keys.Tx, r keys.Replaced) error { told = r; return nil })
		want := keys.Replaced{From: old.ID(), To: next.ID(), Generations: n}
		if err != nil || done != want || told != want {
			t.Fatalf("ReplaceRoot = %+v (its transaction was told %+v), %v", done, told, err)
		}
		if diff := cmp.Diff(map[string]int{next.ID(): n}, roots(t, db)); diff != "" {
			t.Errorf("generations by root key (-want +got):\n%s", diff)
		}
		for _, r := range []*keys.Ring{ring, load(t, db, 2)} {
			for p, value := range sealed {
				if got, err := r.Open(p, value, nil); err != nil || string(got) != "kept" {
					t.Errorf("%s: %q, %v", p, got, err)
				}
			}
		}
		_, err = keys.Load(t.Context(), db, old, time.Now, rand.Reader)
		if err == nil || !strings.Contains(err.Error(), "wrapped by root key "+next.ID()) || !strings.Contains(err.Error(), "configured root key is "+old.ID()) {
			t.Errorf("Load with the old root key: %v; want it to name both", err)
		}
		// It goes on with the new one.
		if _, err := ring.Rotate(t.Context(), keys.Sessions, 0); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(map[string]int{next.ID(): n + 1}, roots(t, db)); diff != "" {
			t.Errorf("after rotating (-want +got):\n%s", diff)
		}
	})
}

func TestReplacingTheRootKeyWithItselfIsRefused(t *testing.T) {
	db := &memory{}
	ring := load(t, db, 1)
	before := maps.Clone(db.stored)
	if _, err := ring.ReplaceRoot(t.Context(), newRoot(t, 1)); err == nil || !strings.Contains(err.Error(), "give a new one") {
		t.Errorf("ReplaceRoot = %v", err)
	}
	if diff := cmp.Diff(before, db.stored); diff != "" {
		t.Errorf("something changed:\n%s", diff)
	}
}

// broken is a root key that does not give back what it wraps.
type broken struct{ keys.Root }

func (b broken) Unwrap(ctx context.Context, wrapped, binding []byte) ([]byte, error) {
	key, err := b.Root.Unwrap(ctx, wrapped, binding)
	if err == nil {
		key[0] ^= 1
	}
	return key, err
}

// TestReplacingTheRootKeyIsAllOrNothing fails a replacement at its end and by a
// root key that is of no use.
func TestReplacingTheRootKeyIsAllOrNothing(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		db := store.Bind[keys.Tx](s)
		ring := load(t, db, 1)
		want := map[string]int{newRoot(t, 1).ID(): len(keys.Purposes())}
		stop := errors.New("the record cannot be written")
		if _, err := ring.ReplaceRoot(t.Context(), newRoot(t, 2), func(keys.Tx, keys.Replaced) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("ReplaceRoot = %v", err)
		}
		if _, err := ring.ReplaceRoot(t.Context(), broken{newRoot(t, 2)}); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("ReplaceRoot with a root key that is broken = %v", err)
		}
		if diff := cmp.Diff(want, roots(t, db)); diff != "" {
			t.Errorf("generations by root key (-want +got):\n%s", diff)
		}
		load(t, db, 1)
	})
}

// TestNodesGoOnWhenTheRootKeyIsReplaced expects a node with the old root key to
// work with what it has in memory, to add nothing, and to say so.
func TestNodesGoOnWhenTheRootKeyIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, db := t.Context(), &memory{}
		node, other := load(t, db, 1), load(t, db, 1)
		sealed, _ := node.Seal(keys.Factors, []byte("x"), nil)
		var reports []error
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go node.Follow(ctx, 10*time.Second, func(err error) { reports = append(reports, err) })
		if _, err := other.ReplaceRoot(ctx, newRoot(t, 2)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		s := node.Status()
		if s.Configured != newRoot(t, 1).ID() || s.Stored != newRoot(t, 2).ID() || s.Unreadable != 0 || s.Ready(time.Now()) != nil {
			t.Errorf("status %+v", s)
		}
		if len(reports) != 1 || !errors.Is(reports[0], keys.ErrOtherRoot) {
			t.Errorf("reports %v, want one that names both root keys", reports)
		}
		if _, err := node.Open(keys.Factors, sealed, nil); err != nil {
			t.Errorf("what was sealed: %v", err)
		}
		if _, err := node.Seal(keys.Factors, nil, nil); err != nil {
			t.Error(err)
		}
		if _, err := node.Rotate(ctx, keys.Factors, 0); err == nil || !strings.Contains(err.Error(), newRoot(t, 2).ID()) {
			t.Errorf("Rotate wrapped with the old root key, or did not say which one is missing: %v", err)
		}
		if n := roots(t, db)[newRoot(t, 1).ID()]; n != 0 {
			t.Errorf("%d generations are wrapped by the old root key", n)
		}
		// What others add it cannot read: from when they use it, it is not ready.
		if _, err := other.Rotate(ctx, keys.Sessions, time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := node.Refresh(ctx); err == nil {
			t.Error("a generation that cannot be read was taken over")
		}
		if s := node.Status(); s.Unreadable != 1 || s.Ready(time.Now()) != nil || s.Ready(time.Now().Add(time.Minute)) == nil {
			t.Errorf("status %+v", s)
		}
		// What others revoke it gives up, all the same.
		token, _ := node.Seal(keys.Cookies, nil, nil)
		if _, err := other.Rotate(ctx, keys.Cookies, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Revoke(ctx, keys.Cookies); err != nil {
			t.Fatal(err)
		}
		if err := node.Refresh(ctx); err == nil {
			t.Error("a generation that cannot be read was taken over")
		}
		if _, err := node.Open(keys.Cookies, token, nil); err == nil {
			t.Error("what was revoked still opens")
		}
	})
}

// TestARollingChangeOfTheRootKey starts nodes with both root keys before and
// after the replacement: each of them reads and adds generations throughout.
func TestARollingChangeOfTheRootKey(t *testing.T) {
	db := &memory{}
	first := load(t, db, 1)
	both := func() *keys.Ring {
		t.Helper()
		r, err := keys.Load(t.Context(), db, newRoot(t, 2), time.Now, rand.Reader, newRoot(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	early := both()
	if s := early.Status(); s.Configured != newRoot(t, 2).ID() || s.Stored != newRoot(t, 1).ID() {
		t.Errorf("status %+v", s)
	}
	if _, err := early.Rotate(t.Context(), keys.Sessions, 0); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{newRoot(t, 1).ID(): len(keys.Purposes()) + 1}, roots(t, db)); diff != "" {
		t.Errorf("before the replacement (-want +got):\n%s", diff)
	}
	if err := first.Refresh(t.Context()); err != nil {
		t.Errorf("a node with the old root key alone: %v", err)
	}
	if _, err := early.ReplaceRoot(t.Context(), newRoot(t, 2)); err != nil {
		t.Fatal(err)
	}
	if s := early.Status(); s.Configured != s.Stored {
		t.Errorf("status %+v", s)
	}
	late := both()
	if _, err := late.Rotate(t.Context(), keys.Sessions, 0); err != nil {
		t.Fatal(err)
	}
	if err := early.Refresh(t.Context()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]int{newRoot(t, 2).ID(): len(keys.Purposes()) + 2}, roots(t, db)); diff != "" {
		t.Errorf("after the replacement (-want +got):\n%s", diff)
	}
}

// TestReplacingAndRotatingAtOnce lets nodes replace the root key and rotate at
// the same moment: one root key wraps everything in the end.
func TestReplacingAndRotatingAtOnce(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		db := store.Bind[keys.Tx](s)
		var nodes []*keys.Ring
		for range 4 {
			nodes = append(nodes, load(t, db, 1))
		}
		replacements := []keys.Root{newRoot(t, 2), newRoot(t, 3)}
		var wg sync.WaitGroup
		for i, node := range nodes {
			wg.Go(func() {
				if i < len(replacements) {
					// A rotation at the same moment makes it fail: it ends when no
					// other is under way, or when the other replacement was first.
					for range 20 {
						if _, err := node.ReplaceRoot(t.Context(), replacements[i]); err == nil {
							return
						}
					}
					return
				}
				for range 5 {
					_, _ = node.Rotate(t.Context(), keys.Sessions, 0) // refused once the root key is another
				}
			})
		}
		wg.Wait()
		found := roots(t, db)
		if len(found) != 1 {
			t.Errorf("the generations are wrapped by several root keys: %v", found)
		}
		if found[newRoot(t, 1).ID()] != 0 {
			t.Error("nobody replaced the root key")
		}
	})
}
