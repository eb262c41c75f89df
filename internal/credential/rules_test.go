package credential_test

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
)

func rawBase64(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

func TestCheck(t *testing.T) {
	cases := []struct{ password, reason string }{
		{"Vt7-kelp-Moon", ""},
		{"aB3$efgh", ""},
		{strings.Repeat("aB3$xyz_", 8), ""},
		{"Grün-7-Äpfel", ""},
		{"correct horse Battery 5", ""},
		{"aB3$efg", credential.ReasonLength},
		{strings.Repeat("aB3$xyz_", 8) + "x", credential.ReasonLength},
		{"", credential.ReasonLength},
		{"ab3$efgh", credential.ReasonCharacters},
		{"AB3$EFGH", credential.ReasonCharacters},
		{"aBc$efgh", credential.ReasonCharacters},
		{"aB3defgh", credential.ReasonCharacters},
		{"aB3éfghi", credential.ReasonCharacters}, // a letter is no symbol
		{"aB3$\x00efgh", credential.ReasonCharacters},
		{"aB3$\xff\xfeefgh", credential.ReasonCharacters},
		{"Password1!", credential.ReasonCommon},
		{"P@ssw0rd123!", credential.ReasonCommon},
		{"!Welcome2026!", credential.ReasonCommon},
		{"$UMMEr2026!", credential.ReasonCommon},
		{"Qwerty123$", credential.ReasonCommon},
		{"MonkeyDragon1!", credential.ReasonCommon},
		{"Aa1!Aa1!Aa1!", credential.ReasonCommon},
		{"Sam.Lee-2026!", credential.ReasonCommon},
		{"SummerLee1!", credential.ReasonCommon},
	}
	for _, c := range cases {
		err := credential.Check(c.password, "sam.lee", "Sam", "Lee")
		if c.reason == "" {
			if err != nil {
				t.Errorf("Check(%q): %v", c.password, err)
			}
			continue
		}
		e, ok := err.(*fault.Error)
		if !ok || e.Category != fault.Invalid || e.Reason != c.reason {
			t.Errorf("Check(%q) = %v, want reason %s", c.password, err, c.reason)
		}
		if err != nil && c.password != "" && strings.Contains(err.Error(), c.password) {
			t.Errorf("the refusal of %q quotes it", c.password)
		}
	}
}

func TestOneTimePasswords(t *testing.T) {
	seen := make(map[string]bool)
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		password := credential.NewOneTime(ident.NewSource(rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24), byte(seed >> 32)})))
		if err := credential.Check(password); err != nil {
			t.Fatalf("%q: %v", password, err)
		}
		if len(password) != 19 || strings.ContainsAny(password, "l1IO0o") {
			t.Fatalf("%q is not four groups of four unambiguous characters", password)
		}
		seen[password] = true
	})
	if len(seen) < 50 {
		t.Errorf("only %d different passwords", len(seen))
	}
}
