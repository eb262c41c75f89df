// Package typescript writes the operations that this server's pages call as
// TypeScript: types of what they take and give, and one function that calls
// them.
package typescript

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/atrium-iam/atrium/internal/awsgen/model"
)

// FileName is the name of the file that Write writes.
const FileName = "portal_gen.ts"

// runtime is the part of the file that no model changes.
//
//go:embed runtime.ts
var runtime string

// Service is a model with its overlay.
type Service struct {
	Model   *model.Service
	Overlay *model.Overlay
}

// Write writes the file into dir. It fails when two services call different
// things by one name.
func Write(dir string, services []Service) error {
	g := generator{types: make(map[string]string), errors: map[string]bool{"InvalidCsrfTokenException": true, "UnknownOperationException": true}}
	for _, s := range services {
		if err := g.add(s); err != nil {
			return fmt.Errorf("%s: %w", s.Model.ID, err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, FileName), g.file(), 0o644)
}

// generator collects what the file is made of.
type generator struct {
	models     []string
	types      map[string]string // declarations by name
	operations []operation
	errors     map[string]bool // codes
}

type operation struct{ name, input, output string }

// add takes the operations of s that pages call.
func (g *generator) add(s Service) error {
	seen := make(map[string]bool)
	for name, op := range s.Model.Operations {
		if !s.Overlay.Defaults.Page && !s.Overlay.Operations[name].Page {
			continue
		}
		if slices.ContainsFunc(g.operations, func(other operation) bool { return other.name == name }) {
			return fmt.Errorf("another service has an operation %s for pages", name)
		}
		o := operation{name: name, input: "Record<string, never>", output: "Record<string, never>"}
		for shape, text := range map[string]*string{op.Input: &o.input, op.Output: &o.output} {
			if shape == "" {
				continue
			}
			if err := g.declare(s, shape, seen); err != nil {
				return err
			}
			*text = shape
		}
		for _, shape := range op.Errors {
			g.errors[s.Model.Shapes[shape].Error.Code] = true
		}
		g.operations = append(g.operations, o)
		if id := "model/" + s.Model.ID + ".json"; !slices.Contains(g.models, id) {
			g.models = append(g.models, id)
		}
	}
	return nil
}

// declare writes the declaration of a shape that has a name of its own, and of
// all that it consists of. seen are the service's shapes that are declared.
func (g *generator) declare(s Service, name string, seen map[string]bool) error {
	if seen[name] {
		return nil
	}
	seen[name] = true
	shape, found := s.Model.Shapes[name]
	if !found {
		return fmt.Errorf("shape %q is referred to and missing", name)
	}
	var text string
	switch {
	case shape.Type == "structure":
		text = structure(s, name, shape)
	case len(shape.Enum) > 0:
		text = "export type " + name + " = " + union(shape.Enum) + ";\n"
	}
	if known, again := g.types[name]; again && text != known {
		return fmt.Errorf("another service has a different %s", name)
	}
	if text != "" {
		g.types[name] = text
	}
	for _, m := range members(s, shape) {
		if err := g.declare(s, m.Shape, seen); err != nil {
			return err
		}
	}
	for _, part := range []string{elementOf(shape), shape.Key, shape.Value} {
		if part == "" {
			continue
		}
		if err := g.declare(s, part, seen); err != nil {
			return err
		}
	}
	return nil
}

// members are those that a page sends or gets: not the caller's token.
func members(s Service, shape model.Shape) (list []model.Member) {
	for _, m := range shape.Members {
		if m.Name != s.Overlay.Bearer {
			list = append(list, m)
		}
	}
	return list
}

func elementOf(shape model.Shape) string {
	if shape.Element == nil {
		return ""
	}
	return shape.Element.Shape
}

func structure(s Service, name string, shape model.Shape) string {
	var b strings.Builder
	fmt.Fprintf(&b, "export interface %s {\n", name)
	for _, m := range members(s, shape) {
		mark := "?"
		if m.Required {
			mark = ""
		}
		fmt.Fprintf(&b, "  %s%s: %s;\n", m.Name, mark, typeOf(s.Model, m.Shape))
	}
	b.WriteString("}\n")
	return b.String()
}

// typeOf is the type of a shape's values as they stand in JSON.
func typeOf(s *model.Service, name string) string {
	shape := s.Shapes[name]
	switch {
	case shape.Document:
		return "unknown"
	case len(shape.Enum) > 0:
		return name
	}
	switch shape.Type {
	case "structure":
		return name
	case "list":
		element := typeOf(s, shape.Element.Shape)
		return element + "[]"
	case "map":
		return "Record<string, " + typeOf(s, shape.Value) + ">"
	case "integer", "long", "double", "float", "timestamp":
		return "number"
	case "boolean":
		return "boolean"
	default:
		return "string"
	}
}

func union(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(v)
	}
	return strings.Join(quoted, " | ")
}

func (g *generator) file() []byte {
	var b bytes.Buffer
	slices.Sort(g.models)
	fmt.Fprintf(&b, "// Code generated by awsgen from %s. DO NOT EDIT.\n\n", strings.Join(g.models, " and "))
	for _, name := range sorted(g.types) {
		b.WriteString(g.types[name] + "\n")
	}
	slices.SortFunc(g.operations, func(a, b operation) int { return strings.Compare(a.name, b.name) })
	b.WriteString("/** The operations, with what they take and what they give. */\nexport interface Operations {\n")
	for _, o := range g.operations {
		fmt.Fprintf(&b, "  %s: { input: %s; output: %s };\n", o.name, o.input, o.output)
	}
	b.WriteString("}\n\n/** The codes of errors that the models know. */\nexport type ErrorCode =\n")
	for _, code := range sorted(g.errors) {
		fmt.Fprintf(&b, "  | %q\n", code)
	}
	b.Truncate(b.Len() - 1)
	b.WriteString(";\n\n" + runtime)
	return b.Bytes()
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
