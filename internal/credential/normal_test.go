package credential_test

import (
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/fault"
)

// The same password as different keyboards type it.
const (
	composed   = "Gr\u00fcne-\u00c4pfel-7"
	decomposed = "Gru\u0308ne-A\u0308pfel-7"
	wide       = "Gr\u00fcne\uff0d\u00c4pfel\uff0d\uff17"
)

// typedHash returns the hash of a password as it was typed, as hashes were made
// once.
func typedHash(password string) string {
	salt := []byte("somesaltsomesalt")
	sum := argon2.IDKey([]byte(password), salt, cheap.Passes, cheap.Memory, cheap.Lanes, 32)
	return "$argon2id$v=19$m=8,t=1,p=1$" + rawBase64(salt) + "$" + rawBase64(sum)
}

func TestOnePasswordHasOneForm(t *testing.T) {
	h := newHasher()
	forms := []string{composed, decomposed, wide}
	for _, chosen := range forms {
		hash, err := h.Hash(t.Context(), chosen)
		if err != nil {
			t.Fatal(err)
		}
		if h.Outdated(hash) {
			t.Error("a new hash is outdated")
		}
		for _, typed := range append(forms, "Grune-Apfel-7") {
			want := typed != "Grune-Apfel-7"
			if got, err := h.Matches(t.Context(), hash, typed); err != nil || got != want {
				t.Errorf("chosen %+q, typed %+q: %t, %v; want %t", chosen, typed, got, err, want)
			}
			if reused, err := credential.Reused(t.Context(), h, credential.Password{Hash: "", Earlier: []string{hash}}, typed); err != nil || reused != want {
				t.Errorf("chosen %+q again as %+q: %t, %v; want %t", chosen, typed, reused, err, want)
			}
		}
	}
}

// TestOldHashesWork checks hashes of what was typed.
func TestOldHashesWork(t *testing.T) {
	h := newHasher()
	for _, c := range []struct {
		chosen, typed string
		want          bool
	}{
		{"Plain-Ascii-7", "Plain-Ascii-7", true},
		{composed, composed, true},
		{composed, decomposed, true}, // which never worked before
		{decomposed, decomposed, true},
		{wide, wide, true},
		{decomposed, composed, false}, // nor did this, and it cannot be known
		{composed, "Grune-Apfel-7", false},
	} {
		hash := typedHash(c.chosen)
		if got, err := h.Matches(t.Context(), hash, c.typed); err != nil || got != c.want {
			t.Errorf("chosen %+q, typed %+q: %t, %v; want %t", c.chosen, c.typed, got, err, c.want)
		}
		if !h.Outdated(hash) {
			t.Error("the hash of what was typed is not outdated")
		}
	}
	// A new hash is of the normal form only.
	forged := strings.Replace(typedHash(decomposed), "p=1$", "p=1,form=nfkc$", 1)
	if got, err := h.Matches(t.Context(), forged, decomposed); err != nil || got {
		t.Errorf("a new hash matches what was typed: %t, %v", got, err)
	}
}

// TestRulesAreAboutTheNormalForm counts characters, and looks for kinds and
// words, in the normal form.
func TestRulesAreAboutTheNormalForm(t *testing.T) {
	for password, reason := range map[string]string{
		composed:                         "",
		decomposed:                       "",
		wide:                             "",
		norm.NFD.String("aB3$éöü"):       credential.ReasonLength, // seven, of ten code points
		norm.NFD.String("aB3$éöüß"):      "",
		"\ufdfa\ufdfa\ufdfa\ufdfa-aB3":   credential.ReasonLength, // each of which is eighteen
		"\uff30assword\uff11\uff01":      credential.ReasonCommon,
		"\uff41\uff22\uff13\uff04efgh-x": "",
	} {
		err := credential.Check(password)
		e, _ := err.(*fault.Error)
		if reason == "" && err != nil || reason != "" && (e == nil || e.Reason != reason) {
			t.Errorf("Check(%+q) = %v, want %q", password, err, reason)
		}
	}
	if err := credential.Check("Jose\u0301-Mu\u0308ller1!", "Jos\u00e9 M\u00fcller"); err == nil {
		t.Error("a name is accepted that was typed in another form")
	}
}

// published is a list of breached passwords.
type published []string

// Contains is part of credential.Breaches.
func (p published) Contains(password string) bool {
	for _, listed := range p {
		if listed == password {
			return true
		}
	}
	return false
}

func TestBreachedInEitherForm(t *testing.T) {
	for _, c := range []struct {
		list  published
		typed string
		want  bool
	}{
		{published{composed}, composed, true},
		{published{composed}, decomposed, true},
		{published{decomposed}, decomposed, true},
		{published{"other"}, decomposed, false},
	} {
		if got := credential.Breached(c.list, c.typed); got != c.want {
			t.Errorf("%+q in %+q: %t, want %t", c.typed, c.list, got, c.want)
		}
	}
	if credential.Breached(nil, composed) {
		t.Error("no list contains it")
	}
}
