package app

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
)

func TestClientIP(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	cases := []struct {
		name, peer, want string
		forwarded        []string
	}{
		{"no proxy", "203.0.113.9:1", "203.0.113.9", nil},
		{"header of an untrusted peer is ignored", "203.0.113.9:1", "203.0.113.9", []string{"1.1.1.1"}},
		{"one trusted proxy", "10.0.0.1:1", "203.0.113.9", []string{"203.0.113.9"}},
		{"invented first hop", "10.0.0.1:1", "203.0.113.9", []string{"1.1.1.1, 203.0.113.9"}},
		{"two proxies", "10.0.0.1:1", "203.0.113.9", []string{"1.1.1.1, 203.0.113.9, 10.0.0.2"}},
		{"two headers", "10.0.0.1:1", "203.0.113.9", []string{"1.1.1.1", "203.0.113.9"}},
		{"garbage stops the walk", "10.0.0.1:1", "10.0.0.1", []string{"203.0.113.9, <script>"}},
		{"empty header", "10.0.0.1:1", "10.0.0.1", nil},
		{"mapped address", "[::ffff:10.0.0.1]:1", "203.0.113.9", []string{"203.0.113.9"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = c.peer
			for _, f := range c.forwarded {
				r.Header.Add("X-Forwarded-For", f)
			}
			if got := clientIP(trusted)(r).String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestSecure(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for peer, want := range map[string]bool{"10.1.1.1:1": true, "203.0.113.9:1": false} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-Proto", "https")
		if got := secure(trusted)(r); got != want {
			t.Errorf("peer %s: secure = %t, want %t", peer, got, want)
		}
	}
}

func TestExposed(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		public, peer, proto string
		want                bool
	}{
		{"https://sso.example.com", "203.0.113.9:1", "", true},
		{"https://sso.example.com", "203.0.113.9:1", "https", true}, // anybody can say so
		{"https://sso.example.com", "10.0.0.1:1", "https", false},
		{"https://sso.example.com", "10.0.0.1:1", "http", true},
		{"https://sso.example.com", "127.0.0.1:1", "", false},
		{"http://localhost:8484", "127.0.0.1:1", "", false},
		{"http://sso.example.com", "203.0.113.9:1", "", false}, // where pages refuse
	} {
		people, err := url.Parse(c.public)
		if err != nil {
			t.Fatal(err)
		}
		f := front{
			hosts: hosts{people: []string{"sso.example.com"}, data: func(string) bool { return false }}, exposed: exposed(people, secure(proxies), clientIP(proxies)),
			ready: func(*http.Request) error { return nil },
		}
		r := httptest.NewRequest("GET", "/healthz", nil)
		r.Host, r.RemoteAddr = "sso.example.com", c.peer
		r.Header.Set("X-Forwarded-Proto", c.proto)
		if got := f.exposed(r); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
		w := httptest.NewRecorder()
		if f.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Errorf("%+v: the health check answers %d", c, w.Code)
		}
		if !c.want {
			continue
		}
		r.URL.Path = "/token"
		w = httptest.NewRecorder()
		if f.ServeHTTP(w, r); w.Code != http.StatusForbidden {
			t.Errorf("%+v: /token answers %d", c, w.Code)
		}
	}
}
