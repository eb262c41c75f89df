// Package preview is the mail server of a dev node that has none: it keeps the
// messages, prints them to the terminal and shows them on a page. Whoever can
// see the page can act as anybody, so it is for a node on one's own machine.
package preview

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"sync"

	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/text"
)

//go:embed list.html
var files embed.FS

// Path is where the page lies on the people host.
const Path = "/dev/mail"

// kept is how many messages are kept.
const kept = 200

// Box keeps messages. It is safe for concurrent use. A restart empties it.
type Box struct {
	out  io.Writer
	list *template.Template

	mu       sync.Mutex
	messages []mail.Message // newest first
}

// New returns a box that prints each message to out.
func New(out io.Writer) (*Box, error) {
	texts, err := text.English()
	if err != nil {
		return nil, err
	}
	list, err := template.New("list.html").Funcs(template.FuncMap{"t": texts.Text}).ParseFS(files, "list.html")
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	return &Box{out: out, list: list}, nil
}

// Deliver is part of mail.Transport.
func (b *Box) Deliver(_ context.Context, m mail.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = slices.Insert(b.messages, 0, m)
	b.messages = b.messages[:min(len(b.messages), kept)]
	// A terminal that is gone loses nothing: the page has the message.
	_, _ = fmt.Fprintf(b.out, "\n--- mail to %s ---\nSubject: %s\n\n%s--- also at %s ---\n\n", m.To, m.Subject, m.Text, Path)
	return nil
}

// Mount adds the page's addresses.
func (b *Box) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET "+Path, b.show)
	mux.HandleFunc("GET "+Path+"/{id}", b.message)
}

// all returns the messages, newest first.
func (b *Box) all() []mail.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.messages)
}

func (b *Box) show(w http.ResponseWriter, _ *http.Request) {
	headers(w, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	// A browser that went away reads no answer.
	_ = b.list.Execute(w, b.all())
}

// message shows one message as a mail program does: without script, and without
// an origin.
func (b *Box) message(w http.ResponseWriter, r *http.Request) {
	all := b.all()
	i := slices.IndexFunc(all, func(m mail.Message) bool { return m.ID == r.PathValue("id") })
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	headers(w, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; sandbox allow-top-navigation-by-user-activation")
	_, _ = io.WriteString(w, all[i].HTML)
}

func headers(w http.ResponseWriter, policy string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}
