package signin_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/signin"
)

// TestOneTimePasswordsExpire has somebody come with a one-time password on its
// last day and after it. That it has expired is told to who has it only.
func TestOneTimePasswordsExpire(t *testing.T) {
	run(t, func(b *bench) {
		v := from("203.0.113.9")
		try := func(password string) (signin.Outcome, error) {
			return b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, password)
		}
		b.now = b.now.Add(credential.OneTimeLifetime - time.Second)
		if out, err := try(oneTime); err != nil || out.Attempt.Next() != signin.StepNewPassword {
			t.Errorf("on the last day: %+v, %v", out, err)
		}
		b.now = b.now.Add(time.Second)
		for range 20 { // it is no guess
			_, err := try(oneTime)
			e, ok := errors.AsType[*fault.Error](err)
			if !ok || e.Category != fault.Denied || e.Subject != "one_time_password" || !strings.Contains(e.Message, "expired") {
				t.Fatalf("after seven days: %v", err)
			}
		}
		if _, err := try("wrong"); !wrong(err) {
			t.Errorf("another password: %v", err)
		}
		if n := count(b.trail(), "CredentialVerification PASSWORD Failure"); n != 20 {
			t.Errorf("recorded %d times: %q", n, b.trail())
		}
		b.setOneTime(oneTime)
		if _, err := try(oneTime); err != nil {
			t.Errorf("a new one: %v", err)
		}
		b.setOwn(chosen)
		b.now = b.now.Add(100 * credential.OneTimeLifetime)
		if _, err := try(chosen); err != nil {
			t.Errorf("one's own password expires: %v", err)
		}
	})
}
