package signin_test

import (
	"errors"
	"testing"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
)

// breaches are passwords that were published.
type breaches map[string]bool

// Contains is part of credential.Breaches.
func (b breaches) Contains(password string) bool { return b[password] }

// TestBreachedPasswords offers one that was published wherever a person chooses
// a password.
func TestBreachedPasswords(t *testing.T) {
	run(t, func(b *bench) {
		const published, fresh = "Quiet-Lagoon-31", "Quiet-Harbour-58"
		b.flow.Breaches = breaches{published: true}
		b.settings(func(s *authsettings.Settings) { s.NoPassword = authsettings.NoPasswordEmail })
		v := from("203.0.113.9")
		refused := func(where string, choose func(password string) error) {
			t.Helper()
			err := choose(published)
			if e, ok := errors.AsType[*fault.Error](err); !ok || e.Category != fault.Invalid || e.Reason != credential.ReasonBreached {
				t.Errorf("%s: %v, want %s", where, err, credential.ReasonBreached)
			}
			if err := choose(fresh + where[:1] + where[len(where)-1:]); err != nil {
				t.Errorf("%s: another one: %v", where, err)
			}
		}
		linked := func(token string) func(string) error {
			return func(password string) error {
				_, err := b.flow.LinkedPassword(t.Context(), v, token, password)
				return err
			}
		}

		b.update(func(tx *store.Tx) error { return maillink.Invite(tx, b.now, b.flow.Mail, b.sam) })
		refused("an invitation", linked(linkOf(b.letters(mail.Invitation)[0].Path)))

		b.setOneTime(oneTime)
		a := b.begin(v, "sam.lee")
		if _, err := b.flow.Password(t.Context(), v, a.ID, oneTime); err != nil {
			t.Fatal(err)
		}
		refused("after a one-time password", func(password string) error {
			_, err := b.flow.NewPassword(t.Context(), v, a.ID, password)
			return err
		})

		if err := b.flow.Forgot(t.Context(), v, b.begin(v, "sam.lee").ID); err != nil {
			t.Fatal(err)
		}
		refused("Forgot password", linked(linkOf(b.letters(mail.PasswordReset)[0].Path)))

		b.update(func(tx *store.Tx) error { return maillink.ResetPassword(tx, b.now, b.flow.Mail, b.sam) })
		refused("a reset by an administrator", linked(linkOf(b.letters(mail.AdministratorReset)[0].Path)))

		b.update(func(tx *store.Tx) error { return credential.Void(tx, b.now, b.in.IdentityStoreID, b.sam.ID) })
		first := b.begin(v, "sam.lee")
		if err := b.flow.SendPasswordCode(t.Context(), v, first.ID); err != nil {
			t.Fatal(err)
		}
		token, err := b.flow.PasswordCode(t.Context(), v, first.ID, b.letters(mail.PasswordCode)[0].Code)
		if err != nil {
			t.Fatal(err)
		}
		refused("after a code", linked(token))

		b.setOwn(chosen)
		s := b.signedIn(v)
		refused("changing it", func(password string) error {
			return b.flow.ChangePassword(t.Context(), v, s, signin.PasswordChange{Current: chosen, New: password})
		})
	})
}
