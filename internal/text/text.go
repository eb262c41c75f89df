// Package text is the catalogue of what Atrium says to people: every sentence
// of its pages stands in en.json, once, for the pages of this server and for
// the web application alike.
//
// A text may have places, written {name}, that are filled when it is used.
package text

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed en.json
var english []byte

// Catalogue is the texts of one language.
type Catalogue struct{ texts map[string]string }

// English returns the catalogue in English. It fails only when the program was
// built with a damaged one.
func English() (Catalogue, error) {
	var c Catalogue
	if err := json.Unmarshal(english, &c.texts); err != nil {
		return c, fmt.Errorf("text: reading the catalogue: %w", err)
	}
	return c, nil
}

// Text returns the text of a key with its places filled from pairs of a
// place's name and its value. It fails when the catalogue has no such key, and
// when places and pairs do not belong together.
func (c Catalogue) Text(key string, pairs ...string) (string, error) {
	text, ok := c.texts[key]
	if !ok {
		return "", fmt.Errorf("text: the catalogue has no %q", key)
	}
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("text: %q: a place without a value", key)
	}
	values := make(map[string]string, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		value, given := values[name]
		if !closed || !given {
			return "", fmt.Errorf("text: %q: no value for {%s}", key, name)
		}
		b.WriteString(value)
		text = after
	}
	for name := range values {
		if !strings.Contains(c.texts[key], "{"+name+"}") {
			return "", fmt.Errorf("text: %q has no place {%s}", key, name)
		}
	}
	return b.String(), nil
}

// Has reports whether the catalogue has a key.
func (c Catalogue) Has(key string) bool { _, ok := c.texts[key]; return ok }

// Keys returns all keys, in no order.
func (c Catalogue) Keys() []string {
	keys := make([]string, 0, len(c.texts))
	for key := range c.texts {
		keys = append(keys, key)
	}
	return keys
}
