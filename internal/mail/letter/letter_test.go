package letter_test

import (
	"html"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/mail/letter"
	"github.com/atrium-iam/atrium/internal/text"
)

func writer(t *testing.T) *letter.Writer {
	t.Helper()
	public, err := url.Parse("https://sso.example.com")
	if err != nil {
		t.Fatal(err)
	}
	w, err := letter.NewWriter(public)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// sample is a letter of a kind with everything that the kind has.
func sample(kind mail.Kind) mail.Letter {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	c := mail.Content{Name: "Sam Lee", UserName: "sam.lee", Until: at.Add(time.Hour)}
	switch kind {
	case mail.PasswordCode, mail.FactorCode:
		c.Code, c.CodeUntil, c.At, c.From, c.Client = "01234567", at.Add(10*time.Minute), at, "192.0.2.1", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
		if kind == mail.PasswordCode {
			c.Path = "/link/the-token"
		}
	case mail.PasswordChanged, mail.EmailChanged, mail.FactorAdded, mail.FactorRemoved, mail.LinkReplayed:
		c.NotMe, c.At, c.From, c.Client, c.About = "/link/not-me-token", at, "192.0.2.1", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "Sam's phone"
	case mail.Deleted:
		c.At, c.From, c.Client, c.About, c.By = at, "192.0.2.1", "aws-cli/2.9.19", "arn:aws:sso:::instance/ssoins-0123456789abcdef", "arn:aws:iam::123456789012:user/eve"
	default:
		c.Path = "/link/the-token"
	}
	return mail.Letter{ID: "0123456789abcdef0123456789abcdef", Kind: kind, To: "sam.lee@example.com", Content: c, CreatedAt: at}
}

// TestLetters writes each kind. With ATRIUM_LETTERS set to a directory, their
// HTML is left there, to be looked at.
func TestLetters(t *testing.T) {
	w := writer(t)
	for _, kind := range mail.Kinds() {
		l := sample(kind)
		m, err := w.Write(l)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if m.ID != l.ID || m.To != l.To || m.Subject == "" || !m.Date.Equal(l.CreatedAt) {
			t.Errorf("%s: %+v", kind, m)
		}
		for _, want := range []struct {
			value string
			shown bool
		}{
			{"https://sso.example.com/link/the-token", l.Content.Path != ""},
			{"https://sso.example.com/link/not-me-token", l.Content.NotMe != ""},
			{"0123 4567", l.Content.Code != ""},
			{"192.0.2.1", !l.Content.At.IsZero()},
			{"Sam's phone", l.Content.NotMe != ""},
			{"user/eve", kind == mail.Deleted},
			{"1 May 2026 12:00 UTC", !l.Content.At.IsZero()},
			{"1 May 2026 13:00 UTC", l.Content.Path != ""},
			{"1 May 2026 12:10 UTC", l.Content.Code != ""},
			{"Firefox/140.0", l.Content.Client != "" && kind != mail.Deleted},
			{"Hello Sam Lee,", true},
			{"https://sso.example.com/start", true},
		} {
			for form, body := range map[string]string{"text": m.Text, "HTML": html.UnescapeString(m.HTML)} {
				if strings.Contains(body, want.value) != want.shown {
					t.Errorf("%s: the %s shows %q: %v\n%s", kind, form, want.value, !want.shown, body)
				}
			}
		}
		checkForms(t, kind, m)
		if dir := os.Getenv("ATRIUM_LETTERS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, string(kind)+".html"), []byte(m.HTML), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

var (
	loaded = regexp.MustCompile(`(?i)<img|<script|<link|<iframe|@import|url\(|\son\w+=|javascript:`)
	cells  = regexp.MustCompile(`<table(?: role="presentation")?`)
)

// checkForms holds a letter to what mail programs take.
func checkForms(t *testing.T, kind mail.Kind, m mail.Message) {
	t.Helper()
	if found := loaded.FindString(m.HTML); found != "" {
		t.Errorf("%s: the HTML has %q: mail programs load and run nothing", kind, found)
	}
	for _, table := range cells.FindAllString(m.HTML, -1) {
		if !strings.Contains(table, "presentation") {
			t.Errorf("%s: a table for the layout is read out as one of data", kind)
		}
	}
	if len(m.HTML) > 100<<10 {
		t.Errorf("%s: the HTML has %d bytes, and is cut off by some programs", kind, len(m.HTML))
	}
	for _, line := range strings.Split(m.Text, "\n") {
		if strings.HasPrefix(line, " ") && !strings.Contains(line, "0123 4567") || strings.HasSuffix(line, " ") && line != "-- " || strings.Contains(line, "<no value>") {
			t.Errorf("%s: a line of the text is %q", kind, line)
		}
	}
	if strings.Contains(m.Text, "\n\n\n") || strings.Contains(m.Text, "&#") {
		t.Errorf("%s: the text is\n%s", kind, m.Text)
	}
}

// TestValuesStayValues has names that try to be more than names.
func TestValuesStayValues(t *testing.T) {
	w := writer(t)
	l := sample(mail.FactorAdded)
	l.Content.Name = "Sam</p><script>alert(1)</script>\r\nBcc: eve@example.org\r\n\r\nhttps://evil.example"
	l.Content.About = strings.Repeat("long ", 100) + "<b>"
	m, err := w.Write(l)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(m.HTML, "<script>") || strings.Contains(m.HTML, "<b>") {
		t.Errorf("a name became markup:\n%s", m.HTML)
	}
	if strings.Contains(m.Text, "\nBcc:") || strings.Contains(m.Text, "\nhttps://evil") || strings.Contains(m.Subject, "\n") {
		t.Errorf("a name became lines of its own:\n%s", m.Text)
	}
	if strings.Contains(m.Text, strings.Repeat("long ", 50)) {
		t.Error("a name fills the letter")
	}
	if m.Subject != "An MFA device was registered" {
		t.Errorf("the subject is %q: nobody's name stands in it", m.Subject)
	}
	l.Kind = "other"
	if _, err := w.Write(l); err == nil {
		t.Error("a letter of no kind was written")
	}
}

var names = regexp.MustCompile(`"(mail\.[a-z.]+)"`)

// TestEveryTextIsUsed finds texts of letters that no letter has.
func TestEveryTextIsUsed(t *testing.T) {
	c, err := text.English()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, file := range []string{"letter.go", "letter.html", "letter.txt"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range names.FindAllStringSubmatch(string(content), -1) {
			used[m[1]] = true
		}
	}
	for _, kind := range mail.Kinds() {
		for _, part := range []string{"subject", "title", "text", "why"} {
			used["mail."+string(kind)+"."+part] = true
		}
		if sample(kind).Content.Path != "" {
			used["mail."+string(kind)+".button"] = true
		}
	}
	for _, key := range c.Keys() {
		if strings.HasPrefix(key, "mail.") && !used[key] {
			t.Errorf("no letter uses %q", key)
		}
	}
	for key := range used {
		if !c.Has(key) {
			t.Errorf("the catalogue has no %q", key)
		}
	}
}

// TestANoticeWithoutALink tells whom to ask, where there is no link to undo what
// was done.
func TestANoticeWithoutALink(t *testing.T) {
	w := writer(t)
	for _, kind := range mail.Kinds() {
		l := sample(kind)
		had := l.Content.NotMe != ""
		for _, undo := range []string{l.Content.NotMe, ""} {
			l.Content.NotMe = undo
			m, err := w.Write(l)
			if err != nil {
				t.Fatal(err)
			}
			for form, body := range map[string]string{"text": m.Text, "HTML": m.HTML} {
				if asks := strings.Contains(body, "tell an administrator of IAM Identity Center at once"); asks != (had && undo == "") {
					t.Errorf("%s with the link %q: the %s says whom to ask: %v", kind, undo, form, asks)
				}
			}
		}
	}
}
