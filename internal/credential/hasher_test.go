package credential_test

import (
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/fault"
)

// cheap are parameters for tests.
var cheap = credential.Parameters{Memory: 8, Passes: 1, Lanes: 1}

func newHasher() *credential.Hasher { return credential.NewHasher(cheap, 2, rand.Reader) }

func TestHashMatchesItsPasswordOnly(t *testing.T) {
	h := newHasher()
	rapid.Check(t, func(t *rapid.T) {
		password, other := rapid.String().Draw(t, "password"), rapid.String().Draw(t, "other")
		encoded, err := h.Hash(context.Background(), password)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(encoded, password) && len(password) > 8 {
			t.Fatalf("the hash %q contains the password", encoded)
		}
		for candidate, want := range map[string]bool{password: true, other: credential.Normal(other) == credential.Normal(password)} {
			if got, err := h.Matches(context.Background(), encoded, candidate); err != nil || got != want {
				t.Fatalf("Matches(%q) of %q = %t, %v; want %t", candidate, password, got, err, want)
			}
		}
	})
}

func TestHashIsSaltedAndNamesItsParameters(t *testing.T) {
	h := newHasher()
	first, err := h.Hash(t.Context(), "Correct-Horse-7")
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.Hash(t.Context(), "Correct-Horse-7")
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Error("two hashes of one password are equal")
	}
	if want := "$argon2id$v=19$m=8,t=1,p=1,form=nfkc$"; !strings.HasPrefix(first, want) {
		t.Errorf("hash %q does not begin with %q", first, want)
	}
}

// TestReadsPHC checks a hash that was made by the primitive itself.
func TestReadsPHC(t *testing.T) {
	sum := argon2.IDKey([]byte("pässword"), []byte("somesaltsomesalt"), 3, 64, 2, 32)
	encoded := "$argon2id$v=19$m=64,t=3,p=2$" + rawBase64([]byte("somesaltsomesalt")) + "$" + rawBase64(sum)
	h := newHasher()
	if ok, err := h.Matches(t.Context(), encoded, "pässword"); err != nil || !ok {
		t.Errorf("Matches = %t, %v", ok, err)
	}
	if !h.Outdated(encoded) {
		t.Error("a hash of other parameters is not outdated")
	}
	own, err := h.Hash(t.Context(), "x")
	if err != nil || h.Outdated(own) {
		t.Errorf("an own hash is outdated (%v)", err)
	}
}

func TestDamagedHashes(t *testing.T) {
	h := newHasher()
	good, err := h.Hash(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"x", "$argon2id$v=19$m=8,t=1,p=1$AAAA", strings.Replace(good, "argon2id", "argon2i", 1),
		strings.Replace(good, "v=19", "v=16", 1), strings.Replace(good, "m=8", "m=99999999", 1),
		strings.Replace(good, "t=1", "t=0", 1), strings.Replace(good, "p=1", "p=0", 1), good[:len(good)-4], good + "=",
	} {
		if ok, err := h.Matches(t.Context(), bad, "x"); ok || err == nil {
			t.Errorf("Matches with %q = %t, %v; want an error", bad, ok, err)
		}
	}
}

func TestNobodyHasNoPassword(t *testing.T) {
	h := newHasher()
	for _, guess := range []string{"", "x", strings.Repeat("\x00", 32)} {
		if ok, err := h.Matches(t.Context(), "", guess); ok || err != nil {
			t.Errorf("Matches of nobody with %q = %t, %v", guess, ok, err)
		}
	}
}

// TestOverload fills every slot and the places to wait for one.
func TestOverload(t *testing.T) {
	reading := make(chan struct{})
	h := credential.NewHasher(credential.Parameters{Memory: 64 << 10, Passes: 4, Lanes: 1}, 1, rand.Reader)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const callers = 200
	results := make(chan error, callers)
	for range callers {
		go func() {
			<-reading
			_, err := h.Matches(ctx, "", "x")
			results <- err
		}()
	}
	close(reading)
	refused := 0
	for range callers {
		switch err := <-results; {
		case fault.Is(err, fault.Unavailable):
			refused++
			if refused == callers-65 { // one slot and 64 places
				cancel()
			}
		case err != nil && !errors.Is(err, context.Canceled):
			t.Errorf("unexpected error %v", err)
		}
	}
	if refused < callers-66 {
		t.Errorf("%d of %d callers were refused; want all but those that run or wait", refused, callers)
	}
}

// BenchmarkHash is what a password costs, with one caller at a time and with as
// many as there are processors.
func BenchmarkHash(b *testing.B) {
	h := credential.NewHasher(credential.Recommended(), runtime.GOMAXPROCS(0), rand.Reader)
	hash := func() {
		if _, err := h.Hash(context.Background(), "Vt7-kelp-Moon"); err != nil {
			b.Error(err)
		}
	}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			hash()
		}
	})
	b.Run("many", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				hash()
			}
		})
	})
}
