package directory

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSchemaDescribesAttributes compares the schema with the structs that
// hold the attributes: an attribute in one and not in the other would be
// refused, or lost.
func TestSchemaDescribesAttributes(t *testing.T) {
	want := slices.Sorted(slices.Values(structPaths(reflect.TypeFor[Attributes](), "")))
	got := slices.Sorted(slices.Values(schemaPaths(&userSchema, "")))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes of the structs (-) and of the schema (+):\n%s", diff)
	}
}

func structPaths(typ reflect.Type, prefix string) (paths []string) {
	for field := range typ.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		path := join(prefix, name)
		switch ft := field.Type; ft.Kind() {
		case reflect.String:
			paths = append(paths, path+" text")
		case reflect.Pointer:
			paths = append(paths, path+" flag")
		case reflect.Struct:
			paths = append(paths, structPaths(ft, path)...)
		case reflect.Slice:
			paths = append(paths, path+" list")
			paths = append(paths, structPaths(ft.Elem(), path)...)
		default:
			paths = append(paths, fmt.Sprint(path, " ", ft.Kind()))
		}
	}
	return paths
}

func schemaPaths(a *attribute, prefix string) (paths []string) {
	for i := range a.parts {
		part := &a.parts[i]
		path := join(prefix, part.name)
		switch part.kind {
		case kindText:
			paths = append(paths, path+" text")
		case kindFlag:
			paths = append(paths, path+" flag")
		case kindObject:
			paths = append(paths, schemaPaths(part, path)...)
		case kindList:
			paths = append(paths, path+" list")
			paths = append(paths, schemaPaths(part, path)...)
		}
	}
	return paths
}

func TestTextRules(t *testing.T) {
	for _, test := range []struct {
		rule     textRule
		text     string
		violated string
	}{
		{plainText, "Ærøskøbing 東京 ١٢٣ €\t\n\r\u00a0\u3000!", ""},
		{plainText, strings.Repeat("東", 1024), ""},
		{plainText, strings.Repeat("東", 1025), "less than or equal to 1024"},
		{plainText, "", "greater than or equal to 1"},
		{plainText, "a\x00b", "regular expression"},
		{plainText, "a\u200eb", "regular expression"}, // a format character
		{plainText, "a\xffb", "regular expression"},
		{groupText, "a\u00a0b", ""},
		{groupText, "a\u3000b", "regular expression"},
		{nameText, "zoë.o'neill+x@例え.jp", ""},
		{nameText, "two words", "regular expression"},
		{nameText, strings.Repeat("x", 128), ""},
		{nameText, strings.Repeat("x", 129), "less than or equal to 128"},
	} {
		got := test.rule.violated(test.text)
		if test.violated == "" && got != "" || !strings.Contains(got, test.violated) {
			t.Errorf("violated(%.20q) = %q, want %q", test.text, got, test.violated)
		}
	}
}
