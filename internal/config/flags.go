package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Flags are the keys as command-line flags. Pointer goes to the flag parser,
// Overrides then tells what was given.
type Flags struct{ pointer reflect.Value }

// NewFlags returns the flags of every key.
func NewFlags() Flags {
	var fields []reflect.StructField
	for _, k := range table() {
		name := strings.ReplaceAll(k.flag(), "-", "_")
		fields = append(fields, reflect.StructField{
			Name: "Key_" + name, Type: reflect.TypeFor[*string](),
			Tag: reflect.StructTag(fmt.Sprintf(`name:%q help:%q placeholder:%q`, k.flag(), k.help+" Also "+k.variable()+".", "VALUE")),
		})
	}
	return Flags{reflect.New(reflect.StructOf(fields))}
}

// Pointer returns a pointer to a struct with a field for each flag, with tags
// as github.com/alecthomas/kong reads them: an element of a kong.Plugins.
func (f Flags) Pointer() any { return f.pointer.Interface() }

// Overrides returns the keys whose flags were given, for Load.
func (f Flags) Overrides() map[string]string {
	out := map[string]string{}
	for i, k := range table() {
		if text, given := f.pointer.Elem().Field(i).Interface().(*string); given && text != nil {
			out[k.name] = *text
		}
	}
	return out
}
