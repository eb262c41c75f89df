package mfa_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func home() mfa.Context {
	return mfa.NewContext(netip.MustParseAddr("203.0.113.9"), "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
}

func (b *bench) trust(kept string, in mfa.Context) (token string) {
	b.t.Helper()
	b.update(func(tx *store.Tx) (err error) {
		token, _, err = b.factors.Trust(tx, b.now, storeID, b.sam.ID, kept, in)
		return err
	})
	return token
}

func (b *bench) trusted(token string, in mfa.Context) (trusted bool) {
	b.t.Helper()
	b.update(func(tx *store.Tx) (err error) {
		trusted, err = b.factors.Trusted(tx, b.now, time.Time{}, storeID, b.sam.ID, token, in)
		return err
	})
	return trusted
}

func TestTrustedBrowsers(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		token := b.trust("", home())
		agent := "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
		for _, c := range []struct {
			name, address, agent string
			want                 bool
		}{
			{"the same", "203.0.113.9", agent, true},
			{"the same network", "203.0.113.200", agent, true},
			{"a newer version", "203.0.113.9", strings.ReplaceAll(agent, "140", "151"), true},
			{"another network", "203.0.114.9", agent, false},
			{"another browser", "203.0.113.9", strings.ReplaceAll(agent, "Firefox", "Chrome"), false},
			{"another system", "203.0.113.9", strings.ReplaceAll(agent, "X11; Linux x86_64", "Windows NT 10.0"), false},
		} {
			if got := b.trusted(token, mfa.NewContext(netip.MustParseAddr(c.address), c.agent)); got != c.want {
				t.Errorf("%s: %v", c.name, got)
			}
		}
		for _, forged := range []string{"", "~", token + "A", token[:len(token)-2], strings.Repeat("x", 32) + token[32:], token[:32]} {
			if b.trusted(forged, home()) {
				t.Errorf("%q is trusted", forged)
			}
		}
		sam := b.sam
		b.update(func(tx *store.Tx) (err error) {
			b.sam, err = b.user(tx, "alex")
			return err
		})
		if b.trusted(token, home()) {
			t.Error("one person's trust is another's")
		}
		both := b.trust(token, home())
		if !b.trusted(both, home()) {
			t.Error("the second person in a browser is not trusted")
		}
		b.sam = sam
		if !b.trusted(both, home()) {
			t.Error("the first person in a browser is not trusted any more")
		}
		b.now = b.now.Add(mfa.TrustLifetime)
		if b.trusted(both, home()) {
			t.Error("trust does not end")
		}
	})
}

func TestTrustIsBounded(t *testing.T) {
	b := newBench(t, storetest.Open(t, store.Config{}))
	first := b.trust("", home())
	kept := first
	for range mfa.MaxBrowsers {
		b.now = b.now.Add(time.Second)
		kept = b.trust(kept, home())
	}
	if b.trusted(first, home()) || !b.trusted(kept, home()) {
		t.Error("the oldest is not the one that went")
	}
	if strings.Contains(kept, "~") {
		t.Error("a browser keeps two tokens of one person")
	}
}

func TestContexts(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0":              "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":                      "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0.0.0 Mobile/15E148 Safari/604.1": "Chrome on iOS",
		"Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36":                      "Chrome on Android",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36":                             "Chrome on ChromeOS",
		"curl/8.5.0": "Another browser on another system",
		"":           "Another browser on another system",
	} {
		if got := mfa.NewContext(netip.MustParseAddr("192.0.2.1"), agent).Family; got != want {
			t.Errorf("%s: %s, want %s", agent, got, want)
		}
	}
	for address, want := range map[string]string{"192.0.2.77": "192.0.2.0/24", "::ffff:192.0.2.77": "192.0.2.0/24", "2001:db8:1:2::3": "2001:db8:1::/48"} {
		if got := mfa.NewContext(netip.MustParseAddr(address), "").Network; got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if got := mfa.NewContext(netip.Addr{}, "").Network; got != "unknown" {
		t.Errorf("no address: %s", got)
	}
}
