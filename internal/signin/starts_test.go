package signin_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/signin"
)

const (
	startsApp = "StartVirtualMfaDeviceRegistration"
	startsKey = "StartWebAuthnDeviceRegistration"
)

// TestRegistrationsThatBeginAreRecorded opens the pages on which devices are
// registered again and again, in sign-ins and in a session: once each is
// recorded, and another sign-in is another one.
func TestRegistrationsThatBeginAreRecorded(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) {
			s.MfaMode, s.NoMfa = authsettings.MfaAlwaysOn, authsettings.NoMfaEnroll
		})
		v := from("203.0.113.9")
		expect := func(where string, apps, keys int) {
			t.Helper()
			trail := b.trail()
			if a, k := count(trail, startsApp), count(trail, startsKey); a != apps || k != keys {
				t.Errorf("%s: %d and %d are recorded, want %d and %d", where, a, k, apps, keys)
			}
		}
		for i := range 2 {
			a := b.pass(v).Attempt
			for range 5 {
				if _, err := b.flow.BeginApp(t.Context(), v, a.ID); err != nil {
					t.Fatal(err)
				}
				if _, err := b.flow.BeginKey(t.Context(), v, a.ID, false); err != nil {
					t.Fatal(err)
				}
				// A wrong answer uses up what was asked, and it is asked anew.
				_, _ = b.flow.Register(t.Context(), v, a.ID, signin.NewDevice{Name: "key", Key: []byte("{}")})
			}
			expect("signing in", i+1, i+1)
		}
		b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaDisabled })
		s := b.signedIn(v)
		for range 5 {
			if _, err := b.flow.NewApp(t.Context(), v, s.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := b.flow.NewKey(t.Context(), v, s.ID, true); err != nil {
				t.Fatal(err)
			}
		}
		expect("in a session", 3, 3)
	})
}
