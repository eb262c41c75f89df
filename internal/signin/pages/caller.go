package pages

import (
	"crypto/hmac"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/session"
)

// TokenHeader carries the page's token in calls that its script makes. The
// page has it in <meta name="csrf-token">; forms have the same as a field.
const TokenHeader = "X-Atrium-Csrf" //nolint:gosec // a name, no token

// Caller is who calls an operation from script of a page.
type Caller struct {
	Instance instance.Instance
	Session  session.Session
	User     directory.User
}

// Caller tells who calls an operation from script of one of the pages: whoever
// the cookie says is signed in, by the same rules as for pages themselves.
//
// It is a fault.Denied when the call does not come from a page of this server
// (subject "cross_site"), when nobody is signed in ("token"), or when the page
// is not of this session ("csrf").
func (p *Pages) Caller(r *http.Request) (Caller, error) {
	v := p.newVisit(nil, r)
	if !v.fromOurPage() {
		return Caller{}, fault.New(fault.Denied, "cross_site", "Operations are called by this server's own pages only.")
	}
	switch err := v.recognise(); {
	case errors.Is(err, errInsecure):
		return Caller{}, fault.New(fault.Denied, "insecure", "This server is reached without TLS, which is for this machine only.")
	case errors.Is(err, errDisabled):
		return Caller{}, fault.New(fault.NotFound, "instance", "IAM Identity Center is not enabled on this server.")
	case err != nil:
		return Caller{}, err
	case v.user.ID == "":
		return Caller{}, fault.New(fault.Denied, "token", "Session token not found or invalid")
	case v.Browser == "" || !hmac.Equal([]byte(r.Header.Get(TokenHeader)), []byte(v.token())):
		return Caller{}, fault.New(fault.Denied, "csrf", "This page is not of the session that is signed in now. Load it again.")
	}
	return Caller{Instance: v.instance, Session: v.session, User: v.user}, nil
}

// fromOurPage tells whether a request comes from script of a page of this very
// origin. Unlike forms, which old browsers send without saying where from,
// such a request always says so.
func (v *visit) fromOurPage() bool {
	site := v.r.Header.Values("Sec-Fetch-Site")
	if len(site) > 0 && (len(site) != 1 || site[0] != "same-origin") {
		return false
	}
	if len(site) == 1 && v.r.Header.Get("Origin") == "" {
		return true
	}
	origin, err := url.Parse(v.r.Header.Get("Origin"))
	scheme := "http"
	if v.secure {
		scheme = "https"
	}
	return err == nil && origin.Scheme == scheme && origin.Host != "" && strings.EqualFold(origin.Host, v.r.Host)
}
