package app

import (
	"crypto/rand"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/mail/preview"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// routes are all patterns of a multiplexer, which has no other way to tell
// them: what it keeps is searched for its patterns.
func routes(t *testing.T, h http.Handler) (patterns []string) {
	t.Helper()
	seen := make(map[uintptr]bool)
	var search func(v reflect.Value)
	search = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if v.IsNil() || seen[v.Pointer()] {
				return
			}
			seen[v.Pointer()] = true
			if v.Type().String() == "*http.pattern" {
				patterns = append(patterns, v.Elem().FieldByName("str").String())
				return
			}
			search(v.Elem())
		case reflect.Struct:
			for i := range v.NumField() {
				search(v.Field(i))
			}
		case reflect.Slice:
			for i := range v.Len() {
				search(v.Index(i))
			}
		case reflect.Map:
			for _, k := range v.MapKeys() {
				search(v.MapIndex(k))
			}
		default:
		}
	}
	search(reflect.ValueOf(h))
	if len(patterns) < 60 {
		t.Fatalf("only %d addresses were found: %q", len(patterns), patterns)
	}
	slices.Sort(patterns)
	return patterns
}

// served is a node with everything mounted that there is, at an address with
// TLS.
func served(t *testing.T, subdomains bool) *Program {
	t.Helper()
	ids := ident.NewSource(rand.Reader)
	root, err := keys.NewRoot(ids.Bytes(keys.RootSize), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	box, err := preview.New(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(t.Context(), Options{
		PeopleURL: &url.URL{Scheme: "https", Host: "sso.example.com"}, DataURL: &url.URL{Scheme: "https", Host: "data.example.com"},
		Region: "us-east-1", Root: root, Store: storetest.Open(t, store.Config{}), Mailbox: box, Mail: box, SubdomainsOverTLS: subdomains,
		Log: slog.New(slog.DiscardHandler), Now: storetest.Now, Rand: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestHeadersOfEveryAnswer asks for everything that a node serves, well and
// badly, and holds every answer to the rules for all of them.
func TestHeadersOfEveryAnswer(t *testing.T) {
	p := served(t, false)
	type request struct{ method, host, path, target, authorization string }
	asks := []request{
		{"POST", "sso.example.com", "/", "SWBExternalService.ListInstances", ""},
		{"POST", "sso.example.com", "/", "NoService.Nothing", ""},
		{"POST", "sso.example.com", "/?Action=GetCallerIdentity&Version=2011-06-15", "", ""},
		{"GET", "sso.example.com", "/federation/credentials?role_name=a&account_id=1", "", ""},
		{"POST", "sso.example.com", "/token", "", ""},
		{"POST", "sso.example.com", "/client/register", "", ""},
		{"POST", "sso.example.com", "/logout", "", ""},
		{"GET", "sso.example.com", "/authorize?redirect_uri=http://127.0.0.1/", "", ""},
		{"GET", "sso.example.com", "/healthz", "", ""},
		{"GET", "sso.example.com", "/readyz", "", ""},
		{"GET", "other.example.com", "/", "", ""},
		{"GET", "data.example.com", "/bucket/key", "", ""},
		{"PUT", "bucket.data.example.com", "/key", "", ""},
		{"GET", "data.example.com", "/bucket/key", "", "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00"},
		{"TRACE", "sso.example.com", "/signin", "", ""},
		{"GET", "sso.example.com", "//start", "", ""},
	}
	place := regexp.MustCompile(`\{[^}]*\}`)
	for _, pattern := range routes(t, p.handler.people) {
		method, path, found := strings.Cut(pattern, " ")
		if !found {
			method, path = "POST", pattern
		}
		asks = append(asks, request{method: method, host: "sso.example.com", path: place.ReplaceAllString(path, "x")})
	}
	handler := p.server(p.handler).Handler
	for _, a := range asks {
		r := httptest.NewRequestWithContext(t.Context(), a.method, a.path, http.NoBody)
		r.Host, r.TLS, r.RemoteAddr = a.host, &tls.ConnectionState{}, "203.0.113.9:1"
		if a.target != "" {
			r.Header.Set("X-Amz-Target", a.target)
			r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		}
		if a.authorization != "" {
			r.Header.Set("Authorization", a.authorization)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		where := a.method + " " + a.host + a.path
		checkEveryAnswer(t, where, w.Header())
		if got := w.Header().Get("Strict-Transport-Security"); got != "max-age=31536000" {
			t.Errorf("%s (%d): Strict-Transport-Security is %q", where, w.Code, got)
		}
	}
	w := httptest.NewRecorder()
	p.server(p.metrics.handler(p.handler.health)).Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", http.NoBody))
	checkEveryAnswer(t, "/metrics", w.Header())
	if w.Code != http.StatusOK || w.Header().Get("Strict-Transport-Security") != "" {
		t.Errorf("/metrics: %d, Strict-Transport-Security %q without TLS", w.Code, w.Header().Get("Strict-Transport-Security"))
	}
}

func checkEveryAnswer(t *testing.T, where string, h http.Header) {
	t.Helper()
	if got := h.Values("X-Content-Type-Options"); !slices.Equal(got, []string{"nosniff"}) {
		t.Errorf("%s: X-Content-Type-Options is %q", where, got)
	}
	if got := h.Get("X-Frame-Options"); got != "DENY" {
		t.Errorf("%s: X-Frame-Options is %q", where, got)
	}
	policies := h.Values("Content-Security-Policy")
	if len(policies) != 1 || !strings.Contains(policies[0], "frame-ancestors 'none'") ||
		!strings.HasPrefix(policies[0], "default-src 'none'") && !strings.HasPrefix(policies[0], "sandbox;") {
		t.Errorf("%s: Content-Security-Policy is %q", where, policies)
	}
}

// TestStrictTransport orders browsers to use TLS where that is meant for good
// only.
func TestStrictTransport(t *testing.T) {
	for name, c := range map[string]struct {
		people     string
		subdomains bool
		secure     bool
		want       string
	}{
		"over TLS":              {"https://sso.example.com", false, true, "max-age=31536000"},
		"with all below":        {"https://sso.example.com", true, true, "max-age=31536000; includeSubDomains"},
		"without TLS":           {"https://sso.example.com", true, false, ""},
		"a dev node with TLS":   {"https://localhost:8484", false, true, ""},
		"TLS that is not meant": {"http://localhost:8484", false, true, ""},
	} {
		people, err := url.Parse(c.people)
		if err != nil {
			t.Fatal(err)
		}
		p := &Program{Options: Options{PeopleURL: people, SubdomainsOverTLS: c.subdomains}}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", http.NoBody)
		if c.secure {
			r.TLS = &tls.ConnectionState{}
		}
		w := httptest.NewRecorder()
		p.hardened(http.NotFoundHandler()).ServeHTTP(w, r)
		if got := w.Header().Get("Strict-Transport-Security"); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
