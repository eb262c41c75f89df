// Package pages serves what people see of signing in: the sign-in itself, the
// approval of devices and applications, and a plain access portal. Pages are
// forms that work without script; what they do, the domain does.
//
// Everything that changes something is a POST that must come from a page of
// this server: the browser says so (Sec-Fetch-Site or Origin), and the form
// carries a token that only such a page can have.
package pages

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/clientenv"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/throttle"
	"github.com/atrium-iam/atrium/internal/webui"
)

// Tx is what the pages need of a transaction.
type Tx interface {
	directory.UserReader
	session.Tx
	throttle.Tx
	audit.Tx
	portalReader
	instance.PortalReader
	oauth.DeviceTx
	oauth.CodeTx
	oauth.FamilyTx
}

// DB runs transactions. Their functions may run more than once.
type DB interface {
	Update(ctx context.Context, f func(Tx) error) error
	View(ctx context.Context, f func(Tx) error) error
}

// Options is what Pages are made of. All but Web and First are required.
type Options struct {
	Flow *signin.Flow
	DB   DB
	Root RootConsole
	// Keys open requests for authorization.
	Keys oauth.Keys
	// Installation is in the names of cookies: it stays the same for as long as
	// there is the installation, whatever becomes of Identity Center.
	Installation string
	// Endpoints are what people configure their clients with.
	Endpoints clientenv.Endpoints
	// Web is the web application; nil for plain pages only.
	Web *webui.App
	// First returns what the web application asks for as soon as it runs, to be
	// sent along: the answers by operation. It may be nil.
	First func(r *http.Request, c Caller) map[string]json.RawMessage
	IDs   ident.Source
	Now   func() time.Time
	Log   *slog.Logger
	// ClientIP tells the address of a request's client.
	ClientIP func(*http.Request) netip.Addr
	// Secure tells whether a request arrived over TLS.
	Secure func(*http.Request) bool
	// Observe is told of every request once it is answered.
	Observe func(Event)
}

// Event is one request of a page.
type Event struct {
	Page     string // the pattern of its address: "GET /signin/{id}"
	Status   int
	Duration time.Duration
}

// Pages serves the pages.
type Pages struct {
	Options
	view   *view
	origin *http.CrossOriginProtection
}

// New prepares the pages. It fails when a template or the catalogue is
// damaged.
func New(o Options) (*Pages, error) {
	v, err := newView()
	if err != nil {
		return nil, err
	}
	return &Pages{Options: o, view: v, origin: http.NewCrossOriginProtection()}, nil
}

// Mount adds the pages' addresses to mux.
func (p *Pages) Mount(mux *http.ServeMux) {
	open := map[string]handler{ // to everybody
		"GET /{$}":                       p.home,
		"GET /start/{$}":                 p.home,
		"GET /signin":                    p.username,
		"POST /signin":                   p.begin,
		"GET /signin/{id}":               p.attempting(p.step),
		"POST /signin/{id}/password":     p.attempting(p.givePassword),
		"POST /signin/{id}/new-password": p.attempting(p.newPassword),
		"POST /signin/out":               p.signOut,
		"GET /signin/signed-out":         p.signedOut,
		"/":                              p.notFound,
	}
	maps.Copy(open, p.rootPages())
	for pattern, h := range open {
		mux.Handle(pattern, p.handle(h))
	}
	signedIn := map[string]handler{
		"GET /start":            p.start,
		"GET /start/plain":      p.portal,
		"GET /device":           p.device,
		"POST /device":          p.enterCode,
		"POST /device/confirm":  p.confirmDevice,
		"POST /device/allow":    p.allowDevice,
		"POST /device/deny":     p.denyDevice,
		"GET /device/done":      p.deviceDone,
		"GET /device/denied":    p.deviceDenied,
		"GET " + ConsentPath:    p.consent,
		"POST /authorize/allow": p.allow,
		"POST /authorize/deny":  p.deny,
	}
	for pattern, h := range signedIn {
		mux.Handle(pattern, p.handle(p.signedIn(h)))
	}
	p.mountFactors(mux)
	p.mountMail(mux)
	p.mountAccount(mux)
	p.mountSelf(mux)
	mux.HandleFunc("GET /signin/assets/{file}", p.view.asset)
	if p.Web.Built() {
		p.Web.Mount(mux)
	}
}

// handler serves one address. Its error becomes a page.
type handler func(v *visit) error

// maxForm is the largest form that is read, in bytes.
const maxForm = 16 << 10

// handle does what is the same for all pages.
func (p *Pages) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		v := p.newVisit(w, r)
		err := v.prepare()
		if err == nil {
			err = h(v)
		}
		if err != nil {
			v.fail(err)
		}
		v.observe(err)
	})
}

// observe leaves the one event of a request in the log and the metrics. cause
// is why the page was refused, if it was.
func (v *visit) observe(cause error) {
	e := Event{Page: v.r.Pattern, Status: v.status, Duration: v.pages.Now().Sub(v.now)}
	attrs := []slog.Attr{
		slog.String("request_id", v.RequestID), slog.String("page", e.Page), slog.Int("status", e.Status),
		slog.String("source_ip", v.Address.String()), slog.String("user", v.user.ID), slog.Duration("duration", e.Duration),
	}
	level := slog.LevelInfo
	if cause != nil {
		attrs = append(attrs, slog.String("cause", cause.Error()))
	}
	if e.Status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	v.pages.Log.LogAttrs(v.r.Context(), level, "page", attrs...)
	v.pages.Observe(e)
}

// signedIn sends those who are not signed in to do so, and lets the others
// through.
func (p *Pages) signedIn(h handler) handler {
	return func(v *visit) error {
		if v.user.ID != "" {
			return h(v)
		}
		to := v.r.URL.RequestURI()
		if v.r.Method != http.MethodGet {
			var err error
			if to, _, err = v.formPage(); err != nil {
				return err
			}
		}
		v.redirect(v.signInPage("", destination(to)))
		return nil
	}
}

func (p *Pages) home(v *visit) error {
	v.redirect("/start")
	return nil
}

func (p *Pages) notFound(*visit) error { return errNotFound }
