package oauth_test

import (
	"fmt"
	"net"
	"net/url"
	"testing"

	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/oauth"
)

func client(redirects ...string) oauth.Client {
	return oauth.Client{GrantTypes: []string{oauth.GrantAuthorizationCode}, RedirectURIs: redirects}
}

func TestRedirects(t *testing.T) {
	aws, bare, six := "http://127.0.0.1/oauth/callback", "http://127.0.0.1", "http://[::1]/oauth/callback"
	tests := []struct {
		registered, uri string
		allowed         bool
	}{
		{aws, "http://127.0.0.1:45678/oauth/callback", true},
		{aws, "http://127.0.0.1:1/oauth/callback", true},
		{aws, "http://127.0.0.1:65535/oauth/callback", true},
		{aws, "http://127.0.0.1/oauth/callback", true},
		{"http://127.0.0.1:1/oauth/callback", "http://127.0.0.1:2/oauth/callback", true},
		{bare, "http://127.0.0.1:45678", true},
		{bare, "http://127.0.0.1:45678/", true},
		{bare + "/", "http://127.0.0.1:45678", true},
		{six, "http://[::1]:45678/oauth/callback", true},

		// another path, or one that becomes another
		{aws, "http://127.0.0.1:45678", false},
		{aws, "http://127.0.0.1:45678/oauth/callback/", false},
		{aws, "http://127.0.0.1:45678/OAuth/callback", false},
		{aws, "http://127.0.0.1:45678/oauth%2Fcallback", false},
		{aws, "http://127.0.0.1:45678/oauth/%63allback", false},
		{aws, "http://127.0.0.1:45678/oauth/callback/../evil", false},
		{aws, "http://127.0.0.1:45678/x/../oauth/callback", false},
		{aws, "http://127.0.0.1:45678//oauth/callback", false},
		{bare, "http://127.0.0.1:45678/evil", false},
		// more than a path
		{aws, "http://127.0.0.1:45678/oauth/callback?next=evil", false},
		{aws, "http://127.0.0.1:45678/oauth/callback#evil", false},
		{aws, "http://127.0.0.1:45678/oauth/callback?", false},
		// another host, or one that looks alike
		{aws, "http://[::1]:45678/oauth/callback", false},
		{six, "http://127.0.0.1:45678/oauth/callback", false},
		{aws, "http://localhost:45678/oauth/callback", false},
		{aws, "http://127.0.0.1.evil.example/oauth/callback", false},
		{aws, "http://127.0.0.1@evil.example/oauth/callback", false},
		{aws, "http://127.0.0.1:80@evil.example/oauth/callback", false},
		{aws, "http://evil.example@127.0.0.1/oauth/callback", false},
		{aws, "http://evil.example/oauth/callback", false},
		{aws, "http://evil.example\\@127.0.0.1/oauth/callback", false},
		{aws, "http://127.0.0.1\\.evil.example/oauth/callback", false},
		{aws, "http://127.0.0.1:45678\\evil.example/oauth/callback", false},
		{aws, "http://127.1/oauth/callback", false},
		{aws, "http://127.0.0.2/oauth/callback", false},
		{aws, "http://0x7f.0.0.1/oauth/callback", false},
		{aws, "http://2130706433/oauth/callback", false},
		{aws, "http://0127.0.0.1/oauth/callback", false},
		{aws, "http://[::ffff:127.0.0.1]/oauth/callback", false},
		{aws, "http://[::1%25eth0]/oauth/callback", false},
		// another scheme
		{aws, "https://127.0.0.1:45678/oauth/callback", false},
		{aws, "HTTP://127.0.0.1:45678/oauth/callback", false},
		{aws, "//127.0.0.1:45678/oauth/callback", false},
		{aws, "/oauth/callback", false},
		{aws, "javascript:alert(1)", false},
		{aws, "javascript://127.0.0.1/oauth/callback", false},
		{aws, "data:text/html,x", false},
		{aws, "", false},
		// ports that are none
		{aws, "http://127.0.0.1:/oauth/callback", false},
		{aws, "http://127.0.0.1:0/oauth/callback", false},
		{aws, "http://127.0.0.1:65536/oauth/callback", false},
		{aws, "http://127.0.0.1:080/oauth/callback", false},
		{aws, "http://127.0.0.1:8o/oauth/callback", false},
		// what would end the header
		{aws, "http://127.0.0.1:45678/oauth/callback\r\nX: y", false},
		{aws, "http://127.0.0.1:45678/oauth/callback ", false},
		{aws, " http://127.0.0.1:45678/oauth/callback", false},
		{aws, "http://127.0.0.1:45678/oauth/callback\x00", false},
	}
	for _, tt := range tests {
		if err := oauth.CheckRedirect(client(tt.registered), tt.uri); (err == nil) != tt.allowed {
			t.Errorf("%q registered, %q: %v", tt.registered, tt.uri, err)
		}
	}
	if err := oauth.CheckRedirect(oauth.Client{RedirectURIs: []string{aws}}, aws); subject(err) != "unauthorized_client" {
		t.Errorf("a client of the device flow is redirected: %v", err)
	}
}

// TestOnlyThePortMayDiffer holds that any two ports are the same and any two
// other URIs are not.
func TestOnlyThePortMayDiffer(t *testing.T) {
	host := rapid.SampledFrom([]string{"127.0.0.1", "[::1]"})
	path := rapid.StringMatching(`(/[a-z]{1,3}){0,3}`)
	port := rapid.IntRange(1, 65535)
	rapid.Check(t, func(t *rapid.T) {
		h1, h2, p1, p2 := host.Draw(t, "host"), host.Draw(t, "host"), path.Draw(t, "path"), path.Draw(t, "path")
		one := fmt.Sprintf("http://%s:%d%s", h1, port.Draw(t, "port"), p1)
		two := fmt.Sprintf("http://%s:%d%s", h2, port.Draw(t, "port"), p2)
		if err := oauth.CheckRedirect(client(one), two); (err == nil) != (h1 == h2 && p1 == p2) {
			t.Fatalf("%s registered, %s: %v", one, two, err)
		}
	})
}

// FuzzRedirect holds that whatever passes leads to the person's own machine.
func FuzzRedirect(f *testing.F) {
	f.Add("http://127.0.0.1/oauth/callback", "http://127.0.0.1:1/oauth/callback")
	f.Add("http://[::1]", "http://[::1]:1/")
	f.Fuzz(func(t *testing.T, registered, uri string) {
		if oauth.CheckRedirect(client(registered), uri) != nil {
			return
		}
		u, err := url.Parse(uri)
		if err != nil || u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !net.ParseIP(u.Hostname()).IsLoopback() {
			t.Errorf("%q leads elsewhere (%v)", uri, err)
		}
	})
}
