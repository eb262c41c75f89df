package oauth_test

import (
	"net/netip"
	"testing"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/oauth"
)

func TestMayAsk(t *testing.T) {
	offices := []string{"192.0.2.0/24", "2001:db8::/32"}
	for name, tt := range map[string]struct {
		mode     authsettings.DeviceGrant
		networks []string
		from     string
		may      bool
	}{
		"anybody":             {authsettings.DeviceGrantAllow, nil, "198.51.100.7", true},
		"typed":               {authsettings.DeviceGrantTyped, nil, "198.51.100.7", true},
		"turned off":          {authsettings.DeviceGrantDisabled, nil, "198.51.100.7", false},
		"turned off, inside":  {authsettings.DeviceGrantDisabled, offices, "192.0.2.7", false},
		"inside":              {authsettings.DeviceGrantAllow, offices, "192.0.2.7", true},
		"inside, mapped":      {authsettings.DeviceGrantAllow, offices, "::ffff:192.0.2.7", true},
		"inside, IPv6":        {authsettings.DeviceGrantTyped, offices, "2001:db8:1::1", true},
		"outside":             {authsettings.DeviceGrantAllow, offices, "192.0.3.7", false},
		"outside, IPv6":       {authsettings.DeviceGrantAllow, offices, "2001:db9::1", false},
		"who knows":           {authsettings.DeviceGrantAllow, offices, "", false},
		"who knows, anywhere": {authsettings.DeviceGrantAllow, nil, "", true},
	} {
		s := authsettings.Settings{DeviceGrant: tt.mode, DeviceNetworks: tt.networks}
		err := oauth.MayAsk(s, oauth.Requester{IP: tt.from})
		if tt.may != (err == nil) || err != nil && fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v, want allowed: %t", name, err, tt.may)
		}
	}
}

func TestMustType(t *testing.T) {
	for name, tt := range map[string]struct {
		client, person string
		must           bool
	}{
		"the same":                   {"192.0.2.7", "192.0.2.7", false},
		"the same, mapped":           {"::ffff:192.0.2.7", "192.0.2.7", false},
		"the same, mapped elsewhere": {"192.0.2.7", "::ffff:192.0.2.7", false},
		"loopback":                   {"127.0.0.1", "::1", false},
		"a neighbour":                {"192.0.2.7", "192.0.2.8", true},
		"one machine's two":          {"2001:db8::1", "2001:db8::aaaa:bbbb:cccc:dddd", false},
		"the next network":           {"2001:db8::1", "2001:db8:0:1::1", true},
		"families":                   {"192.0.2.7", "2001:db8::1", true},
		"loopback and not":           {"127.0.0.1", "192.0.2.7", true},
		"who knows":                  {"", "192.0.2.7", true},
	} {
		d := oauth.Device{Requester: oauth.Requester{IP: tt.client}}
		person := netip.MustParseAddr(tt.person)
		if got := d.MustType(authsettings.Settings{DeviceGrant: authsettings.DeviceGrantAllow}, person); got != tt.must {
			t.Errorf("%s: %t, want %t", name, got, tt.must)
		}
		if !d.MustType(authsettings.Settings{DeviceGrant: authsettings.DeviceGrantTyped}, person) {
			t.Errorf("%s: not typed, though the settings ask for it", name)
		}
	}
	if !(oauth.Device{}).MustType(authsettings.Settings{}, netip.Addr{}) {
		t.Error("two addresses that nobody knows are the same")
	}
}
