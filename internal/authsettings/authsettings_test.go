package authsettings_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/rootuser"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

const storeID = "d-1234567890"

func newInstance(t *testing.T, s *store.Store) {
	t.Helper()
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		return tx.InsertInstance(instance.Instance{
			ID: "ssoins-1234567890abcdef", IdentityStoreID: storeID, OwnerAccountID: "123456789012",
			Region: "us-east-1", CreatedAt: storetest.Now(), Version: 1,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func change(t *testing.T, s *store.Store, edit func(*authsettings.Settings)) (got authsettings.Settings, err error) {
	t.Helper()
	err = s.Update(t.Context(), func(tx *store.Tx) (err error) {
		got, err = authsettings.Change(tx, storeID, edit)
		return err
	})
	return got, err
}

func stored(t *testing.T, s *store.Store) (got authsettings.Settings) {
	t.Helper()
	err := s.View(t.Context(), func(tx *store.Tx) (err error) {
		got, err = authsettings.Of(tx, storeID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestChange(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		newInstance(t, s)
		if diff := cmp.Diff(authsettings.Default(storeID), stored(t, s)); diff != "" {
			t.Errorf("before any change: %s", diff)
		}
		for range 2 {
			got, err := change(t, s, func(s *authsettings.Settings) {
				s.MfaMode, s.MfaTypes, s.NoMfa = authsettings.MfaAlwaysOn, []authsettings.MfaType{authsettings.Webauthn}, authsettings.NoMfaBlock
				s.SessionLimit, s.DeviceNetworks, s.Contact = 900, []string{"192.0.2.0/24"}, "Ask Sam."
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, stored(t, s)); diff != "" {
				t.Errorf("stored: %s", diff)
			}
		}
		if got := stored(t, s); got.Version != 2 || got.Allows(authsettings.Totp) || !got.Allows(authsettings.Webauthn) || got.SessionDuration() != 15*time.Minute {
			t.Errorf("%+v", got)
		}
	})
}

func TestChangeRefuses(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	newInstance(t, s)
	for name, edit := range map[string]func(*authsettings.Settings){
		"mode":          func(s *authsettings.Settings) { s.MfaMode = "SOMETIMES" },
		"no type":       func(s *authsettings.Settings) { s.MfaTypes = nil },
		"a type":        func(s *authsettings.Settings) { s.MfaTypes = []authsettings.MfaType{"SMS"} },
		"no device":     func(s *authsettings.Settings) { s.NoMfa = "" },
		"no password":   func(s *authsettings.Settings) { s.NoPassword = "ALLOWED" },
		"short session": func(s *authsettings.Settings) { s.SessionLimit = 899 },
		"long session":  func(s *authsettings.Settings) { s.SessionLimit = 90*24*3600 + 1 },
		"device grant":  func(s *authsettings.Settings) { s.DeviceGrant = "" },
		"network":       func(s *authsettings.Settings) { s.DeviceNetworks = []string{"192.0.2.1/24"} },
		"mapped":        func(s *authsettings.Settings) { s.DeviceNetworks = []string{"::ffff:192.0.2.0/120"} },
		"networks":      func(s *authsettings.Settings) { s.DeviceNetworks = make([]string, authsettings.MaxNetworks+1) },
		"contact":       func(s *authsettings.Settings) { s.Contact = "a\nb" },
		"long contact":  func(s *authsettings.Settings) { s.Contact = strings.Repeat("a", authsettings.MaxContact+1) },
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := change(t, s, edit); !fault.Is(err, fault.Invalid) {
				t.Errorf("got the error %v", err)
			}
			if diff := cmp.Diff(authsettings.Default(storeID), stored(t, s)); diff != "" {
				t.Errorf("changed: %s", diff)
			}
		})
	}
}

func TestAllowsClient(t *testing.T) {
	for _, c := range []struct {
		grant    authsettings.DeviceGrant
		networks []string
		from     string
		want     bool
	}{
		{authsettings.DeviceGrantAllow, nil, "203.0.113.1", true},
		{authsettings.DeviceGrantTyped, nil, "203.0.113.1", true},
		{authsettings.DeviceGrantDisabled, nil, "203.0.113.1", false},
		{authsettings.DeviceGrantDisabled, []string{"203.0.113.0/24"}, "203.0.113.1", false},
		{authsettings.DeviceGrantAllow, []string{"203.0.113.0/24", "2001:db8::/32"}, "203.0.113.1", true},
		{authsettings.DeviceGrantAllow, []string{"203.0.113.0/24", "2001:db8::/32"}, "2001:db8::1", true},
		{authsettings.DeviceGrantAllow, []string{"203.0.113.0/24"}, "::ffff:203.0.113.1", true},
		{authsettings.DeviceGrantAllow, []string{"203.0.113.0/24"}, "203.0.114.1", false},
	} {
		s := authsettings.Settings{DeviceGrant: c.grant, DeviceNetworks: c.networks}
		if got := s.AllowsClient(netip.MustParseAddr(c.from)); got != c.want {
			t.Errorf("%s %v from %s: %v", c.grant, c.networks, c.from, got)
		}
	}
}

func TestRootUsersAreAskedForAFactorEveryTime(t *testing.T) {
	s := authsettings.Default(rootuser.StoreOf("123456789012"))
	if s.MfaMode != authsettings.MfaAlwaysOn || s.NoMfa != authsettings.NoMfaEnroll || s.NoPassword != authsettings.NoPasswordBlock || s.SessionDuration() != 12*time.Hour {
		t.Errorf("%+v", s)
	}
}

func TestManagesOwnDevices(t *testing.T) {
	for _, c := range []struct {
		own  bool
		mode authsettings.MfaMode
		none authsettings.NoMfa
		want bool
	}{
		{true, authsettings.MfaDisabled, authsettings.NoMfaBlock, true},
		{false, authsettings.MfaAlwaysOn, authsettings.NoMfaBlock, false},
		{false, authsettings.MfaAlwaysOn, authsettings.NoMfaEnroll, true}, // they have to at the sign-in
		{false, authsettings.MfaDisabled, authsettings.NoMfaEnroll, false},
	} {
		s := authsettings.Settings{OwnDevices: c.own, MfaMode: c.mode, NoMfa: c.none}
		if got := s.ManagesOwnDevices(); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
