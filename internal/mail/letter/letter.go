// Package letter writes the text of letters, as plain text and as HTML. What
// they say stands in the catalogue.
package letter

import (
	"embed"
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/text"
)

//go:embed letter.html letter.txt
var files embed.FS

// Writer writes letters. It is safe for concurrent use.
type Writer struct {
	texts text.Catalogue
	html  *htmltemplate.Template
	plain *texttemplate.Template
	url   string
}

// NewWriter returns a writer whose links lead to the public URL. It fails when
// the program was built with a damaged template or catalogue.
func NewWriter(public *url.URL) (*Writer, error) {
	w := &Writer{url: strings.TrimSuffix(public.String(), "/")}
	var err error
	if w.texts, err = text.English(); err != nil {
		return nil, err
	}
	if w.html, err = htmltemplate.New("letter.html").Funcs(htmltemplate.FuncMap{"t": w.texts.Text}).ParseFS(files, "letter.html"); err != nil {
		return nil, fmt.Errorf("letter: %w", err)
	}
	if w.plain, err = texttemplate.New("letter.txt").Funcs(texttemplate.FuncMap{"t": w.texts.Text}).ParseFS(files, "letter.txt"); err != nil {
		return nil, fmt.Errorf("letter: %w", err)
	}
	return w, nil
}

// filled is what the templates get.
type filled struct {
	Title  string
	Lead   string
	Name   string // of the person
	User   string // user name; empty when the letter need not tell it
	Button string // the label of the link
	Link   string
	Code   string
	Until  string // of the link
	// CodeUntil is how long the code is good.
	CodeUntil string
	Facts     []fact
	NotMe     string // the link of *This wasn't me*
	Ask       bool   // who did not do it has no link, and is to ask an administrator
	Portal    string // the address of the portal
	Why       string // why the person gets this
}

// fact is a line of what happened.
type fact struct{ Name, Value string }

// Write writes a letter.
func (w *Writer) Write(l mail.Letter) (mail.Message, error) {
	m := mail.Message{ID: l.ID, To: l.To, Date: l.CreatedAt}
	f, err := w.fill(l)
	if err != nil {
		return m, err
	}
	if m.Subject, err = w.texts.Text("mail." + string(l.Kind) + ".subject"); err != nil {
		return m, err
	}
	var html, plain strings.Builder
	if err := w.html.Execute(&html, f); err != nil {
		return m, fmt.Errorf("letter: %w", err)
	}
	if err := w.plain.Execute(&plain, f); err != nil {
		return m, fmt.Errorf("letter: %w", err)
	}
	m.HTML, m.Text = html.String(), tidy(plain.String())
	return m, nil
}

func (w *Writer) fill(l mail.Letter) (filled, error) {
	c := l.Content
	f := filled{Name: line(c.Name), Portal: w.url + "/start", Code: spaced(c.Code)}
	kind := "mail." + string(l.Kind)
	for _, one := range []struct {
		key string
		to  *string
	}{{kind + ".title", &f.Title}, {kind + ".text", &f.Lead}, {kind + ".why", &f.Why}} {
		var err error
		if *one.to, err = w.texts.Text(one.key); err != nil {
			return f, err
		}
	}
	if c.Path != "" {
		if f.Link = w.url + c.Path; c.At.IsZero() { // or it is among the facts
			f.User = line(c.UserName)
		}
		var err error
		if f.Button, err = w.texts.Text(kind + ".button"); err != nil {
			return f, err
		}
	}
	if c.Path != "" {
		f.Until = when(c.Until)
	}
	f.CodeUntil = when(c.CodeUntil)
	if c.NotMe != "" {
		f.NotMe = w.url + c.NotMe
	}
	f.Ask = c.NotMe == "" && l.Kind.Undoable()
	return f, w.happened(&f, c)
}

// happened fills in what is told of a change.
func (w *Writer) happened(f *filled, c mail.Content) error {
	if c.At.IsZero() {
		return nil
	}
	for _, one := range []struct{ key, value string }{
		{"mail.fact.user", c.UserName},
		{"mail.fact.about", c.About},
		{"mail.fact.by", c.By},
		{"mail.fact.at", when(c.At)},
		{"mail.fact.from", c.From},
		{"mail.fact.client", c.Client},
	} {
		if one.value == "" {
			continue
		}
		name, err := w.texts.Text(one.key)
		if err != nil {
			return err
		}
		f.Facts = append(f.Facts, fact{name, line(one.value)})
	}
	return nil
}

// when is a time for people.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 January 2006 15:04 MST")
}

// spaced is a code in groups of four, as people read it.
func spaced(code string) string {
	if len(code) != 8 {
		return code
	}
	return code[:4] + " " + code[4:]
}

// maxLine is the longest value in a text, in characters.
const maxLine = 200

// line makes one line of a value that somebody chose.
func line(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)), " ")
	if runes := []rune(s); len(runes) > maxLine {
		s = string(runes[:maxLine-1]) + "…"
	}
	return s
}

// tidy takes out the empty lines that the template leaves where it says
// nothing.
func tidy(s string) string {
	for strings.Contains(s, "\n\n\n") {
		s = strings.ReplaceAll(s, "\n\n\n", "\n\n")
	}
	return strings.TrimSpace(s) + "\n"
}
