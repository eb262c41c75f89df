package signin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// signedIn signs sam.lee in, who has a password of their own and needs nothing
// else.
func (b *bench) signedIn(v signin.Visit) session.Session {
	b.t.Helper()
	out := b.pass(v)
	if out.Token == "" {
		b.t.Fatalf("the sign-in goes on: step %d", out.Attempt.Next())
	}
	return out.Session
}

func stepUp(err error) bool {
	return fault.Is(err, fault.Denied) && strings.Contains(err.Error(), "Verify that it is you")
}

func TestStepUp(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaDisabled })
		v := from("203.0.113.9")
		s := b.signedIn(v)
		fresh := func() error { return b.flow.Fresh(t.Context(), s.ID) }
		if err := fresh(); err != nil {
			t.Errorf("right after signing in: %v", err)
		}
		b.now = b.now.Add(signin.StepUpAge)
		if err := fresh(); !stepUp(err) {
			t.Errorf("a quarter of an hour later: %v", err)
		}
		if err := b.passwordAgain(v, s.ID, "wrong"); !wrong(err) {
			t.Errorf("a wrong password: %v", err)
		}
		if err := b.passwordAgain(v, s.ID, chosen); err != nil || fresh() != nil {
			t.Errorf("the password: %v, %v", err, fresh())
		}

		// Who has a device has to prove that, however new the password is.
		secret := b.register("phone")
		if err := fresh(); !stepUp(err) {
			t.Errorf("with a device, after the password: %v", err)
		}
		asked, err := b.flow.AskProof(t.Context(), s.ID)
		if err != nil || len(asked.Devices) != 1 || asked.Trust {
			t.Errorf("%+v, %v", asked, err)
		}
		if err := b.proveAgain(v, s.ID, signin.Proof{Code: "wrong!"}); !fault.Is(err, fault.Denied) || !stepUp(fresh()) {
			t.Errorf("a wrong code: %v", err)
		}
		code := b.code(secret, 0)
		if err := b.proveAgain(v, s.ID, signin.Proof{Code: code}); err != nil || fresh() != nil {
			t.Errorf("a code: %v, %v", err, fresh())
		}
		if err := b.proveAgain(v, s.ID, signin.Proof{Code: code}); !fault.Is(err, fault.Denied) {
			t.Errorf("the same code again: %v", err)
		}
		b.now = b.now.Add(signin.StepUpAge)
		if err := fresh(); !stepUp(err) {
			t.Errorf("a quarter of an hour after the code: %v", err)
		}
		b.update(func(tx *store.Tx) error { return session.End(tx, s.ID) })
		if err := fresh(); !fault.Is(err, fault.NotFound) {
			t.Errorf("after the session: %v", err)
		}
	})
}

// TestGuessingAtStepUp counts the guesses of a stolen session with those of
// sign-ins.
func TestGuessingAtStepUp(t *testing.T) {
	b := newBench(t, storetest.Open(t, store.Config{}))
	b.setOwn(chosen)
	b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaDisabled })
	v := from("203.0.113.9")
	s := b.signedIn(v)
	b.register("phone")
	for range 6 {
		_ = b.proveAgain(v, s.ID, signin.Proof{Code: "wrong!"})
	}
	b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaAlwaysOn })
	a := b.pass(v).Attempt
	if _, err := b.flow.Factor(t.Context(), v, a.ID, signin.Proof{Code: "wrong!"}); !fault.Is(err, fault.Throttled) {
		t.Errorf("the seventh guess, at another place: %v", err)
	}
	for range 6 {
		_ = b.passwordAgain(v, s.ID, "wrong")
	}
	if err := b.passwordAgain(v, s.ID, chosen); !fault.Is(err, fault.Throttled) {
		t.Errorf("the seventh password: %v", err)
	}
}

func TestOwnDevices(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaDisabled })
		v := from("203.0.113.9")
		s := b.signedIn(v)
		app, err := b.flow.NewApp(t.Context(), v, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		n := signin.NewDevice{Name: "phone", First: b.code(app.Secret, 0), Second: b.code(app.Secret, -1)}
		if err := b.flow.AddDevice(t.Context(), v, s.ID, n); !fault.Is(err, fault.Denied) {
			t.Errorf("the wrong order: %v", err)
		}
		n.First, n.Second = n.Second, n.First
		if err := b.flow.AddDevice(t.Context(), v, s.ID, n); err != nil {
			t.Fatal(err)
		}
		own, err := b.flow.Own(t.Context(), s.ID)
		if err != nil || len(own.Devices) != 1 || own.Devices[0].Name != "phone" || !own.May {
			t.Fatalf("%+v, %v", own, err)
		}
		id := own.Devices[0].ID
		if err := b.flow.RenameDevice(t.Context(), v, s.ID, id, "My phone"); err != nil {
			t.Error(err)
		}
		b.now = b.now.Add(signin.StepUpAge)
		if err := b.flow.RenameDevice(t.Context(), v, s.ID, id, "My phone"); err != nil {
			t.Errorf("renaming a quarter of an hour later: %v", err)
		}
		if err := b.flow.ForgetBrowsers(t.Context(), v, s.ID); err != nil || count(b.trail(), "DeleteTrustedDevices") != 1 {
			t.Errorf("forgetting browsers: %v, %q", err, b.trail())
		}
		if err := b.flow.RemoveDevice(t.Context(), v, s.ID, id); !stepUp(err) {
			t.Errorf("removing a quarter of an hour later: %v", err)
		}
		if err := b.proveAgain(v, s.ID, signin.Proof{Code: b.code(app.Secret, 0)}); err != nil {
			t.Fatal(err)
		}
		b.settings(func(s *authsettings.Settings) { s.OwnDevices, s.NoMfa = false, authsettings.NoMfaAllow })
		if err := b.flow.RemoveDevice(t.Context(), v, s.ID, id); !fault.Is(err, fault.Denied) || stepUp(err) {
			t.Errorf("where administrators look after devices: %v", err)
		}
		b.settings(func(s *authsettings.Settings) { s.OwnDevices = true })
		if err := b.flow.RemoveDevice(t.Context(), v, s.ID, "another"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a device that does not exist: %v", err)
		}
		if err := b.flow.RemoveDevice(t.Context(), v, s.ID, id); err != nil {
			t.Error(err)
		}

		for kind, about := range map[mail.Kind]string{mail.FactorAdded: "phone", mail.FactorRemoved: "My phone"} {
			if l := b.letters(kind); len(l) != 1 || l[0].About != about || l[0].From != "203.0.113.9" || l[0].NotMe == "" {
				t.Errorf("%s: %+v", kind, l)
			}
		}
		var done []string
		for _, r := range b.trail() {
			if strings.Contains(r, "Device") {
				done = append(done, r)
			}
		}
		if diff := cmp.Diff([]string{"CompleteVirtualMfaDeviceRegistration", "DeleteMfaDeviceForUser", "DeleteTrustedDevices", startsApp, "UpdateMfaDeviceForUser", "UpdateMfaDeviceForUser"}, done); diff != "" {
			t.Error(diff)
		}
	})
}

// TestThisWasNotMe follows the link that tells of a device: it goes again, with
// everything that was opened.
func TestThisWasNotMe(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaDisabled })
		thief := from("198.51.100.7")
		s := b.signedIn(thief)
		app, err := b.flow.NewApp(t.Context(), thief, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		n := signin.NewDevice{Name: "thief's", First: b.code(app.Secret, -1), Second: b.code(app.Secret, 0)}
		if err := b.flow.AddDevice(t.Context(), thief, s.ID, n); err != nil {
			t.Fatal(err)
		}
		if _, err := b.flow.DenyChange(t.Context(), from("203.0.113.9"), linkOf(b.letters(mail.FactorAdded)[0].NotMe)); err != nil {
			t.Fatal(err)
		}
		b.update(func(tx *store.Tx) error {
			left, err := mfa.List(tx, b.sam.StoreID, b.sam.ID)
			if len(left) != 0 {
				t.Errorf("left: %+v", left)
			}
			return err
		})
		if _, err := b.flow.Own(t.Context(), s.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("the thief's session: %v", err)
		}
	})
}

// linkOf is the token of a link.
func linkOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func TestEnrollment(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) {
			s.MfaMode, s.NoMfa, s.OwnDevices = authsettings.MfaAlwaysOn, authsettings.NoMfaBlock, false
		})
		v := from("203.0.113.9")
		if got := b.step(v); got != signin.StepBlocked {
			t.Fatalf("without the link: step %d", got)
		}
		invite := func() string {
			b.now = b.now.Add(time.Second) // or the letters have no order
			b.update(func(tx *store.Tx) error { return maillink.SendEnrollment(tx, b.now, b.flow.Mail, b.sam) })
			letters := b.letters(mail.Enrollment)
			return linkOf(letters[len(letters)-1].Path)
		}
		older, link := invite(), invite()
		if _, err := b.flow.Enroll(t.Context(), v, older); !fault.Is(err, fault.NotFound) {
			t.Errorf("a link after which another was sent: %v", err)
		}
		if _, err := b.flow.Enroll(t.Context(), from("192.0.2.1"), link); err != nil { // on another machine, to no end
			t.Fatal(err)
		}
		a, err := b.flow.Enroll(t.Context(), v, link)
		if err != nil || a.Next() != signin.StepPassword {
			t.Fatalf("the link again: step %d, %v", a.Next(), err)
		}
		if _, err := b.flow.BeginApp(t.Context(), v, a.ID); !gone(err) {
			t.Errorf("registering without the password: %v", err)
		}
		out, err := b.flow.Password(t.Context(), v, a.ID, chosen)
		if err != nil || out.Attempt.Next() != signin.StepRegister {
			t.Fatalf("after the password: step %d, %v", out.Attempt.Next(), err)
		}
		app, err := b.flow.BeginApp(t.Context(), v, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		out, err = b.flow.Register(t.Context(), v, a.ID, signin.NewDevice{Name: "phone", First: b.code(app.Secret, -1), Second: b.code(app.Secret, 0)})
		if err != nil || !b.open(out.Token) {
			t.Fatalf("registering: %v", err)
		}
		if _, err := b.flow.Enroll(t.Context(), v, link); !fault.Is(err, fault.NotFound) {
			t.Errorf("the link after a device was registered: %v", err)
		}

		// Another one, for who has one: that has to be proved first.
		b.now = b.now.Add(time.Minute)
		if a, err = b.flow.Enroll(t.Context(), v, invite()); err != nil {
			t.Fatal(err)
		}
		if out, err = b.flow.Password(t.Context(), v, a.ID, chosen); err != nil || out.Attempt.Next() != signin.StepFactor {
			t.Fatalf("who has a device: step %d, %v", out.Attempt.Next(), err)
		}
		if out, err = b.flow.Factor(t.Context(), v, a.ID, signin.Proof{Code: b.code(app.Secret, 0)}); err != nil || out.Attempt.Next() != signin.StepRegister {
			t.Fatalf("and then: step %d, %v", out.Attempt.Next(), err)
		}
	})
}

// TestALinkRegistersOneDevice begins two sign-ins with one link, and registers a
// device in each.
func TestALinkRegistersOneDevice(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.update(func(tx *store.Tx) error { return maillink.SendEnrollment(tx, b.now, b.flow.Mail, b.sam) })
		link := linkOf(b.letters(mail.Enrollment)[0].Path)
		var apps []signin.NewDevice
		var ids []string
		v := from("203.0.113.9")
		for range 2 {
			a, err := b.flow.Enroll(t.Context(), v, link)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.flow.Password(t.Context(), v, a.ID, chosen); err != nil {
				t.Fatal(err)
			}
			app, err := b.flow.BeginApp(t.Context(), v, a.ID)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, a.ID)
			apps = append(apps, signin.NewDevice{Name: "Phone", First: b.code(app.Secret, -1), Second: b.code(app.Secret, 0)})
		}
		if out, err := b.flow.Register(t.Context(), v, ids[1], apps[1]); err != nil || !b.open(out.Token) {
			t.Fatal(err)
		}
		if _, err := b.flow.Register(t.Context(), v, ids[0], apps[0]); !fault.Is(err, fault.NotFound) {
			t.Errorf("the other sign-in: %v", err)
		}
	})
}

// TestEnablingBringsNothingBack disables a person with a sign-in under way, a link
// and a code, and enables the person again.
func TestEnablingBringsNothingBack(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) { s.MfaMode, s.NoMfa = authsettings.MfaAlwaysOn, authsettings.NoMfaEmail })
		v := from("203.0.113.9")
		a := b.pass(v).Attempt
		code := b.letters(mail.FactorCode)[0].Code
		if err := b.flow.Forgot(t.Context(), v, b.begin(v, "sam.lee").ID); err != nil {
			t.Fatal(err)
		}
		link := linkOf(b.letters(mail.PasswordReset)[0].Path)
		b.update(func(tx *store.Tx) error {
			by := directory.Stamp{At: b.now, By: "test"}
			if _, _, err := directory.DisableUser(tx, by, b.sam.StoreID, b.sam.ID); err != nil {
				return err
			}
			if err := signin.EndPending(tx, b.sam); err != nil {
				return err
			}
			_, _, err := directory.EnableUser(tx, by, b.sam.StoreID, b.sam.ID)
			return err
		})
		if _, err := b.flow.EmailCode(t.Context(), v, a.ID, signin.Proof{Code: code}); !gone(err) {
			t.Errorf("the sign-in goes on: %v", err)
		}
		if _, err := b.flow.LinkedPassword(t.Context(), v, link, "Other-kelp-77"); !gone(err) {
			t.Errorf("the link opens: %v", err)
		}
		if step := b.step(v); step != signin.StepEmailCode {
			t.Errorf("signing in anew: step %d", step)
		}
	})
}
