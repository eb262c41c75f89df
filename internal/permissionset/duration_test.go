package permissionset

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSessionDuration(t *testing.T) {
	for iso, want := range map[string]time.Duration{
		"":                           time.Hour,
		"PT1H":                       time.Hour,
		"PT12H":                      12 * time.Hour,
		"PT60M":                      time.Hour,
		"PT3600S":                    time.Hour,
		"PT1H30M":                    90 * time.Minute,
		"PT1H0M0.5S":                 time.Hour,
		"PT11H59M60S":                12 * time.Hour,
		"P0DT4H":                     4 * time.Hour,
		"PT59M":                      0,
		"PT0S":                       0,
		"PT12H1S":                    0,
		"PT13H":                      0,
		"P1D":                        0,
		"P1DT1H":                     0,
		"P1W":                        0,
		"P1Y":                        0,
		"-PT4H":                      0,
		"P":                          0,
		"PT":                         0,
		"4H":                         0,
		"PT4":                        0,
		"pt4h":                       0,
		"PT5124095576H":              0, // overflows
		"PT99999999999999999999999S": 0,
	} {
		got, err := sessionDuration(iso)
		if (err == nil) != (want > 0) {
			t.Errorf("%q: %v", iso, err)
			continue
		}
		if d := (PermissionSet{SessionDuration: got}).Duration(); err == nil && d != want {
			t.Errorf("%q lasts %v, want %v", iso, d, want)
		}
		if err == nil && iso != "" && got != iso {
			t.Errorf("%q is kept as %q", iso, got)
		}
	}
}

func TestSessionDurationHoldsItsBounds(t *testing.T) {
	form := rapid.StringMatching(`-?P([0-9]{1,3}D)?(T([0-9]{1,12}H)?([0-9]{1,12}M)?([0-9]{1,12}(\.[0-9]{1,3})?S)?)?`)
	rapid.Check(t, func(t *rapid.T) {
		iso := form.Draw(t, "iso")
		got, err := sessionDuration(iso)
		if err != nil {
			return
		}
		d := PermissionSet{SessionDuration: got}.Duration()
		if d < MinSessionDuration || d > MaxSessionDuration {
			t.Fatalf("%q was accepted and lasts %v", iso, d)
		}
	})
}
