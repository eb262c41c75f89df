package internal_test

import (
	"go/ast"
	"go/token"
	"testing"
)

// TestNoPackageHasState finds package-level variables that are, or are used
// as, state: it is shared by tests, by nodes in one process and by goroutines,
// and nobody can see who changed it. Errors, regular expressions, tables and
// embedded files are constants in all but name.
func TestNoPackageHasState(t *testing.T) {
	files := parsed(t)
	globals := map[string]map[string]*ast.ValueSpec{} // by directory and name
	for _, f := range files {
		if f.test {
			continue
		}
		if globals[f.dir] == nil {
			globals[f.dir] = map[string]*ast.ValueSpec{}
		}
		for _, spec := range variables(f) {
			for i, name := range spec.Names {
				if name.Name == "_" {
					continue
				}
				globals[f.dir][name.Name] = spec
				if why := stateful(spec, i); why != "" {
					t.Errorf("%s:%d: the variable %s is %s: pass it to whoever needs it", f.path, f.line(name), name.Name, why)
				}
			}
		}
	}
	for _, f := range files {
		if f.test {
			continue
		}
		for _, name := range assigned(f, globals[f.dir]) {
			t.Errorf("%s:%d: the package-level variable %s is changed: pass it to whoever needs it", f.path, f.line(name), name.Name)
		}
	}
}

func variables(f *source) []*ast.ValueSpec {
	var out []*ast.ValueSpec
	for _, d := range f.ast.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
			for _, s := range g.Specs {
				spec := s.(*ast.ValueSpec)
				if spec.Doc == nil {
					spec.Doc = g.Doc
				}
				out = append(out, spec)
			}
		}
	}
	return out
}

// stateful tells what makes variable i of spec state by its very type; "" when
// nothing does.
func stateful(spec *ast.ValueSpec, i int) string {
	if spec.Doc != nil {
		for _, c := range spec.Doc.List {
			if len(c.Text) > 9 && c.Text[:9] == "//go:embe" {
				return ""
			}
		}
	}
	if i >= len(spec.Values) {
		return "declared without a value, to be set later"
	}
	switch v := spec.Values[i].(type) {
	case *ast.CallExpr:
		switch fn := v.Fun.(type) {
		case *ast.Ident:
			if fn.Name == "make" || fn.Name == "new" {
				return "made empty, to be filled later"
			}
		case *ast.SelectorExpr:
			// sync.OnceValue computes a constant when it is first asked for.
			if pkg, ok := fn.X.(*ast.Ident); ok && (pkg.Name == "sync" && fn.Sel.Name != "OnceValue" || pkg.Name == "rand" || pkg.Name == "prometheus") {
				return "a " + pkg.Name + "." + fn.Sel.Name
			}
		}
	case *ast.CompositeLit:
		if sel, ok := v.Type.(*ast.SelectorExpr); ok {
			if pkg, ok := sel.X.(*ast.Ident); ok && (pkg.Name == "sync" || pkg.Name == "atomic" || pkg.Name == "http") {
				return "a " + pkg.Name + "." + sel.Sel.Name
			}
		}
	}
	return ""
}

// assigned returns the places in f that assign to one of globals, or to a part
// of one.
func assigned(f *source, globals map[string]*ast.ValueSpec) []*ast.Ident {
	var out []*ast.Ident
	check := func(target ast.Expr) {
		name := base(target)
		if name == nil {
			return
		}
		spec := globals[name.Name]
		// The parser resolves names within a file: a name that it found to be
		// something else is a local variable.
		if spec != nil && (name.Obj == nil || name.Obj.Decl == spec) {
			out = append(out, name)
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, target := range n.Lhs {
					check(target)
				}
			}
		case *ast.IncDecStmt:
			check(n.X)
		}
		return true
	})
	return out
}

// base returns the variable of which target is a part.
func base(target ast.Expr) *ast.Ident {
	for {
		switch e := target.(type) {
		case *ast.Ident:
			return e
		case *ast.IndexExpr:
			target = e.X
		case *ast.SelectorExpr:
			target = e.X
		case *ast.StarExpr:
			target = e.X
		case *ast.ParenExpr:
			target = e.X
		default:
			return nil
		}
	}
}
