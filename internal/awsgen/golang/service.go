package golang

import (
	"bytes"
	"fmt"
)

// service emits the interface, its unimplemented base and the binding table.
func (g *generator) service(b *bytes.Buffer) error {
	fmt.Fprintf(b, "// Package %s holds the types, the service interface and the descriptor of\n// the service %s %s.\npackage %s\n\n",
		g.pkg, g.s.ID, g.s.APIVersion, g.pkg)
	b.WriteString("import \"github.com/atrium-iam/atrium/internal/wire/schema\"\n\n")

	b.WriteString("// Service has one method for each operation. C is what an operation runs with.\ntype Service[C any] interface {\n")
	for _, op := range g.operations {
		fmt.Fprintf(b, "\t%s(c C, in *%s) (*%s, error)\n", op, g.inputType(op), g.outputType(op))
	}
	b.WriteString("}\n\n")

	b.WriteString("// Unimplemented answers every operation with schema.ErrNotImplemented. Embed it\n// in a service that does not hold them all.\ntype Unimplemented[C any] struct{}\n\n")
	for _, op := range g.operations {
		fmt.Fprintf(b, "// %s is not implemented.\nfunc (Unimplemented[C]) %s(C, *%s) (*%s, error) {\n\treturn nil, schema.ErrNotImplemented\n}\n\n",
			op, op, g.inputType(op), g.outputType(op))
	}

	b.WriteString("// Bind returns the operations of s, in the order of Descriptor's Operations.\nfunc Bind[C any](s Service[C]) []func(C, any) (any, error) {\n\treturn []func(C, any) (any, error){\n")
	for _, op := range g.operations {
		fmt.Fprintf(b, "\t\tfunc(c C, in any) (any, error) { return s.%s(c, in.(*%s)) },\n", op, g.inputType(op))
	}
	b.WriteString("\t}\n}\n")
	return nil
}
