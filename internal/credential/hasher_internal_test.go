package credential

import (
	"crypto/rand"
	"testing"
)

// TestWorkIsTheSame counts what is computed for a password: it depends on how
// the password was typed, never on whose it is, whether there is one, or how it
// is stored.
func TestWorkIsTheSame(t *testing.T) {
	h := NewHasher(Parameters{Memory: 8, Passes: 1, Lanes: 1}, 1, rand.Reader)
	computed, derive := 0, h.key
	h.key = func(text string, d digest) []byte {
		computed++
		return derive(text, d)
	}
	const plain, typed = "Plain-Ascii-7", "Gru\u0308ne-A\u0308pfel-7"
	old := digest{Parameters: h.parameters, salt: make([]byte, saltSize)}
	old.sum = derive(typed, old)
	hash := func(password string) string {
		encoded, err := h.Hash(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		return encoded
	}
	stored := map[string]string{"nobody": "", "somebody else": hash("Another-1"), "normal form": hash(typed), "plain": hash(plain), "as it was typed": old.String()}
	for password, want := range map[string]int{plain: 1, typed: 2} {
		for name, encoded := range stored {
			computed = 0
			if _, err := h.Matches(t.Context(), encoded, password); err != nil {
				t.Fatal(err)
			}
			if computed != want {
				t.Errorf("%+q, %s: %d computed, want %d", password, name, computed, want)
			}
		}
	}
}
