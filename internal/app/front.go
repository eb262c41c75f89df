package app

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/atrium-iam/atrium/internal/dataplane/s3"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/text"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// hosts are the names that a node answers to. The people host serves pages
// and APIs, the data host stored content: different origins, so that a stored
// object never runs script beside the sign-in page.
type hosts struct {
	people []string // host or host:port, lower case
	// data tells whether content is served under the name: the data host's, or
	// that of a bucket below it.
	data func(host string) bool
}

// newHosts reads the host of the public URL. AWS's own names for the services
// are people hosts too, for networks that redirect them here.
func newHosts(people *url.URL, data func(string) bool, region string) hosts {
	h := hosts{people: []string{strings.ToLower(people.Host)}, data: data}
	for _, name := range []string{"oidc." + region, "portal.sso." + region, "sso." + region, "identitystore." + region, "sts." + region, "organizations.us-east-1"} {
		h.people = append(h.people, name+".amazonaws.com")
	}
	h.people = append(h.people, "sts.amazonaws.com", "organizations.us-east-1.amazonaws.com")
	return h
}

func (h hosts) known(host string) bool { return h.isPeople(host) || h.data(host) }

func (h hosts) isPeople(host string) bool { return slices.Contains(h.people, strings.ToLower(host)) }

// front is the outermost handler: hosts, health, the two doors for signed
// requests, and then what stands on the people host.
type front struct {
	hosts   hosts
	s3      *s3.Handler
	gateway *gateway.Gateway
	people  http.Handler
	// ready tells why the node cannot serve, note what else an operator should
	// know.
	ready func(*http.Request) error
	note  func() string
	// exposed tells whether a request came over the network without TLS to a
	// node whose public URL has it.
	exposed func(*http.Request) bool
	texts   text.Catalogue
}

// mounter is a part of the program that serves addresses on the people host.
type mounter interface {
	// Mount adds the part's addresses. Two parts must not want the same one.
	Mount(mux *http.ServeMux)
}

// mount puts parts together to what the people host serves.
func mount(parts ...mounter) http.Handler {
	mux := http.NewServeMux()
	for _, p := range parts {
		p.Mount(mux)
	}
	return mux
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	known := f.hosts.known(r.Host)
	switch {
	case r.URL.Path != "/healthz" && r.URL.Path != "/readyz" && f.exposed(r):
		plain(w, http.StatusForbidden, f.text("server.insecure"))
	case known && s3.Signed(r):
		// The scope decides before the path does: buckets can be called like
		// anything that is served here.
		f.s3.ServeHTTP(w, r)
	case r.URL.Path == "/healthz" || r.URL.Path == "/readyz":
		f.health(w, r)
	case !known:
		plain(w, http.StatusMisdirectedRequest, f.text("server.host"))
	case f.gateway.Handles(r):
		f.gateway.ServeHTTP(w, r)
	case f.hosts.isPeople(r.Host):
		f.people.ServeHTTP(w, r)
	default:
		f.s3.ServeHTTP(w, r) // which refuses what is not signed, in S3's words
	}
}

// health answers probes: /healthz when the process is up, /readyz when it can
// reach its database and read its keys.
func (f *front) health(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/readyz" {
		if err := f.ready(r); err != nil {
			plain(w, http.StatusServiceUnavailable, f.text(unready(err)))
			return
		}
	}
	plain(w, http.StatusOK, "ok")
}

// unready is the text of the catalogue that tells why a node is not ready.
func unready(err error) string {
	if errors.Is(err, keys.ErrOtherRoot) {
		return "server.unready.root_key"
	}
	return "server.unready"
}

// text is a text of the catalogue. A mistake in the program shows as the key.
func (f *front) text(key string) string {
	s, err := f.texts.Text(key)
	if err != nil {
		return key
	}
	return s
}

// operatorsHealth is health for those who reach the admin listener. It says
// more.
func (f *front) operatorsHealth(w http.ResponseWriter, r *http.Request) {
	if note := f.note(); note != "" && r.URL.Path == "/readyz" && f.ready(r) == nil {
		plain(w, http.StatusOK, "ok, but "+note)
		return
	}
	f.health(w, r)
}

func plain(w http.ResponseWriter, status int, said string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// A client that went away reads no answer.
	_, _ = io.WriteString(w, said+"\n")
}

// clientIP returns a function that tells the address of a request's client:
// the peer's, or, when the peer is a trusted proxy, the last address in
// X-Forwarded-For that is not one. What lies before that address could be
// invented by the client and is not looked at.
func clientIP(trusted []netip.Prefix) func(*http.Request) netip.Addr {
	isTrusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	return func(r *http.Request) netip.Addr {
		peer := parseAddr(r.RemoteAddr)
		if !isTrusted(peer) {
			return peer
		}
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for _, hop := range slices.Backward(hops) {
			a := parseAddr(strings.TrimSpace(hop))
			if !a.IsValid() {
				return peer
			}
			peer = a
			if !isTrusted(a) {
				return a
			}
		}
		return peer
	}
}

// parseAddr reads an address with or without a port; the zero Addr when it is
// neither.
func parseAddr(s string) netip.Addr {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// exposed returns a function that tells whether a request came over the network
// without TLS although clients are told an address with it. What comes from
// this machine is let through: a health check, or a proxy beside the node.
func exposed(people *url.URL, secure func(*http.Request) bool, client func(*http.Request) netip.Addr) func(*http.Request) bool {
	return func(r *http.Request) bool {
		return people.Scheme == "https" && !secure(r) && !client(r).IsLoopback()
	}
}

// secure tells whether the client's own connection was encrypted: ours, or
// the trusted proxy's.
func secure(trusted []netip.Prefix) func(*http.Request) bool {
	return func(r *http.Request) bool {
		if r.TLS != nil {
			return true
		}
		peer := parseAddr(r.RemoteAddr)
		fromProxy := slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(peer) })
		return fromProxy && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
	}
}
