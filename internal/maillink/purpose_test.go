package maillink_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestALinkIsForOnePurpose does with each link what another one is for: nothing
// comes of it, and the link stays good.
func TestALinkIsForOnePurpose(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.setPassword("mine")
		w.signIn()
		w.update(func(tx *store.Tx) error {
			if err := maillink.SendVerification(tx, w.now, w.box, w.sam); err != nil {
				return err
			}
			if err := maillink.SendReset(tx, w.now, w.box, w.sam, true); err != nil {
				return err
			}
			if err := maillink.SendEnrollment(tx, w.now, w.box, w.sam); err != nil {
				return err
			}
			return maillink.Notify(tx, w.now, w.box, w.sam, maillink.Notice{Kind: mail.FactorRemoved, About: "Phone"})
		})
		links := map[string]string{}
		for _, l := range w.letters() {
			switch l.Kind {
			case mail.EmailVerification:
				links["verifies"] = w.token(l.Content.Path)
			case mail.PasswordReset:
				links["sets a password"] = w.token(l.Content.Path)
			case mail.FactorRemoved:
				links["denies"] = w.token(l.Content.NotMe)
			default:
				links["enrolls"] = w.token(l.Content.Path)
			}
		}
		if len(links) != 4 {
			t.Fatalf("links: %v", links)
		}
		had := w.password()
		for what, do := range map[string]func(*store.Tx, string) error{
			"verifies": func(tx *store.Tx, token string) error {
				_, err := maillink.Verify(tx, w.now, token)
				return err
			},
			"sets a password": func(tx *store.Tx, token string) error {
				_, err := maillink.SetPassword(tx, w.now, w.box, token, "theirs", had, maillink.Notice{})
				return err
			},
			"denies": func(tx *store.Tx, token string) error {
				_, _, _, err := maillink.Deny(tx, w.now, w.box, token, false, mayReset)
				return err
			},
		} {
			for is, token := range links {
				if is == what {
					continue
				}
				wantGone(t, w.try(func(tx *store.Tx) error { return do(tx, token) }), maillink.ReasonUnknown)
				if after := w.password(); after.Version != had.Version || !w.signedIn() {
					t.Errorf("a link that %s: something was changed", is)
				}
				if err := w.look(token); err != nil {
					t.Errorf("a link that %s is used up: %v", is, err)
				}
			}
		}
	})
}

// TestThisWasntMeForgetsBrowsers trusts a browser, and denies a change.
func TestThisWasntMeForgetsBrowsers(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.setPassword("mine")
		w.update(func(tx *store.Tx) error {
			b := mfa.Browser{StoreID: w.sam.StoreID, UserID: w.sam.ID, ID: "0123456789abcdef0123456789abcdef", CreatedAt: w.now, ExpiresAt: w.now.Add(mfa.TrustLifetime)}
			if err := tx.InsertTrustedBrowser(b); err != nil {
				return err
			}
			return maillink.Notify(tx, w.now, w.box, w.sam, maillink.Notice{Kind: mail.FactorRemoved, About: "Phone"})
		})
		w.deny(w.token(w.letter(mail.FactorRemoved).Content.NotMe))
		w.update(func(tx *store.Tx) error {
			left, err := tx.TrustedBrowsers(w.sam.StoreID, w.sam.ID)
			if len(left) != 0 {
				t.Errorf("trusted browsers are left: %+v", left)
			}
			return err
		})
	})
}
