package keys_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/keys"
)

// memory is a store of generations in which one transaction runs at a time.
type memory struct {
	mu     sync.Mutex
	stored map[place]keys.Generation
	fail   error
}

type place struct {
	purpose keys.Purpose
	number  uint32
}

func (m *memory) View(ctx context.Context, f func(keys.Tx) error) error { return m.Update(ctx, f) }

func (m *memory) Update(_ context.Context, f func(keys.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	if m.stored == nil {
		m.stored = map[place]keys.Generation{}
	}
	before := maps.Clone(m.stored)
	err := f(m)
	if err != nil {
		m.stored = before
	}
	return err
}

func (m *memory) KeyGenerations() ([]keys.Generation, error) {
	return slices.SortedFunc(maps.Values(m.stored), func(a, b keys.Generation) int {
		return strings.Compare(string(a.Purpose), string(b.Purpose))*1000 + int(a.Number) - int(b.Number)
	}), nil
}

func (m *memory) InsertKeyGeneration(g keys.Generation) (bool, error) {
	if _, taken := m.stored[place{g.Purpose, g.Number}]; taken {
		return false, nil
	}
	m.stored[place{g.Purpose, g.Number}] = g
	return true, nil
}

func (m *memory) DeleteKeyGeneration(p keys.Purpose, number uint32) (bool, error) {
	_, found := m.stored[place{p, number}]
	delete(m.stored, place{p, number})
	return found, nil
}

func (m *memory) RewrapKeyGeneration(g keys.Generation) error {
	at := place{g.Purpose, g.Number}
	stored := m.stored[at]
	stored.RootID, stored.Wrapped = g.RootID, g.Wrapped
	m.stored[at] = stored
	return nil
}

func newRoot(t testing.TB, fill byte) *keys.LocalRoot {
	t.Helper()
	root, err := keys.NewRoot(bytes.Repeat([]byte{fill}, keys.RootSize), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func load(t testing.TB, db keys.DB, fill byte) *keys.Ring {
	t.Helper()
	ring, err := keys.Load(t.Context(), db, newRoot(t, fill), time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestSealedValuesOpenOnlyWhereTheyBelong(t *testing.T) {
	db := &memory{}
	ring, other := load(t, db, 1), load(t, &memory{}, 1)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(keys.Purposes()).Draw(t, "purpose")
		plaintext, aad := rapid.SliceOf(rapid.Byte()).Draw(t, "plaintext"), rapid.SliceOf(rapid.Byte()).Draw(t, "aad")
		sealed, err := ring.Seal(p, plaintext, aad)
		if err != nil {
			t.Fatal(err)
		}
		if len(sealed) != len(plaintext)+keys.Overhead {
			t.Fatalf("%d bytes sealed into %d", len(plaintext), len(sealed))
		}
		if got, err := ring.Open(p, sealed, aad); err != nil || !bytes.Equal(got, plaintext) {
			t.Fatalf("Open = %x, %v; want %x", got, err, plaintext)
		}
		refused := func(what string, r *keys.Ring, p keys.Purpose, sealed, aad []byte) {
			if got, err := r.Open(p, sealed, aad); !errors.Is(err, keys.ErrOpen) || got != nil {
				t.Fatalf("%s: Open = %x, %v; want ErrOpen", what, got, err)
			}
		}
		for _, q := range keys.Purposes() {
			if q != p {
				refused("other purpose", ring, q, sealed, aad)
			}
		}
		refused("other aad", ring, p, sealed, append(slices.Clone(aad), 0))
		refused("other installation", other, p, sealed, aad)
		refused("truncated", ring, p, sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "length")], aad)
		refused("extended", ring, p, append(slices.Clone(sealed), 0), aad)
		altered := slices.Clone(sealed)
		altered[rapid.IntRange(0, len(sealed)-1).Draw(t, "position")] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		refused("altered", ring, p, altered, aad)
	})
}

func TestSealingTwiceDiffers(t *testing.T) {
	ring := load(t, &memory{}, 1)
	a, _ := ring.Seal(keys.Cookies, []byte("same"), nil)
	b, _ := ring.Seal(keys.Cookies, []byte("same"), nil)
	if bytes.Equal(a, b) {
		t.Error("two seals of one value are equal")
	}
}

func TestMAC(t *testing.T) {
	ring := load(t, &memory{}, 1)
	tag, err := ring.MAC(keys.AuditDigests, []byte("data"))
	if err != nil {
		t.Fatal(err)
	}
	again, _ := ring.MAC(keys.AuditDigests, []byte("data"))
	if !bytes.Equal(tag, again) {
		t.Error("MAC is not deterministic")
	}
	if err := ring.VerifyMAC(keys.AuditDigests, []byte("data"), tag); err != nil {
		t.Errorf("a good tag was refused: %v", err)
	}
	flipped := slices.Clone(tag)
	flipped[len(flipped)-1] ^= 1
	for name, err := range map[string]error{
		"other data":    ring.VerifyMAC(keys.AuditDigests, []byte("Data"), tag),
		"other purpose": ring.VerifyMAC(keys.Cookies, []byte("data"), tag),
		"altered tag":   ring.VerifyMAC(keys.AuditDigests, []byte("data"), flipped),
		"short tag":     ring.VerifyMAC(keys.AuditDigests, []byte("data"), tag[:20]),
		"no tag":        ring.VerifyMAC(keys.AuditDigests, []byte("data"), nil),
	} {
		if !errors.Is(err, keys.ErrOpen) {
			t.Errorf("%s: %v, want ErrOpen", name, err)
		}
	}
}

func TestDeriveDependsOnEverything(t *testing.T) {
	db := &memory{}
	ring := load(t, db, 1)
	if _, err := ring.Rotate(t.Context(), keys.Sessions, 0); err != nil {
		t.Fatal(err)
	}
	derive := func(p keys.Purpose, generation uint32, info string) string {
		out, err := ring.Derive(p, generation, info, 30)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	base := derive(keys.Sessions, 1, "id")
	if base != derive(keys.Sessions, 1, "id") || len(base) != 30 {
		t.Error("Derive is not deterministic")
	}
	for name, other := range map[string]string{
		"purpose":    derive(keys.Cookies, 1, "id"),
		"generation": derive(keys.Sessions, 2, "id"),
		"info":       derive(keys.Sessions, 1, "ie"),
	} {
		if other == base {
			t.Errorf("Derive ignores the %s", name)
		}
	}
	if _, err := ring.Derive(keys.Sessions, 3, "id", 30); !errors.Is(err, keys.ErrOpen) {
		t.Errorf("unknown generation: %v", err)
	}
}

func TestRotationAndRevocation(t *testing.T) {
	db := &memory{}
	ring := load(t, db, 1)
	old, _ := ring.Seal(keys.Sessions, []byte("old"), nil)
	number, err := ring.Rotate(t.Context(), keys.Sessions, 0)
	if err != nil || number != 2 || ring.Current(keys.Sessions) != 2 {
		t.Fatalf("Rotate = %d, %v; current %d", number, err, ring.Current(keys.Sessions))
	}
	if ring.Current(keys.Cookies) != 1 {
		t.Error("another purpose was rotated too")
	}
	fresh, _ := ring.Seal(keys.Sessions, []byte("new"), nil)
	if keys.SealedBy(old) != 1 || keys.SealedBy(fresh) != 2 {
		t.Errorf("sealed by %d and %d, want 1 and 2", keys.SealedBy(old), keys.SealedBy(fresh))
	}
	if _, err := ring.Open(keys.Sessions, old, nil); err != nil {
		t.Errorf("the older generation no longer opens: %v", err)
	}
	if n, err := ring.Revoke(t.Context(), keys.Sessions); err != nil || n != 1 {
		t.Fatalf("Revoke = %d, %v", n, err)
	}
	if _, err := ring.Open(keys.Sessions, old, nil); !errors.Is(err, keys.ErrOpen) {
		t.Errorf("a revoked generation opens: %v", err)
	}
	if _, err := ring.Open(keys.Sessions, fresh, nil); err != nil {
		t.Errorf("the newest generation was revoked too: %v", err)
	}
	if number, err := ring.Rotate(t.Context(), keys.Sessions, 0); err != nil || number != 3 {
		t.Errorf("after a revocation Rotate = %d, %v; numbers must not be reused", number, err)
	}
	for _, p := range []keys.Purpose{keys.StoredSecrets, keys.Factors, keys.AuditDigests} {
		if _, err := ring.Revoke(t.Context(), p); err == nil {
			t.Errorf("Revoke(%s) would destroy stored data and was not refused", p)
		}
	}
	if _, err := ring.Rotate(t.Context(), "unknown", 0); err == nil {
		t.Error("an unknown purpose was rotated")
	}
}

func TestOtherNodesLearnOfARotationBeforeItSeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &memory{}
		a, b := load(t, db, 1), load(t, db, 1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go b.Follow(ctx, 10*time.Second, func(err error) { t.Error(err) })
		if _, err := a.Rotate(ctx, keys.Sessions, time.Minute); err != nil {
			t.Fatal(err)
		}
		for range 120 {
			sealed, err := a.Seal(keys.Sessions, []byte("x"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Open(keys.Sessions, sealed, nil); err != nil {
				t.Fatalf("generation %d is unknown to the other node", keys.SealedBy(sealed))
			}
			time.Sleep(time.Second)
		}
		if a.Current(keys.Sessions) != 2 || b.Current(keys.Sessions) != 2 {
			t.Error("the new generation never came into use")
		}
		// An emergency rotation without delay, between two looks of the other
		// node: one failure, then it is known.
		time.Sleep(5 * time.Second)
		if _, err := a.Rotate(ctx, keys.Sessions, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		sealed, _ := a.Seal(keys.Sessions, []byte("x"), nil)
		if _, err := b.Open(keys.Sessions, sealed, nil); err == nil {
			t.Fatal("the node cannot have known")
		}
		time.Sleep(time.Second)
		if _, err := b.Open(keys.Sessions, sealed, nil); err != nil {
			t.Error("an unknown generation did not make the node look")
		}
	})
}

func TestFollowReportsFailuresAndKeepsItsKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &memory{}
		ring := load(t, db, 1)
		db.fail = errors.New("database away")
		ctx, cancel := context.WithCancel(t.Context())
		var reports int
		go ring.Follow(ctx, time.Second, func(error) { reports++ })
		time.Sleep(5 * time.Second)
		cancel()
		synctest.Wait()
		if reports == 0 {
			t.Error("the failure was not reported")
		}
		if _, err := ring.Seal(keys.Sessions, nil, nil); err != nil {
			t.Errorf("the keys were lost: %v", err)
		}
	})
}

func TestNodesThatStartTogetherAgree(t *testing.T) {
	db := &memory{}
	rings := make([]*keys.Ring, 8)
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() { rings[i] = load(t, db, 1) })
	}
	wg.Wait()
	for _, p := range keys.Purposes() {
		sealed, err := rings[0].Seal(p, []byte("x"), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range rings {
			if _, err := r.Open(p, sealed, nil); err != nil {
				t.Errorf("node %d has other keys for %s", i, p)
			}
		}
	}
}

func TestWrongRootKeySaysWhatToDo(t *testing.T) {
	db := &memory{}
	load(t, db, 1)
	before := maps.Clone(db.stored)
	_, err := keys.Load(t.Context(), db, newRoot(t, 2), time.Now, rand.Reader)
	if err == nil {
		t.Fatal("a wrong root key was accepted")
	}
	for _, want := range []string{newRoot(t, 1).ID(), newRoot(t, 2).ID(), "configure the root key that this database was created with"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if len(before) != len(db.stored) {
		t.Error("a wrong root key changed the database")
	}
}

func TestMovedOrAlteredGenerationsAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*memory){
		"altered": func(m *memory) {
			g := m.stored[place{keys.Sessions, 1}]
			g.Wrapped = slices.Clone(g.Wrapped)
			g.Wrapped[20] ^= 1
			m.stored[place{keys.Sessions, 1}] = g
		},
		"truncated": func(m *memory) {
			g := m.stored[place{keys.Sessions, 1}]
			g.Wrapped = g.Wrapped[:5]
			m.stored[place{keys.Sessions, 1}] = g
		},
		"other purpose's": func(m *memory) {
			g := m.stored[place{keys.Sessions, 1}]
			g.Wrapped = m.stored[place{keys.Cookies, 1}].Wrapped
			m.stored[place{keys.Sessions, 1}] = g
		},
		"other number's": func(m *memory) {
			g := m.stored[place{keys.Sessions, 1}]
			g.Number = 2
			m.stored[place{keys.Sessions, 2}] = g
		},
	} {
		db := &memory{}
		load(t, db, 1)
		spoil(db)
		_, err := keys.Load(t.Context(), db, newRoot(t, 1), time.Now, rand.Reader)
		if err == nil || !strings.Contains(err.Error(), "altered") {
			t.Errorf("%s: Load = %v, want an error that tells of the alteration", name, err)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	ring := load(b, &memory{}, 1)
	plaintext, aad := make([]byte, 300), []byte("ASIAIOSFODNN7EXAMPLE")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Seal(keys.Sessions, plaintext, aad); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	ring := load(b, &memory{}, 1)
	aad := []byte("ASIAIOSFODNN7EXAMPLE")
	sealed, _ := ring.Seal(keys.Sessions, make([]byte, 300), aad)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Open(keys.Sessions, sealed, aad); err != nil {
			b.Fatal(err)
		}
	}
}
