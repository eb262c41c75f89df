package pages

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/rootuser"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
)

// visit is one request of a person's browser, and what is known of both.
type visit struct {
	signin.Visit
	pages    *Pages
	w        http.ResponseWriter
	r        *http.Request
	now      time.Time
	secure   bool
	nonce    string // of the page's style and script
	instance instance.Instance
	disabled bool // there is no instance
	// session and user are those of who is signed in; zero for nobody.
	session session.Session
	user    directory.User
	// rootSession and root are those of a root user who is signed in instead.
	rootSession session.Session
	root        directory.User
	// attempt is the sign-in of the address, if it was begun in this browser.
	attempt signin.Attempt
	// asRoot tells that a root user is signed in, or is signing in: some texts
	// are others for them.
	asRoot bool
	status int // of the answer
}

func (p *Pages) newVisit(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{
		Visit: signin.Visit{Address: p.ClientIP(r), UserAgent: r.UserAgent(), RequestID: p.IDs.UUID()},
		pages: p, w: w, r: r, now: ident.Millis(p.Now()), secure: p.Secure(r),
		nonce: base64.RawStdEncoding.EncodeToString(p.IDs.Bytes(16)),
	}
}

// prepare finds out who visits, and refuses what must not go on.
func (v *visit) prepare() error {
	if err := v.recognise(); err != nil {
		return err
	}
	if v.r.Method == http.MethodGet || v.r.Method == http.MethodHead {
		v.ensureBrowser()
		return nil
	}
	return v.checkForm()
}

// recognise finds out who visits, if the connection may be trusted with that.
func (v *visit) recognise() error {
	if !v.secure && !isLoopback(v.r.Host, v.Address) {
		return errInsecure
	}
	return v.identify()
}

// isLoopback tells whether a connection without TLS never leaves the machine.
func isLoopback(host string, client netip.Addr) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	if addr, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return addr.IsLoopback() && client.IsLoopback()
	}
	return (name == "localhost" || strings.HasSuffix(name, ".localhost")) && client.IsLoopback()
}

// identify reads whose portal this is and who is signed in.
func (v *visit) identify() error {
	return v.pages.DB.View(v.r.Context(), func(tx Tx) error {
		in, found, err := tx.PortalInstance()
		if err != nil {
			return err
		}
		v.disabled = !found
		if !found && needsInstance(v.r.URL.Path) {
			return errDisabled
		}
		v.instance = in
		v.Browser = v.cookie(browserCookie)
		s, u, err := signedInAs(tx, v.now, in, v.cookie(sessionCookie))
		if _, isRoot := rootuser.AccountOf(s.StoreID); isRoot {
			v.rootSession, v.root, v.asRoot = s, u, u.ID != ""
		} else {
			v.session, v.user = s, u
		}
		return err
	})
}

// signedInAs returns the session that a token opens and its person; zero ones
// when it opens none, or none that may be used.
func signedInAs(tx Tx, now time.Time, in instance.Instance, token string) (session.Session, directory.User, error) {
	s, found, err := session.ByToken(tx, now, token)
	if _, isRoot := rootuser.AccountOf(s.StoreID); err != nil || !found || s.StoreID != in.IdentityStoreID && !isRoot {
		return session.Session{}, directory.User{}, err
	}
	u, found, err := session.PersonOf(tx, s)
	if err != nil || !found {
		return session.Session{}, directory.User{}, err
	}
	return s, u, nil
}

// The cookies: a session's token, and the secret to which attempts and forms
// are bound.
const (
	sessionCookie = ""
	browserCookie = "_browser"
)

// cookieName is the name of one of the cookies. Over TLS it has the prefix by
// which browsers keep other hosts and paths from setting it. It carries the
// installation, because all ports of a host share their cookies.
func (v *visit) cookieName(cookie string) string {
	name := "atrium_" + v.pages.Installation + cookie
	if v.secure {
		name = "__Host-" + name
	}
	return name
}

func (v *visit) cookie(cookie string) string {
	c, err := v.r.Cookie(v.cookieName(cookie))
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie sets a cookie that lasts until a time; the zero time means until
// the browser ends.
func (v *visit) setCookie(cookie, value string, until time.Time) {
	c := &http.Cookie{ //nolint:gosec // G124: Secure but on loopback, where there is no TLS
		Name: v.cookieName(cookie), Value: value, Path: "/",
		HttpOnly: true, Secure: v.secure, SameSite: http.SameSiteLaxMode,
	}
	if !until.IsZero() {
		c.MaxAge = max(int(until.Sub(v.now)/time.Second), 1)
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(v.w, c)
}

// secretSize is how many random bytes a browser's secret has.
const secretSize = 32

// ensureBrowser gives the browser a secret when it has none of the right form.
func (v *visit) ensureBrowser() {
	if v.hasSecret() {
		return
	}
	v.Browser = base64.RawURLEncoding.EncodeToString(v.pages.IDs.Bytes(secretSize))
	v.setCookie(browserCookie, v.Browser, time.Time{})
}

// hasSecret tells whether the browser has a secret of the right form.
func (v *visit) hasSecret() bool {
	secret, err := base64.RawURLEncoding.DecodeString(v.Browser)
	return err == nil && len(secret) == secretSize
}

// token is what the forms of a browser carry. A page of another origin can
// neither read it nor compute it.
func (v *visit) token() string {
	mac := hmac.New(sha256.New, []byte(v.Browser))
	mac.Write([]byte("form\x00" + v.session.ID))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// checkForm refuses a form that is not of one of our own pages. One that this
// origin sends, and may be of a page that was open when a session began or
// ended, is errStale: it is refused too.
func (v *visit) checkForm() error {
	if v.pages.origin.Check(v.r) != nil || v.Browser == "" {
		return errForged
	}
	if err := v.r.ParseForm(); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return errLarge
		}
		return errForged
	}
	switch {
	case hmac.Equal([]byte(v.field("csrf")), []byte(v.token())):
		return nil
	case v.hasSecret() && v.fromOurPage():
		return errStale
	default:
		return errForged
	}
}

// field is a field of the form.
func (v *visit) field(name string) string { return v.r.PostFormValue(name) }

// redirect sends the browser to an address of this server, or to one that was
// checked by whoever gives it.
func (v *visit) redirect(to string) {
	v.secureHeaders()
	v.w.Header().Set("Location", to)
	v.status = http.StatusSeeOther
	v.w.WriteHeader(v.status)
}
