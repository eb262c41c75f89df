package oauth

import (
	"net/url"
	"strings"
)

// loopback reads the redirect URI of a program on the person's own machine
// (RFC 8252, section 7.3): http, the address 127.0.0.1 or [::1] in exactly
// this spelling, any port, any path. Names, "localhost" among them, may lead
// elsewhere and are refused, as is everything that two parsers could read
// differently.
func loopback(uri string) (*url.URL, bool) {
	if len(uri) > maxRedirectURI || strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) {
		return nil, false
	}
	rest, ok := strings.CutPrefix(uri, "http://")
	if !ok {
		return nil, false
	}
	authority, _, _ := strings.Cut(rest, "/")
	port, ok := strings.CutPrefix(authority, "127.0.0.1")
	if !ok {
		port, ok = strings.CutPrefix(authority, "[::1]")
	}
	if !ok || !isPort(port) || strings.ContainsAny(uri, "?#") {
		return nil, false
	}
	u, err := url.Parse(uri)
	if err != nil || hasDotSegment(u.Path) {
		return nil, false
	}
	return u, true
}

// isPort tells whether s is empty or ":" and a port.
func isPort(s string) bool {
	if s == "" {
		return true
	}
	digits, ok := strings.CutPrefix(s, ":")
	return ok && len(digits) >= 1 && len(digits) <= 5 && digits[0] != '0' && strings.Trim(digits, "0123456789") == "" &&
		(len(digits) < 5 || digits <= "65535")
}

// hasDotSegment tells whether browsers would shorten a path before they ask
// for it.
func hasDotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// redirectAllowed tells whether a client that registered these URIs may have a
// person sent to uri: all but the port must be one of them.
func redirectAllowed(registered []string, uri string) bool {
	u, ok := loopback(uri)
	if !ok {
		return false
	}
	for _, r := range registered {
		known, ok := loopback(r)
		if ok && known.Hostname() == u.Hostname() && pathOf(known) == pathOf(u) {
			return true
		}
	}
	return false
}

// pathOf is a URI's path as it travels; none and "/" are the same.
func pathOf(u *url.URL) string {
	if path := u.EscapedPath(); path != "" {
		return path
	}
	return "/"
}
