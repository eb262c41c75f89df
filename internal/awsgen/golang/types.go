package golang

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"github.com/atrium-iam/atrium/internal/awsgen/model"
)

// types emits a struct for every structure and constants for every enum.
func (g *generator) types(b *bytes.Buffer) error {
	var body bytes.Buffer
	for _, name := range g.shapes {
		shape := g.s.Shapes[name]
		switch {
		case isStruct(shape):
			g.structType(&body, name, shape)
		case len(shape.Enum) > 0:
			g.enum(&body, name, shape)
		}
	}
	for _, op := range g.operations {
		if g.s.Operations[op].Input == "" {
			fmt.Fprintf(&body, "// %sInput is the input of %s, which takes none.\ntype %sInput struct{}\n\n", op, op, op)
		}
		if g.s.Operations[op].Output == "" {
			fmt.Fprintf(&body, "// %sOutput is the output of %s, which gives none.\ntype %sOutput struct{}\n\n", op, op, op)
		}
	}
	fmt.Fprintf(b, "package %s\n\n", g.pkg)
	if strings.Contains(body.String(), "time.Time") {
		b.WriteString("import \"time\"\n\n")
	}
	if strings.Contains(body.String(), "schema.JSON") {
		b.WriteString("import \"github.com/atrium-iam/atrium/internal/wire/schema\"\n\n")
	}
	b.Write(body.Bytes())
	return nil
}

func isStruct(s model.Shape) bool { return s.Type == "structure" && !s.Document }

func (g *generator) structType(b *bytes.Buffer, name string, shape model.Shape) {
	about := "is a structure of the model"
	if shape.Union {
		about = "is a union of the model: exactly one member is set"
	}
	fmt.Fprintf(b, "// %s %s.\ntype %s struct {\n", exported(name), about, exported(name))
	for _, m := range shape.Members {
		fmt.Fprintf(b, "\t%s %s", exported(m.Name), g.memberType(m.Shape))
		if m.Required {
			b.WriteString(" // required")
		}
		b.WriteByte('\n')
	}
	b.WriteString("}\n\n")
}

// memberType is the Go type of a structure member: scalars are pointers, so
// that absent and zero differ.
func (g *generator) memberType(shape string) string {
	s := g.s.Shapes[shape]
	switch {
	case s.Type == "list", s.Type == "map", s.Type == "blob":
		return g.elementType(shape)
	default:
		return "*" + g.elementType(shape)
	}
}

// elementType is the Go type of a list element or map value.
func (g *generator) elementType(shape string) string {
	s := g.s.Shapes[shape]
	if s.Document {
		return "schema.JSON"
	}
	switch s.Type {
	case "structure":
		return exported(shape)
	case "list":
		return "[]" + g.elementType(s.Element.Shape)
	case "map":
		return "map[" + g.elementType(s.Key) + "]" + g.elementType(s.Value)
	case "integer":
		return "int32"
	case "long":
		return "int64"
	case "double", "float":
		return "float64"
	case "boolean":
		return "bool"
	case "timestamp":
		return "time.Time"
	case "blob":
		return "[]byte"
	default:
		return "string"
	}
}

func (g *generator) enum(b *bytes.Buffer, name string, shape model.Shape) {
	fmt.Fprintf(b, "// Values of %s.\nconst (\n", name)
	for _, v := range shape.Enum {
		fmt.Fprintf(b, "\t%s%s = %q\n", exported(name), enumSuffix(v), v)
	}
	b.WriteString(")\n\n")
}

// enumSuffix turns IN_PROGRESS into InProgress; values in mixed case keep
// their own capitals.
func enumSuffix(v string) string {
	if v == strings.ToUpper(v) {
		v = strings.ToLower(v)
	}
	s := exported(v)
	if s != "" && unicode.IsDigit(rune(s[0])) {
		return "_" + s
	}
	return s
}
