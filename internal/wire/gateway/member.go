package gateway

import (
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// member finds the value at a dotted path of model names in a generated
// struct. Along lists it collects one value per element. It is nil when a
// part of the path is absent.
func member(s *schema.Service, ref schema.Ref, v reflect.Value, path string) any {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if ref == schema.NoShape || !v.IsValid() {
		return nil
	}
	shape := s.Shape(ref)
	switch shape.Kind {
	case schema.List:
		return listMember(s, shape.Element, v, path)
	case schema.Structure, schema.Union:
		if path == "" {
			return nil // whole structures are never recorded
		}
		name, rest, _ := strings.Cut(path, ".")
		for i, m := range shape.Members {
			if m.Name == name {
				return member(s, m.Shape, v.Field(i), rest)
			}
		}
		return nil
	default:
		if t, ok := v.Interface().(time.Time); ok {
			return t.UTC().Format(time.RFC3339)
		}
		return v.Interface()
	}
}

func listMember(s *schema.Service, element schema.Ref, v reflect.Value, path string) any {
	if v.Len() == 0 {
		return nil
	}
	values := make([]any, 0, v.Len())
	for i := range v.Len() {
		if x := member(s, element, v.Index(i), path); x != nil {
			values = append(values, x)
		}
	}
	return values
}

// hidden stands in audit records for what must not be recorded, as in
// CloudTrail's.
const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// sensitive tells whether the model marks the member at a dotted path, or
// anything on the way to it, as sensitive.
func sensitive(s *schema.Service, ref schema.Ref, path string) bool {
	shape := s.Shape(ref)
	for shape.Kind == schema.List {
		shape = s.Shape(shape.Element)
	}
	name, rest, _ := strings.Cut(path, ".")
	for _, m := range shape.Members {
		if m.Name == name {
			return m.Sensitive || s.Shape(m.Shape).Sensitive || rest != "" && sensitive(s, m.Shape, rest)
		}
	}
	return false
}

// pick copies the members that paths name into a tree with lower-case initial
// letters, as audit records write them. Sensitive ones are hidden. Nil when
// none is there.
func pick(s *schema.Service, ref schema.Ref, value any, paths []string) map[string]any {
	var tree map[string]any
	for _, path := range paths {
		v := member(s, ref, reflect.ValueOf(value), path)
		if v == nil {
			continue
		}
		if sensitive(s, ref, path) {
			v = hidden
		}
		if tree == nil {
			tree = make(map[string]any)
		}
		at := tree
		parts := strings.Split(path, ".")
		for _, part := range parts[:len(parts)-1] {
			next, ok := at[lowerFirst(part)].(map[string]any)
			if !ok {
				next = make(map[string]any)
				at[lowerFirst(part)] = next
			}
			at = next
		}
		at[lowerFirst(parts[len(parts)-1])] = v
	}
	return tree
}

func lowerFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[size:]
}
