package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/text"
)

//go:embed templates assets
var files embed.FS

// view turns data into pages.
type view struct {
	texts  text.Catalogue
	pages  map[string]*template.Template // by name
	assets map[string]asset              // by name in addresses
	names  map[string]string             // of assets: file name → name in addresses
}

// asset is a file that pages refer to. Its name changes with its content, so
// that browsers may keep it.
type asset struct {
	mediaType string
	content   []byte
}

func newView() (*view, error) {
	v := &view{pages: make(map[string]*template.Template), assets: make(map[string]asset), names: make(map[string]string)}
	var err error
	if v.texts, err = text.English(); err != nil {
		return nil, err
	}
	if err := v.loadAssets(); err != nil {
		return nil, err
	}
	return v, v.loadTemplates()
}

func (v *view) loadAssets() error {
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	return fs.WalkDir(files, "assets", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := files.ReadFile(file)
		if err != nil {
			return fmt.Errorf("pages: %w", err)
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(file)
		name := strings.TrimSuffix(path.Base(file), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		v.assets[name] = asset{types[ext], content}
		v.names[path.Base(file)] = name
		return nil
	})
}

func (v *view) loadTemplates() error {
	functions := template.FuncMap{
		"t":     v.texts.Text,
		"asset": func(file string) string { return "/signin/assets/" + v.names[file] },
	}
	layout, err := template.New("layout.html").Funcs(functions).Option("missingkey=error").ParseFS(files, "templates/layout.html")
	if err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	all, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	for _, file := range all {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" {
			continue
		}
		page, err := layout.Clone()
		if err == nil {
			page, err = page.ParseFS(files, file)
		}
		if err != nil {
			return fmt.Errorf("pages: %w", err)
		}
		v.pages[name] = page
	}
	return nil
}

// asset serves a file that pages refer to.
func (v *view) asset(w http.ResponseWriter, r *http.Request) {
	a, ok := v.assets[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.mediaType)
	h.Set("Content-Length", strconv.Itoa(len(a.content)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	// A browser that went away reads no answer.
	_, _ = w.Write(a.content)
}

// page is what every template gets.
type page struct {
	Title string // key of the catalogue
	Nonce string
	Token string // for forms
	// Store and Region say whose portal it is; empty when there is none.
	Store, Region string
	// User is what the person who is signed in is called; "" for nobody.
	User string
	// Left is how many seconds the session has left; 0 for nobody's.
	Left int
	Data map[string]any

	visit *visit
}

// Own is a text that may be another one for root users.
func (p *page) Own(key string) string { return p.visit.text(key) }

// Contact is whom people ask who cannot go on, as an administrator has set it;
// "" when nobody has.
func (p *page) Contact() string { return p.visit.contact() }

// show answers with a page. title is a key of the catalogue.
func (v *visit) show(status int, name, title string, data map[string]any) {
	session, user := v.self()
	p := &page{
		visit: v, Title: title, Nonce: v.nonce, Token: v.token(),
		Store: v.instance.IdentityStoreID, Region: v.instance.Region, User: user.DisplayName, Left: max(int(session.ExpiresAt.Sub(v.now)/time.Second), 0), Data: data,
	}
	var body bytes.Buffer
	if err := v.pages.view.pages[name].Execute(&body, p); err != nil {
		v.pages.Log.LogAttrs(v.r.Context(), slog.LevelError, "page could not be written",
			slog.String("request_id", v.RequestID), slog.String("page", name), slog.String("cause", err.Error()))
		v.status = http.StatusInternalServerError
		http.Error(v.w, v.text("error.internal", "request", v.RequestID), v.status)
		return
	}
	v.secureHeaders()
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	target, _ := data["FormTarget"].(string)
	h.Set("Content-Security-Policy", contentPolicy(v.nonce, target))
	v.status = status
	v.w.WriteHeader(status)
	// A browser that went away reads no answer.
	_, _ = v.w.Write(body.Bytes())
}

// contact is the contact of the portal's directory, for who is of it: root users
// are not.
func (v *visit) contact() string {
	if v.asRoot {
		return ""
	}
	var s authsettings.Settings
	err := v.pages.DB.View(v.r.Context(), func(tx Tx) (err error) {
		s, err = authsettings.Of(tx, v.instance.IdentityStoreID)
		return err
	})
	if err != nil {
		return "" // the page says to ask an administrator
	}
	return s.Contact
}

// secureHeaders sets what every answer of a page has, beside what all of the
// server's have.
func (v *visit) secureHeaders() {
	h := v.w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// contentPolicy is a page's Content-Security-Policy. formTarget is an origin,
// beside our own, to which the page's form may lead.
func contentPolicy(nonce, formTarget string) string {
	if formTarget != "" {
		formTarget = " " + formTarget
	}
	return "default-src 'none'; style-src 'nonce-" + nonce + "'; script-src 'nonce-" + nonce + "'; img-src 'self'; " +
		"form-action 'self'" + formTarget + "; base-uri 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
}

// text is a text of the catalogue, or the one that root users have in its
// place. A mistake in the program shows as the key.
func (v *visit) text(key string, pairs ...string) string {
	if own := key + ".root"; v.asRoot && v.pages.view.texts.Has(own) {
		key = own
	}
	s, err := v.pages.view.texts.Text(key, pairs...)
	if err != nil {
		return key
	}
	return s
}
