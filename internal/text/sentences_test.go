package text_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNoSentencesElsewhere reads everything that people read, and wants nothing
// in it that does not come from the catalogue.
func TestNoSentencesElsewhere(t *testing.T) {
	for pattern, written := range map[string]func(*testing.T, string) []string{
		"../signin/pages/templates/*.html": inTemplate,
		"../mail/letter/letter.*":          inTemplate,
		"../mail/preview/*.html":           inTemplate,
		"../../web/index.html":             inTemplate,
		"../../web/src/*.tsx":              inMarkup,
		"../../web/src/*/*.tsx":            inMarkup,
		"../signin/pages/*.go":             inProgram,
		"../mail/letter/*.go":              inProgram,
		"../mail/preview/*.go":             inProgram,
		"../webui/*.go":                    inProgram,
		"../app/front.go":                  inProgram,
	} {
		files, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || filepath.Ext(file) == ".go" && strings.Contains(pattern, "letter.*") {
				continue
			}
			for _, sentence := range written(t, file) {
				t.Errorf("%s says %q, which belongs into the catalogue", file, sentence)
			}
		}
	}
}

// TestSentencesAreFound writes some.
func TestSentencesAreFound(t *testing.T) {
	for name, tc := range map[string]struct {
		find func(*testing.T, string) []string
		text string
		want bool
	}{
		"a template":                   {inTemplate, `<p class="lead">Hello {{.Name}}</p>`, true},
		"a label in a template":        {inTemplate, `<p aria-label="Hello">{{.Name}}</p>`, true},
		"a template of the catalogue":  {inTemplate, `<p aria-label="{{t "a.b"}}">{{t "a.b" "name" .Name}}</p>`, false},
		"a program":                    {inProgram, "package p\n\nvar x = \"The page is gone\"\n", true},
		"a word in a program":          {inProgram, "package p\n\nfunc f() { g(\"Gone\") }\n", false},
		"an error of a program":        {inProgram, "package p\n\nvar x = fault.New(fault.Denied, \"\", \"The page is gone\")\n", false},
		"markup":                       {inMarkup, "<p>The page is gone</p>", true},
		"markup over lines":            {inMarkup, "<p>\n  The page is gone\n</p>", true},
		"a label in markup":            {inMarkup, `<Alert header="Gone">{x}</Alert>`, true},
		"markup of the catalogue":      {inMarkup, `<Alert header={t("a.b")}>{t("a.b")}</Alert>`, false},
		"a comparison, no markup":      {inMarkup, "if (a > b && count < 3) return;", false},
		"a type, no markup":            {inMarkup, "function f(x: Promise<void>): Map<string, number> {", false},
		"markup with a name of a kind": {inMarkup, `<Box variant="h2" fontSize="heading-m">{x}</Box>`, false},
	} {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := tc.find(t, file); (len(got) > 0) != tc.want {
			t.Errorf("%s: found %q", name, got)
		}
	}
}

var (
	unsaid   = regexp.MustCompile(`(?s)\{\{.*?\}\}|<style.*?</style>|<!--.*?-->|<!doctype[^>]*>`)
	spoken   = regexp.MustCompile(`(?:alt|title|aria-label|placeholder)="[^"]*[A-Za-z]{2}[^"]*"`)
	tag      = regexp.MustCompile(`(?s)<[^>]*>`)
	entity   = regexp.MustCompile(`&[a-z]+;`)
	word     = regexp.MustCompile(`[A-Za-z]{2,}.*`)
	sentence = regexp.MustCompile(`^[A-Z][a-z']* [A-Za-z]|[a-z] [a-z]+ [a-z].*[.!?]$`)
	between  = regexp.MustCompile(`(?s)[\w"'}]>\s*([A-Z][a-z]+(?: [^<{;()]*)?)\s*</?[A-Za-z]`)
	label    = regexp.MustCompile(`\b(?:alt|title|label|header|placeholder|description|aria-label|ariaLabel|statusIconAriaLabel)="[^"]*[A-Za-z]{2}[^"]*"`)
)

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// inTemplate finds what a template says by itself.
func inTemplate(t *testing.T, file string) []string {
	t.Helper()
	rest := unsaid.ReplaceAllString(read(t, file), "")
	found := spoken.FindAllString(rest, -1)
	for line := range strings.Lines(entity.ReplaceAllString(tag.ReplaceAllString(rest, ""), "")) {
		found = append(found, word.FindAllString(strings.TrimSpace(line), -1)...)
	}
	return found
}

// inMarkup finds what a view of the web application says by itself.
func inMarkup(t *testing.T, file string) []string {
	t.Helper()
	content := read(t, file)
	found := label.FindAllString(strings.ReplaceAll(content, "https://", ""), -1)
	for _, m := range between.FindAllStringSubmatch(content, -1) {
		found = append(found, m[1])
	}
	return found
}

// inProgram finds the sentences of a program that are neither errors nor for
// the log.
func inProgram(t *testing.T, file string) (found []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, read(t, file), parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			return !forPrograms(n.Fun)
		case *ast.BasicLit:
			if said := strings.Trim(n.Value, "\"`"); n.Kind == token.STRING && sentence.MatchString(said) && said != "Samsung Internet" {
				found = append(found, said)
			}
		default:
		}
		return true
	})
	return found
}

// forPrograms tells whether a function's texts are for operators and programs:
// errors, and the log.
func forPrograms(function ast.Expr) bool {
	s, is := function.(*ast.SelectorExpr)
	if !is {
		return false
	}
	if s.Sel.Name == "LogAttrs" {
		return true
	}
	of, is := s.X.(*ast.Ident)
	return is && map[string]bool{"fault.New": true, "errors.New": true, "fmt.Errorf": true, "fmt.Fprintf": true, "regexp.MustCompile": true}[of.Name+"."+s.Sel.Name]
}
