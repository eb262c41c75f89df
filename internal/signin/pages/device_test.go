package pages_test

import (
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/store"
)

// set changes the settings of sign-in.
func (s *site) set(edit func(*authsettings.Settings)) {
	s.t.Helper()
	s.update(func(tx *store.Tx) error {
		_, err := authsettings.Change(tx, s.in.IdentityStoreID, edit)
		return err
	})
}

// TestDeviceHasToBeTyped opens the link of a request that comes from somewhere
// else, or at all when the settings ask for it: it does not go on before the
// code was typed.
func TestDeviceHasToBeTyped(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.signIn("/device")
	for name, tt := range map[string]struct {
		from string
		mode authsettings.DeviceGrant
		must bool
	}{
		"here":                      {"127.0.0.1", authsettings.DeviceGrantAllow, false},
		"here, by the other family": {"::1", authsettings.DeviceGrantAllow, false},
		"elsewhere":                 {"198.51.100.7", authsettings.DeviceGrantAllow, true},
		"from who knows where":      {"", authsettings.DeviceGrantAllow, true},
		"always":                    {"127.0.0.1", authsettings.DeviceGrantTyped, true},
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			s.set(func(a *authsettings.Settings) { a.DeviceGrant = tt.mode })
			code := s.newDevice("botocore-client-x", tt.from)
			if !tt.must {
				b.get("/device?user_code="+code).shows(200, "Authorization requested", code)
				return
			}
			page := b.get("/device?user_code=" + code)
			page.shows(200, "Type the code that your own terminal or device shows")
			if strings.Contains(page.page, code) {
				t.Error("the page shows the code that is to be typed")
			}
			b.submit("/device", "user_code", code).shows(200, "Authorization requested", code)
			b.submit("/device/confirm").shows(200, "Allow access")
			b.submit("/device/allow").shows(200, "Request approved")
		})
	}
}

// TestDevicesAreTurnedOff turns devices off while one waits for its person.
func TestDevicesAreTurnedOff(t *testing.T) {
	s := newSite(t)
	code := s.newDevice("botocore-client-x", "127.0.0.1")
	b := s.browser()
	b.signIn("/device?user_code="+code).submit("/device/confirm").shows(200, "Allow access")
	s.set(func(a *authsettings.Settings) { a.DeviceGrant = authsettings.DeviceGrantDisabled })
	if page := b.submit("/device/allow"); page.status == 200 {
		t.Error("approved, though devices are turned off")
	}
	if d := s.device(code); d.Status != oauth.Pending {
		t.Errorf("the request is %s", d.Status)
	}
	s.set(func(a *authsettings.Settings) {
		a.DeviceGrant, a.DeviceNetworks = authsettings.DeviceGrantAllow, []string{"192.0.2.0/24"}
	})
	b.get("/device?user_code="+code).shows(422, "not known")
}
