package internal_test

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

// markdown returns the repository's pages by path.
func markdown(t *testing.T) (pages map[string]string, files map[string]bool) {
	t.Helper()
	pages, files = map[string]string{}, map[string]bool{}
	walk(t, func(name string, text []byte) {
		files[name] = true
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			files[dir] = true
		}
		if strings.HasSuffix(name, ".md") {
			pages[name] = string(text)
		}
	})
	return pages, files
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksBetweenPagesLeadSomewhere(t *testing.T) {
	pages, files := markdown(t)
	for name, text := range pages {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			if !files[path.Join(path.Dir(name), target)] {
				t.Errorf("%s links to %s, which does not exist", name, m[1])
			}
		}
	}
}

// TestSecurityPageNamesRealTests keeps the pages on security from promising
// tests that are gone.
func TestSecurityPageNamesRealTests(t *testing.T) {
	pages, _ := markdown(t)
	existing := map[string]bool{}
	name := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	walk(t, func(file string, text []byte) {
		if strings.HasSuffix(file, "_test.go") {
			for _, m := range name.FindAllSubmatch(text, -1) {
				existing[string(m[1])] = true
			}
		}
	})
	for _, page := range []string{"docs/security.md", "docs/asvs.md"} {
		named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(pages[page], -1)
		if len(named) < 20 {
			t.Fatalf("%s names %d tests: looking in the wrong place", page, len(named))
		}
		for _, m := range named {
			if !existing[m[1]] {
				t.Errorf("%s names %s, which does not exist: name the test that holds the control now", page, m[1])
			}
		}
	}
}

func TestEveryDependencyHasItsReason(t *testing.T) {
	pages, _ := markdown(t)
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	goModule(t, &mod, "mod", "edit", "-json")
	for _, r := range mod.Require {
		// The clients of AWS's SDK share a row.
		name := strings.TrimPrefix(r.Path, "github.com/aws/aws-sdk-go-v2/")
		if !r.Indirect && !strings.Contains(pages["docs/dependencies.md"], name) {
			t.Errorf("docs/dependencies.md does not say what %s is for", r.Path)
		}
	}
}
