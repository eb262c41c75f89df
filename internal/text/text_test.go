package text_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/text"
)

func english(t *testing.T) text.Catalogue {
	t.Helper()
	c, err := text.English()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestText(t *testing.T) {
	c := english(t)
	cases := []struct {
		key   string
		pairs []string
		want  string // "" for an error
	}{
		{"username.next", nil, "Next"},
		{"consent.title", []string{"client", "a {b} c"}, "Allow a {b} c to access your data?"},
		{"page.footer", []string{"region", "r", "store", "s"}, "s in r"},
		{"consent.title", nil, ""},
		{"consent.title", []string{"client"}, ""},
		{"consent.title", []string{"other", "x"}, ""},
		{"consent.title", []string{"client", "x", "other", "y"}, ""},
		{"no.such.key", nil, ""},
	}
	for _, tc := range cases {
		got, err := c.Text(tc.key, tc.pairs...)
		if got != tc.want || (err != nil) != (tc.want == "") {
			t.Errorf("Text(%q, %q) = %q, %v; want %q", tc.key, tc.pairs, got, err, tc.want)
		}
	}
}

// TestLabels holds the labels that guides tell people to look for.
func TestLabels(t *testing.T) {
	c := english(t)
	for key, want := range map[string]string{
		"username.label": "Username", "username.next": "Next", "password.label": "Password", "password.submit": "Sign in",
		"password.forgot": "Forgot password", "newpassword.label": "New password", "newpassword.confirm": "Confirm password",
		"newpassword.submit": "Set new password", "compare.title": "Authorization requested", "compare.confirm": "Confirm and continue",
		"consent.allow": "Allow access", "portal.name": "AWS access portal", "start.accounts": "Accounts", "start.keys": "Access keys",
	} {
		if got, err := c.Text(key); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", key, got, err, want)
		}
	}
}

var (
	// asks finds where a program or a template asks for a text.
	asks = regexp.MustCompile(`(?:\bt|\.text\() ?"([a-z]+\.[A-Za-z._]+)"`)
	// quotes finds what may be a key.
	quotes = regexp.MustCompile(`"([a-z]+\.[A-Za-z._]+)"`)
)

// TestEveryTextIsUsed reads everything that shows texts. A text that nothing
// names is dead, and a name without a text shows as an error.
func TestEveryTextIsUsed(t *testing.T) {
	c := english(t)
	used := make(map[string]bool)
	read := func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || !slices.Contains([]string{".go", ".html", ".ts", ".tsx"}, filepath.Ext(path)) {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range asks.FindAllStringSubmatch(string(content), -1) {
			if key := m[1]; !c.Has(key) && !strings.HasSuffix(key, ".") {
				t.Errorf("%s asks for %q, which the catalogue has not", path, key)
			}
		}
		for _, m := range quotes.FindAllStringSubmatch(string(content), -1) {
			used[m[1]] = true
		}
		return nil
	}
	for _, root := range []string{"../signin/pages", "../mail/preview", "../app", "../../web/src", "../../web/index.html"} {
		if err := filepath.WalkDir(root, read); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range c.Keys() {
		made := strings.HasPrefix(key, "newpassword.PASSWORD_") || strings.HasPrefix(key, "linkgone.LINK_") || // from the reason of a refusal
			strings.HasPrefix(key, "fault.") || // from a fault, which the pages see to
			strings.HasPrefix(key, "mail.") // of letters, which see to theirs
		of, root := strings.CutSuffix(key, ".root") // what root users read in the place of another
		if !used[key] && !made && !(root && used[of] && c.Has(of)) {
			t.Errorf("nothing uses %q", key)
		}
	}
}

// TestReasonsHaveTexts wants a text for each reason to refuse a password.
func TestReasonsHaveTexts(t *testing.T) {
	c := english(t)
	rules, err := os.ReadFile("../credential/rules.go")
	if err != nil {
		t.Fatal(err)
	}
	reasons := regexp.MustCompile(`"(PASSWORD_[A-Z]+)"`).FindAllStringSubmatch(string(rules), -1)
	if len(reasons) < 4 {
		t.Fatalf("only %d reasons found", len(reasons))
	}
	for _, r := range reasons {
		if !c.Has("newpassword." + r[1]) {
			t.Errorf("%s has no text", r[1])
		}
	}
}
