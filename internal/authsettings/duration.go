package authsettings

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// isoDuration reads the part of ISO 8601 that has one length whatever the
// calendar says.
var isoDuration = regexp.MustCompile(`^P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?$`)

// SetSessionDuration sets how long a portal session lasts from an ISO 8601
// duration in days, hours, minutes and seconds, such as PT8H or P90D. It is a
// fault.Invalid when iso is none; Change refuses one that is out of bounds.
func (s *Settings) SetSessionDuration(iso string) error {
	parts := isoDuration.FindStringSubmatch(iso)
	if parts == nil || strings.Join(parts[1:], "") == "" {
		return invalid("MaxAuthenticationAge must be an ISO 8601 duration, such as PT8H or P90D.")
	}
	s.SessionLimit = 0
	for i, unit := range []int64{24 * 60 * 60, 60 * 60, 60, 1} {
		n, _ := strconv.ParseInt("0"+parts[i+1], 10, 64) // few digits only
		s.SessionLimit += n * unit
	}
	return nil
}

// ISOSessionDuration returns how long a portal session lasts as an ISO 8601
// duration in hours, minutes and seconds.
func (s *Settings) ISOSessionDuration() string {
	d := s.SessionDuration()
	if d%time.Minute == 0 && d >= time.Minute {
		text := strings.TrimSuffix(d.String(), "0s")
		if d%time.Hour == 0 {
			text = strings.TrimSuffix(text, "0m")
		}
		return "PT" + strings.ToUpper(text)
	}
	return "PT" + strings.ToUpper(d.String())
}
