package internal_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/atrium-iam/atrium"

// source is one Go file of the module.
type source struct {
	path, dir       string // from the module's root
	test, generated bool
	fset            *token.FileSet
	ast             *ast.File
	lines           int
}

func (s *source) imports() []string {
	var out []string
	for _, i := range s.ast.Imports {
		p, _ := strconv.Unquote(i.Path.Value) // the parser has checked it
		out = append(out, p)
	}
	return out
}

func (s *source) line(n ast.Node) int { return s.fset.Position(n.Pos()).Line }

// walk calls visit for every file of the repository.
func walk(t *testing.T, visit func(path string, text []byte)) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if matches(rel, []string{".git", ".atrium", ".tools", "bin", "*/node_modules", "*/*/node_modules", "internal/webui/built/web", "*/testdata/rapid", "internal/*/testdata/rapid"}) {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || rel == ".git" {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		visit(rel, text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// parsed returns every Go file of the module.
func parsed(t *testing.T) []*source {
	t.Helper()
	var out []*source
	walk(t, func(name string, text []byte) {
		if !strings.HasSuffix(name, ".go") || strings.Contains(name, "testdata/") || strings.HasPrefix(name, "internal/pins/") {
			return
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, text, parser.ParseComments)
		if err != nil {
			t.Error(err)
			return
		}
		out = append(out, &source{
			path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
			generated: generated.Match(text), fset: fset, ast: f, lines: bytes.Count(text, []byte("\n")),
		})
	})
	if len(out) < 50 {
		t.Fatalf("found %d Go files: looking in the wrong place", len(out))
	}
	return out
}

func TestEveryPackageIsDescribed(t *testing.T) {
	described, dirs := map[string]bool{}, map[string]bool{}
	for _, f := range parsed(t) {
		if f.test {
			continue
		}
		dirs[f.dir] = true
		if f.ast.Doc != nil {
			described[f.dir] = true
		}
	}
	for dir := range dirs {
		if !described[dir] {
			t.Errorf("%s has no package comment: say what it is for, and what it is not", dir)
		}
	}
}

// The ceilings, in lines. Most functions and files stay far below. Tests have
// tables.
const (
	maxFunction = 100
	maxTest     = 150
	maxFile     = 600
)

func TestFunctionsAndFilesStayReadable(t *testing.T) {
	for _, f := range parsed(t) {
		if f.generated {
			continue
		}
		if f.lines > maxFile {
			t.Errorf("%s has %d lines, more than %d: split it by topic", f.path, f.lines, maxFile)
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			most := maxFunction
			if f.test {
				most = maxTest
			}
			if n := f.fset.Position(fn.End()).Line - f.line(fn) + 1; n > most {
				t.Errorf("%s:%d: %s has %d lines, more than %d: name its parts", f.path, f.line(fn), fn.Name.Name, n, most)
			}
		}
	}
}

func TestNothingHappensBeforeMain(t *testing.T) {
	for _, f := range parsed(t) {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s:%d: func init: what a package needs is passed to it, so that a reader finds who set it up", f.path, f.line(fn))
			}
		}
	}
}

// machinePath is a path of one machine: with it, secrets of that machine or of
// its user could stand in the text.
var machinePath = regexp.MustCompile(`(?:^|[\s"'(=:])/(?:(?:work|home/[a-z][a-z0-9._-]*|Users/[A-Za-z][A-Za-z0-9._-]*)/[A-Za-z0-9.]|root/(?:\.[a-z]|go/))`)

func TestTheTextKnowsNoMachine(t *testing.T) {
	walk(t, func(name string, text []byte) {
		if bytes.IndexByte(text, 0) >= 0 || name == "internal/sources_test.go" {
			return
		}
		for n, line := range bytes.Split(text, []byte("\n")) {
			if m := machinePath.Find(line); m != nil {
				t.Errorf("%s:%d: %q is a path of one machine", name, n+1, m)
			}
		}
	})
	if !machinePath.MatchString("see \"/"+"Users/sam/x\"") || machinePath.MatchString("https://example.com/Users/sam/x") {
		t.Error("the pattern does not find what it should")
	}
}

// goModule runs go with args and decodes its JSON.
func goModule(t *testing.T, out any, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
}

type modFile struct {
	Require []struct{ Path, Version string }
	Replace []struct {
		Old, New struct{ Path, Version string }
	}
}

// TestOnlyReplacement holds the one replacement to its purpose. SQLite in Go
// is generated against one exact version of its C library; with any other it
// may break in ways that tests do not show.
func TestOnlyReplacement(t *testing.T) {
	const libc = "modernc.org/libc"
	var ours, theirs modFile
	goModule(t, &ours, "mod", "edit", "-json")
	if len(ours.Replace) != 1 || ours.Replace[0].Old.Path != libc || ours.Replace[0].New.Path != libc {
		t.Fatalf("go.mod has the replacements %v: only that of %s is allowed, because a replacement hides what is really built", ours.Replace, libc)
	}
	var sqlite struct{ GoMod string }
	goModule(t, &sqlite, "list", "-m", "-json", "modernc.org/sqlite")
	goModule(t, &theirs, "mod", "edit", "-json", sqlite.GoMod)
	for _, r := range theirs.Require {
		if r.Path != libc {
			continue
		}
		if got := ours.Replace[0].New.Version; got != r.Version {
			t.Errorf("go.mod replaces %s with %s, but modernc.org/sqlite was generated against %s", libc, got, r.Version)
		}
		return
	}
	t.Errorf("modernc.org/sqlite no longer requires %s: remove the replacement", libc)
}
