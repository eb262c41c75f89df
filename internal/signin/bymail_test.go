package signin_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestMailInTheTrail does all that is done by mail, and looks for links, codes
// and passwords in what is recorded of it.
func TestMailInTheTrail(t *testing.T) {
	run(t, func(b *bench) {
		b.settings(func(s *authsettings.Settings) { s.NoPassword = authsettings.NoPasswordEmail })
		v := from("203.0.113.9")
		if err := b.flow.Forgot(t.Context(), v, b.begin(v, "my-pass-word-typed-as-name").ID); err != nil {
			t.Fatal(err)
		}
		if err := b.flow.Forgot(t.Context(), v, b.begin(v, "sam.lee").ID); err != nil {
			t.Fatal(err)
		}
		reset := linkOf(b.letters(mail.PasswordReset)[0].Path)
		if _, err := b.flow.LinkedPassword(t.Context(), v, reset, chosen); err != nil {
			t.Fatal(err)
		}
		b.update(func(tx *store.Tx) error {
			if err := credential.Void(tx, b.now, b.in.IdentityStoreID, b.sam.ID); err != nil {
				return err
			}
			if err := maillink.Notify(tx, b.now, b.flow.Mail, b.sam, maillink.Notice{Kind: mail.FactorRemoved, About: "Phone"}); err != nil {
				return err
			}
			return maillink.SendVerification(tx, b.now, b.flow.Mail, b.sam)
		})
		a := b.begin(v, "sam.lee")
		if err := b.flow.SendPasswordCode(t.Context(), v, a.ID); err != nil {
			t.Fatal(err)
		}
		code := b.letters(mail.PasswordCode)[0].Code
		if _, err := b.flow.PasswordCode(t.Context(), v, a.ID, "a-wrong-code"); err == nil {
			t.Fatal("a wrong code is right")
		}
		first, err := b.flow.PasswordCode(t.Context(), v, a.ID, code)
		if err != nil {
			t.Fatal(err)
		}
		verification := linkOf(b.letters(mail.EmailVerification)[0].Path)
		if _, err := b.flow.VerifyEmail(t.Context(), v, verification); err != nil {
			t.Fatal(err)
		}
		notMe := linkOf(b.letters(mail.FactorRemoved)[0].NotMe)
		if _, err := b.flow.DenyChange(t.Context(), v, notMe); err != nil {
			t.Fatal(err)
		}

		var records []string
		b.update(func(tx *store.Tx) error {
			pending, err := tx.PendingAudit(100)
			records = nil
			for _, p := range pending {
				records = append(records, string(p.Body))
			}
			return err
		})
		changes := strings.Join(records, "\n")
		for _, r := range slices.Concat(b.sink.noise, b.sink.enqueued) {
			raw, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, string(raw))
		}
		all := strings.Join(records, "\n")
		for _, secret := range []string{reset, first, verification, notMe, code, "a-wrong-code", chosen, "my-pass-word", "sam.lee", "argon2"} {
			if strings.Contains(all, secret) {
				t.Errorf("%q is in the audit trail:\n%s", secret, all)
			}
		}
		for _, want := range []string{
			`"eventName":"UpdatePassword"`, `"eventName":"VerifyEmail"`, `"eventName":"DenyChange"`,
			`{"CredentialVerification":"Failure"}`, `{"CredentialVerification":"Success"}`, `"CredentialType":"EMAIL_OTP"`, `"userId":"` + b.sam.ID + `"`,
		} {
			if !strings.Contains(changes, want) {
				t.Errorf("%s is not in the audit trail:\n%s", want, changes)
			}
		}
		if !strings.Contains(all, "ForgotPassword") {
			t.Error("asking for a link is not in the audit trail")
		}
	})
}

// TestALinkUsedAgain has somebody choose a password at a link that the person
// has used, in a page that was open before: it is refused, recorded and told.
func TestALinkUsedAgain(t *testing.T) {
	run(t, func(b *bench) {
		v := from("203.0.113.9")
		if err := b.flow.Forgot(t.Context(), v, b.begin(v, "sam.lee").ID); err != nil {
			t.Fatal(err)
		}
		reset := linkOf(b.letters(mail.PasswordReset)[0].Path)
		if _, err := b.flow.LinkedPassword(t.Context(), v, reset, chosen); err != nil {
			t.Fatal(err)
		}
		again := func() {
			t.Helper()
			if _, err := b.flow.LinkedPassword(t.Context(), from("198.51.100.7"), reset, "Other-kelp-77"); !gone(err) {
				t.Errorf("the link again: %v", err)
			}
		}
		again() // at once: a form that was sent twice
		if all := b.letters(mail.LinkReplayed); len(all) != 0 {
			t.Errorf("letters: %+v", all)
		}
		b.now = b.now.Add(maillink.ReplayGrace)
		for range 3 {
			again()
		}
		if all := b.letters(mail.LinkReplayed); len(all) != 1 || all[0].From != "198.51.100.7" || all[0].NotMe == "" {
			t.Errorf("letters: %+v", all)
		}
		if n := count(b.trail(), "UpdatePassword  Failure"); n != 1 {
			t.Errorf("recorded %d times: %q", n, b.trail())
		}
		if out, err := b.flow.Password(t.Context(), v, b.begin(v, "sam.lee").ID, chosen); err != nil || !b.open(out.Token) {
			t.Errorf("the password that was chosen: %v", err)
		}
	})
}
