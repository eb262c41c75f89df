package app

import "net/http"

// hardened gives every answer of next the headers that browsers want of all of
// them: they take it for what it says it is, show it in nobody's frame, run
// nothing of it unless it says so itself, and come over TLS only from now on.
// What stands on a path may set its own, stricter or looser, policy.
func (p *Program) hardened(next http.Handler) http.Handler {
	overTLS := secure(p.TrustedProxies)
	// Browsers keep the order for all ports of a host: never on localhost.
	orders := p.PeopleURL.Scheme == "https" && p.PeopleURL.Hostname() != "localhost"
	order := "max-age=31536000"
	if p.SubdomainsOverTLS {
		order += "; includeSubDomains"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if orders && overTLS(r) {
			h.Set("Strict-Transport-Security", order)
		}
		next.ServeHTTP(w, r)
	})
}
