package signin_test

import (
	"errors"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/signin"
)

// elsewhere tells whether an error says that another step comes next.
func elsewhere(err error) bool {
	e, ok := errors.AsType[*fault.Error](err)
	return ok && e.Subject == "signin_step"
}

// TestSettingsChangeMeanwhile changes the settings while somebody is at a step
// that they no longer ask for: the step is refused, and the sign-in goes on with
// the one that is asked for now.
func TestSettingsChangeMeanwhile(t *testing.T) {
	run(t, func(b *bench) { settingsChange(b.t, b) })
}

func settingsChange(t *testing.T, b *bench) {
	t.Helper()
	b.setOwn(chosen)
	rule := func(n authsettings.NoMfa) {
		b.settings(func(s *authsettings.Settings) { s.MfaMode, s.NoMfa = authsettings.MfaAlwaysOn, n })
	}
	v := from("203.0.113.9")
	take := map[signin.Step]func(id string) (signin.Outcome, error){
		signin.StepRegister: func(id string) (signin.Outcome, error) {
			return b.flow.Register(t.Context(), v, id, signin.NewDevice{Name: "x", First: "1", Second: "2"})
		},
		signin.StepEmailCode: func(id string) (signin.Outcome, error) {
			return b.flow.EmailCode(t.Context(), v, id, signin.Proof{Code: "not-right"})
		},
		signin.StepFactor: func(id string) (signin.Outcome, error) {
			return b.flow.Factor(t.Context(), v, id, signin.Proof{Code: "wrong!"})
		},
	}
	change := func(at, next signin.Step, edit func()) {
		t.Helper()
		b.now = b.now.Add(time.Hour) // no limit of mails stands in the way
		out := b.pass(v)
		if out.Attempt.Next() != at {
			t.Fatalf("at step %d, want %d", out.Attempt.Next(), at)
		}
		edit()
		if step := take[at]; step != nil {
			if _, err := step(out.Attempt.ID); !elsewhere(err) {
				t.Errorf("the step %d that is not needed: %v", at, err)
			}
		}
		now, err := b.flow.Resume(t.Context(), v, out.Attempt.ID)
		if err != nil || now.Attempt.Next() != next || (now.Token != "") != (next == signin.StepDone) {
			t.Errorf("from step %d to %d, want %d (%v)", at, now.Attempt.Next(), next, err)
		}
		if next == signin.StepDone {
			return
		}
		again, err := b.flow.Resume(t.Context(), v, out.Attempt.ID)
		if err != nil || again.Attempt.Version != now.Attempt.Version {
			t.Errorf("resumed twice: version %d, %d (%v)", now.Attempt.Version, again.Attempt.Version, err)
		}
	}
	rule(authsettings.NoMfaEnroll)
	change(signin.StepRegister, signin.StepDone, func() { rule(authsettings.NoMfaAllow) })
	rule(authsettings.NoMfaBlock)
	change(signin.StepBlocked, signin.StepEmailCode, func() { rule(authsettings.NoMfaEmail) })
	if n := len(b.letters(mail.FactorCode)); n != 1 {
		t.Errorf("%d codes were mailed", n)
	}
	change(signin.StepEmailCode, signin.StepRegister, func() { rule(authsettings.NoMfaEnroll) })
	change(signin.StepRegister, signin.StepBlocked, func() { rule(authsettings.NoMfaBlock) })
	b.register("phone")
	change(signin.StepFactor, signin.StepDone, func() {
		b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaDisabled })
	})
	rule(authsettings.NoMfaEnroll)
	change(signin.StepFactor, signin.StepRegister, func() {
		b.settings(func(s *authsettings.Settings) { s.MfaTypes = []authsettings.MfaType{authsettings.Webauthn} })
	})

	// What ends a sign-in ends it here, too.
	out := b.pass(v)
	rule(authsettings.NoMfaAllow)
	if _, err := b.flow.Resume(t.Context(), from("198.51.100.7"), out.Attempt.ID); !gone(err) {
		t.Errorf("another browser: %v", err)
	}
	b.setOwn("Another-1-own")
	if now, err := b.flow.Resume(t.Context(), v, out.Attempt.ID); !gone(err) || now.Token != "" {
		t.Errorf("with a password that was changed: %v", err)
	}
}

// TestResumeSkipsNothing resumes attempts that have not given the password, or
// have to replace it, where no second factor is asked for.
func TestResumeSkipsNothing(t *testing.T) {
	run(t, func(b *bench) {
		b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaDisabled })
		v := from("203.0.113.9")
		a := b.begin(v, "sam.lee")
		for _, want := range []signin.Step{signin.StepPassword, signin.StepNewPassword} {
			if out, err := b.flow.Resume(t.Context(), v, a.ID); err != nil || out.Attempt.Next() != want || out.Token != "" {
				t.Errorf("at step %d, want %d (%v)", out.Attempt.Next(), want, err)
			}
			_, _ = b.flow.Password(t.Context(), v, a.ID, oneTime)
		}
	})
}
