package policy

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a document; the grammar needs five levels.
const maxDepth = 16

var errSyntax = errors.New("not the JSON of a policy")

// object is a JSON object whose members keep their order. A key occurs once:
// readers of the same document must not be able to disagree about it.
type object []member

type member struct {
	name  string
	value any // object, []any, string, json.Number, bool or nil
}

// readJSON reads the one JSON object that document consists of.
func readJSON(document string) (object, error) {
	if !utf8.ValidString(document) {
		return nil, errSyntax
	}
	dec := json.NewDecoder(strings.NewReader(document))
	dec.UseNumber()
	value, err := readValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errSyntax // something follows the document
	}
	root, ok := value.(object)
	if !ok {
		return nil, errSyntax
	}
	return root, nil
}

func readValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errSyntax
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return readObject(dec, depth)
	case json.Delim('['):
		return readArray(dec, depth)
	default:
		return token, nil
	}
}

func readObject(dec *json.Decoder, depth int) (any, error) {
	members := object{}
	seen := make(map[string]bool)
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok || seen[name] {
			return nil, errSyntax
		}
		seen[name] = true
		value, err := readValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		members = append(members, member{name, value})
	}
	_, err := dec.Token() // the closing brace
	return members, err
}

func readArray(dec *json.Decoder, depth int) (any, error) {
	elements := []any{}
	for dec.More() {
		value, err := readValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		elements = append(elements, value)
	}
	_, err := dec.Token() // the closing bracket
	return elements, err
}

// elements returns the elements of an array, or value itself as the only one.
func elements(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}

// stringsOf returns value, a string or an array of strings.
func stringsOf(value any) ([]string, error) {
	list := elements(value)
	out := make([]string, len(list))
	for i, element := range list {
		s, ok := element.(string)
		if !ok {
			return nil, errSyntax
		}
		out[i] = s
	}
	return out, nil
}
