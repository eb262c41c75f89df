package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// TestConnectionsAreMadeInOnePlace finds what connects, or could, by itself:
// internal/outbound alone judges where connections go. Tests and what serves
// them are free, and internal/store, whose driver connects to what the
// operator's connection string names, possibly a socket.
func TestConnectionsAreMadeInOnePlace(t *testing.T) {
	for _, f := range parsed(t) {
		if f.test || matches(f.dir, []string{"internal/outbound", "internal/store/storetest", "test/..."}) {
			continue
		}
		for _, n := range connecting(f.ast) {
			t.Errorf("%s:%d makes connections of its own: use internal/outbound, which keeps them from addresses that nothing may reach", f.path, f.line(n))
		}
	}
}

// TestConnectingIsFound holds the test above to finding what it looks for.
func TestConnectingIsFound(t *testing.T) {
	for text, want := range map[string]int{
		`var d net.Dialer`: 1, `d := &net.Dialer{}`: 1, `c := http.Client{}`: 1, `c := new(http.Client)`: 1, `c := &http.Client{Transport: &http.Transport{}}`: 2,
		`http.Get("x")`: 1, `c := http.DefaultClient`: 1, `net.Dial("tcp", "x")`: 1, `net.DialTimeout("tcp", "x", 0)`: 1, `tls.Dial("tcp", "x", nil)`: 1, `var d tls.Dialer`: 1,
		`t := http.DefaultTransport`: 1, `smtp.SendMail("x", nil, "", nil, nil)`: 1, `rpc.Dial("x")`: 1,
		`var c *http.Client`: 0, `func() *http.Transport { return nil }()`: 0, `var l net.Listener`: 0, `http.NewRequest("GET", "x", nil)`: 0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nimport (\n\"crypto/tls\"\n\"net\"\n\"net/http\"\n\"net/smtp\"\n\"net/rpc\"\n)\nfunc f() {\n"+text+"\n}", 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(connecting(file)); got != want {
			t.Errorf("%s: %d found, want %d", text, got, want)
		}
	}
}

// connecting returns what in a file connects, or is made to: functions that
// dial, clients, transports and dialers, but not pointers to them, which come
// from elsewhere.
func connecting(file *ast.File) (found []ast.Node) {
	pointers := map[ast.Node]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if star, ok := n.(*ast.StarExpr); ok {
			pointers[star.X] = true
		}
		selector, ok := n.(*ast.SelectorExpr)
		if !ok || pointers[selector] {
			return true
		}
		pkg, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}
		for path, names := range connectors() {
			if imported(file, pkg.Name, path) && (slices.Contains(names, selector.Sel.Name) || slices.Contains(names, "Dial…") && strings.HasPrefix(selector.Sel.Name, "Dial")) {
				found = append(found, selector)
			}
		}
		return true
	})
	return found
}

// connectors are what connects, by package.
func connectors() map[string][]string {
	return map[string][]string{
		"net":        {"Dial…"},
		"crypto/tls": {"Dial…"},
		"net/http":   {"Client", "Transport", "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm"},
		"net/smtp":   {"Dial…", "SendMail"},
		"net/rpc":    {"Dial…"},
	}
}

// imported tells whether name is the package at path in a file.
func imported(file *ast.File, name, path string) bool {
	for _, spec := range file.Imports {
		if spec.Path.Value != `"`+path+`"` {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name == name
		}
		return path[strings.LastIndexByte(path, '/')+1:] == name
	}
	return false
}
