package directory

import (
	"crypto/rand"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/ident"
)

func TestKeyIsEqualFold(t *testing.T) {
	letters := rapid.StringOf(rapid.SampledFrom([]rune("aAkK\u212asS\u017fßẞéÉıIiİσςΣ.-_東1ǅǆǄ")))
	rapid.Check(t, func(t *rapid.T) {
		a, b := letters.Draw(t, "a"), letters.Draw(t, "b")
		if got, want := Key(a) == Key(b), strings.EqualFold(a, b); got != want {
			t.Fatalf("Key(%q) == Key(%q) is %t, EqualFold is %t", a, b, got, want)
		}
		if Key(a) != Key(strings.ToUpper(strings.ToLower(a))) && strings.EqualFold(a, strings.ToUpper(strings.ToLower(a))) {
			t.Fatalf("Key(%q) depends on case", a)
		}
	})
}

func TestKeyOfLongTextIsShortAndDistinct(t *testing.T) {
	long := strings.Repeat("𝔘", 1024)
	key := Key(long)
	if len(key) > maxKey {
		t.Errorf("the key has %d bytes", len(key))
	}
	if Key(long+"a") != Key(long+"A") || Key(long+"a") == key {
		t.Error("the key of a long text does not fold case, or ignores the end of the text")
	}
	if nameText.violated(key) == "" || groupText.violated(key) == "" || plainText.violated(key) == "" {
		t.Error("a name could look like the key of a long text")
	}
}

func TestNewIDHasAWSFormAndGrows(t *testing.T) {
	form := regexp.MustCompile(`^1234567890-[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	ids := ident.NewSource(rand.Reader)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	last := ""
	for range 1000 {
		id := newID(ids, "d-1234567890", at)
		if !form.MatchString(id) {
			t.Fatalf("%q has not the form of an id", id)
		}
		if id <= last {
			t.Fatalf("%q does not follow %q", id, last)
		}
		last, at = id, at.Add(time.Millisecond)
	}
	if id := newID(ids, "0f5a6b7c-0000-4000-8000-000000000000", at); len(id) != 36 {
		t.Errorf("the id in a store that is named by a UUID is %q, want a UUID", id)
	}
}
