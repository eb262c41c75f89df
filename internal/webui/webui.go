// Package webui holds the web application of the AWS access portal, as "make
// web" has built it into the program, and serves its files. A program that was
// built without it serves plain pages instead.
//
// What the application may show, and to whom, is not decided here: it is the
// same files for everybody.
package webui

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed all:built
var embedded embed.FS

// App is the web application, or the lack of it.
type App struct {
	page  string
	files map[string]file // by name below /start/assets/
}

// file is a file of the application, as it is and as it was compressed when
// the application was built.
type file struct {
	mediaType           string
	plain, gzip, brotli []byte
}

// New reads what was built into the program. It fails when that is damaged.
func New() (*App, error) { return Open(embedded) }

// Open reads the application from the directory built/web of a file system,
// if there is one.
func Open(all fs.FS) (*App, error) {
	a := &App{files: make(map[string]file)}
	page, err := fs.ReadFile(all, "built/web/index.html")
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return nil, fmt.Errorf("webui: %w", err)
	}
	a.page = string(page)
	for _, place := range []string{noncePlace, tokenPlace, firstPlace} {
		if !strings.Contains(a.page, place) {
			return nil, fmt.Errorf("webui: the page has no %s: build it anew with make web", place)
		}
	}
	return a, a.read(all)
}

func (a *App) read(all fs.FS) error {
	const dir = "built/web/assets"
	entries, err := fs.ReadDir(all, dir)
	if err != nil {
		return fmt.Errorf("webui: %w", err)
	}
	for _, e := range entries {
		mediaType, ok := mediaTypes()[path.Ext(e.Name())]
		if !ok {
			continue // a compressed form
		}
		f := file{mediaType: mediaType}
		for suffix, content := range map[string]*[]byte{"": &f.plain, ".gz": &f.gzip, ".br": &f.brotli} {
			if *content, err = fs.ReadFile(all, path.Join(dir, e.Name()+suffix)); err != nil {
				return fmt.Errorf("webui: %w", err)
			}
		}
		a.files[e.Name()] = f
	}
	return nil
}

func mediaTypes() map[string]string {
	return map[string]string{
		".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2",
	}
}

// Built reports whether there is an application to serve.
func (a *App) Built() bool { return a != nil && a.page != "" }

// The places in the page that are filled for every answer.
const (
	noncePlace = "__NONCE__"
	tokenPlace = "__CSRF__" //nolint:gosec // a name, no token
	firstPlace = "__FIRST__"
)

// Page returns the application's page, in HTML. nonce is that of the answer's
// ContentPolicy, token is what its script sends along with its calls. first is
// what it would ask for first, by operation.
func (a *App) Page(nonce, token string, first map[string]json.RawMessage) ([]byte, error) {
	data, err := json.Marshal(first)
	if err != nil {
		return nil, fmt.Errorf("webui: %w", err)
	}
	places := strings.NewReplacer(noncePlace, html.EscapeString(nonce), tokenPlace, html.EscapeString(token), firstPlace, html.EscapeString(string(data)))
	return []byte(places.Replace(a.page)), nil
}

// ContentPolicy is the Content-Security-Policy of the page: script and style
// of ours only, nothing inline, calls to this server only, and no text that
// becomes script (Trusted Types, without any policy that could make some).
func ContentPolicy(nonce string) string {
	return "default-src 'none'; script-src 'nonce-" + nonce + "'; style-src 'nonce-" + nonce + "'; " +
		"img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
}

// Mount adds the addresses of the application's files.
func (a *App) Mount(mux *http.ServeMux) { mux.HandleFunc("GET /start/assets/{file}", a.file) }

// file serves a file. Its name changes with its content, so that browsers may
// keep it for good.
func (a *App) file(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[r.PathValue("file")]
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if !ok {
		h.Set("Cache-Control", "no-store")
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
		return
	}
	content, encoding := f.encoded(r.Header.Values("Accept-Encoding"))
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	h.Set("Vary", "Accept-Encoding")
	h.Set("Content-Type", f.mediaType)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	// A browser that went away reads no answer.
	_, _ = w.Write(content)
}

// encoded returns the smallest form of the file that the client takes.
func (f file) encoded(accepted []string) (content []byte, encoding string) {
	takes := func(encoding string) bool { return accepts(accepted, encoding) }
	switch {
	case takes("br"):
		return f.brotli, "br"
	case takes("gzip"):
		return f.gzip, "gzip"
	default:
		return f.plain, ""
	}
}

// accepts reads Accept-Encoding (RFC 9110, 12.5.3). A wildcard is not taken
// for consent: who has it in mind names gzip as well.
func accepts(headers []string, encoding string) bool {
	for _, header := range headers {
		for _, item := range strings.Split(header, ",") {
			name, parameters, _ := strings.Cut(item, ";")
			if !strings.EqualFold(strings.TrimSpace(name), encoding) {
				continue
			}
			weight, weighed := strings.CutPrefix(strings.TrimSpace(parameters), "q=")
			q, err := strconv.ParseFloat(weight, 64)
			return !weighed || err == nil && q > 0
		}
	}
	return false
}
