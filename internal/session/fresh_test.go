package session_test

import (
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestFresh goes through what can have been proved, and when: nothing but a
// second factor counts of who has a device.
func TestFresh(t *testing.T) {
	now := storetest.Now()
	late, old := now.Add(time.Millisecond-session.StepUpAge), now.Add(-session.StepUpAge)
	for name, c := range map[string]struct {
		s             session.Session
		device, other bool // what is wanted of who has a device, and of who has none
	}{
		"just signed in":                               {session.Session{CreatedAt: now}, false, true},
		"signed in a while ago":                        {session.Session{CreatedAt: late}, false, true},
		"signed in too long ago":                       {session.Session{CreatedAt: old}, false, false},
		"the password again":                           {session.Session{CreatedAt: old, PasswordAt: late}, false, true},
		"the password again, too early":                {session.Session{CreatedAt: old, PasswordAt: old}, false, false},
		"a factor":                                     {session.Session{CreatedAt: old, MFAAt: late}, true, true},
		"a factor, too early":                          {session.Session{CreatedAt: old, MFAAt: old}, false, false},
		"a factor, too early, and the password lately": {session.Session{CreatedAt: old, MFAAt: old, PasswordAt: now}, false, true},
	} {
		if got := c.s.Fresh(now, true); got != c.device {
			t.Errorf("%s, with a device: %v", name, got)
		}
		if got := c.s.Fresh(now, false); got != c.other {
			t.Errorf("%s, without: %v", name, got)
		}
	}
}
