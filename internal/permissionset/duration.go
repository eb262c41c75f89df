package permissionset

import (
	"regexp"
	"strconv"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
)

// The bounds of a session duration, and what it is when none is given.
const (
	MinSessionDuration     = time.Hour
	MaxSessionDuration     = 12 * time.Hour
	DefaultSessionDuration = "PT1H"
)

// isoDuration reads the part of ISO 8601 that can express 1 to 12 hours.
// Years, months and weeks are too long, so they need no reading.
var isoDuration = regexp.MustCompile(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?$`)

// Duration returns how long a session of the permission set lasts.
func (s PermissionSet) Duration() time.Duration {
	d, _ := parseDuration(s.SessionDuration)
	return d
}

// sessionDuration checks an ISO 8601 duration and returns it, or the default
// for "".
func sessionDuration(iso string) (string, error) {
	if iso == "" {
		return DefaultSessionDuration, nil
	}
	d, ok := parseDuration(iso)
	if !ok || d < MinSessionDuration || d > MaxSessionDuration {
		return "", fault.New(fault.Invalid, "session_duration", "The session duration %s is not valid. It must be between 1 hour (PT1H) and 12 hours (PT12H).", iso)
	}
	return iso, nil
}

// parseDuration reads an ISO 8601 duration in days, hours, minutes and whole
// seconds; fractions of a second are dropped.
func parseDuration(iso string) (time.Duration, bool) {
	parts := isoDuration.FindStringSubmatch(iso)
	if parts == nil {
		return 0, false
	}
	var sum time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if parts[i+1] == "" {
			continue
		}
		n, err := strconv.ParseInt(parts[i+1], 10, 32)
		if err != nil || n > int64(MaxSessionDuration/time.Second) {
			return 0, false
		}
		sum += time.Duration(n) * unit
	}
	return sum, true
}
