package signin_test

import (
	"errors"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
)

// enrolled has sam.lee register an app at a sign-in, and returns its secret.
func (b *bench) enrolled(v signin.Visit) (secret string) {
	b.t.Helper()
	a := b.begin(v, "sam.lee")
	if out, err := b.flow.Password(b.t.Context(), v, a.ID, chosen); err != nil || out.Attempt.Next() != signin.StepRegister {
		b.t.Fatalf("%+v %v", out, err)
	}
	app, err := b.flow.BeginApp(b.t.Context(), v, a.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	n := signin.NewDevice{Name: "Phone", First: b.code(app.Secret, -1), Second: b.code(app.Secret, 0)}
	if out, err := b.flow.Register(b.t.Context(), v, a.ID, n); err != nil || out.Token == "" {
		b.t.Fatalf("%+v %v", out, err)
	}
	return app.Secret
}

// TestAMailboxAloneTakesNothing has somebody who reads the mail of a person with
// one device say that it was not registered by them, and then try every way to
// another password that leads through the mailbox. An administrator ends it.
func TestAMailboxAloneTakesNothing(t *testing.T) {
	run(t, func(b *bench) {
		b.setOwn(chosen)
		b.settings(func(s *authsettings.Settings) {
			s.MfaMode, s.NoMfa, s.NoPassword = authsettings.MfaAlwaysOn, authsettings.NoMfaEnroll, authsettings.NoPasswordEmail
		})
		v, eve := from("203.0.113.9"), from("198.51.100.7")
		if err := b.flow.Forgot(t.Context(), eve, b.begin(eve, "sam.lee").ID); err != nil {
			t.Fatal(err)
		}
		before := linkOf(b.letters(mail.PasswordReset)[0].Path) // sent before: it must not open anything after
		b.enrolled(v)
		other := b.notice(maillink.Notice{Kind: mail.PasswordChanged})
		denied, err := b.flow.DenyChange(t.Context(), eve, linkOf(b.letters(mail.FactorAdded)[0].NotMe))
		if err != nil || denied.Mailed || denied.Kept {
			t.Fatalf("%+v, %v", denied, err)
		}
		letters := func() int { return len(b.letters(mail.PasswordReset)) + len(b.letters(mail.PasswordCode)) }
		sent := letters()
		ask := func(network string) {
			t.Helper()
			eve := from(network)
			if err := b.flow.Forgot(t.Context(), eve, b.begin(eve, "sam.lee").ID); err != nil {
				t.Errorf("Forgot password tells: %v", err)
			}
			if err := b.flow.SendPasswordCode(t.Context(), eve, b.begin(eve, "sam.lee").ID); err != nil {
				t.Errorf("Email me a code tells: %v", err)
			}
		}
		ask("198.51.101.7")
		if denied, err := b.flow.DenyChange(t.Context(), eve, other); err != nil || denied.Mailed {
			t.Errorf("the link of another notice: %+v, %v", denied, err)
		}
		ask("198.51.102.7")
		if n := letters(); n != sent {
			t.Errorf("%d letters went to the mailbox", n-sent)
		}
		if _, err := b.flow.LinkedPassword(t.Context(), eve, before, "Eves-kelp-77"); !gone(err) {
			t.Errorf("a link from before: %v", err)
		}

		b.update(func(tx *store.Tx) error { return maillink.ResetPassword(tx, b.now, b.flow.Mail, b.sam) })
		link := linkOf(b.letters(mail.AdministratorReset)[0].Path)
		if _, err := b.flow.LinkedPassword(t.Context(), v, link, "Other-kelp-77"); err != nil {
			t.Errorf("the administrator's link: %v", err)
		}
		asked := letters()
		b.now = b.now.Add(12 * time.Hour)
		if err := b.flow.Forgot(t.Context(), v, b.begin(v, "sam.lee").ID); err != nil || letters() != asked+1 {
			t.Errorf("Forgot password after the administrator has helped: %v", err)
		}
	})
}

// TestACodeFromBeforeOpensNothing types a code that was sent before the person
// was barred, and one from before the person had a password.
func TestACodeFromBeforeOpensNothing(t *testing.T) {
	for name, change := range map[string]func(b *bench){
		"barred": func(b *bench) {
			b.update(func(tx *store.Tx) error { return credential.Bar(tx, b.now, b.sam.StoreID, b.sam.ID) })
		},
		"with a password": func(b *bench) { b.setOwn(chosen) },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(b *bench) {
				b.settings(func(s *authsettings.Settings) { s.NoPassword = authsettings.NoPasswordEmail })
				b.update(func(tx *store.Tx) error { return credential.Void(tx, b.now, b.sam.StoreID, b.sam.ID) })
				v := from("203.0.113.9")
				a := b.begin(v, "sam.lee")
				if err := b.flow.SendPasswordCode(t.Context(), v, a.ID); err != nil {
					t.Fatal(err)
				}
				code := b.letters(mail.PasswordCode)[0].Code
				change(b)
				token, err := b.flow.PasswordCode(t.Context(), v, a.ID, code)
				if e, ok := errors.AsType[*fault.Error](err); !ok || e.Subject != "mail_code" || e.Category != fault.NotFound || token != "" {
					t.Errorf("the code opens %q, %v", token, err)
				}
			})
		})
	}
}

// notice has sam.lee told of a change, and returns the link that takes it back.
func (b *bench) notice(n maillink.Notice) (token string) {
	b.t.Helper()
	b.update(func(tx *store.Tx) error { return maillink.Notify(tx, b.now, b.flow.Mail, b.sam, n) })
	all := b.letters(n.Kind)
	return linkOf(all[len(all)-1].NotMe)
}
