package app

import (
	"net/http/httptest"
	"net/netip"
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
