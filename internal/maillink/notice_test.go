package maillink_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/rootuser"
	"github.com/atrium-iam/atrium/internal/store"
)

func address(s string) []any { return []any{map[string]any{"value": s}} }

func TestAChangedAddressIsVerifiedAnew(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.setPassword("hash")
		w.change("title", "Builder")
		w.change("emails", address("SAM.LEE@example.com")) // the same
		if all := w.letters(); len(all) != 0 {
			t.Fatalf("letters without a change: %+v", all)
		}
		w.change("emails", address("sam@example.org"))
		all := w.letters()
		if len(all) != 2 {
			t.Fatalf("%d letters", len(all))
		}
		for _, l := range all {
			switch l.Kind {
			case mail.EmailChanged:
				if l.To != "SAM.LEE@example.com" || l.Content.NotMe == "" || l.Content.About != "sam@example.org" || l.Content.Path != "" {
					t.Errorf("the notice is %+v", l)
				}
			case mail.EmailVerification:
				if l.To != "sam@example.org" {
					t.Errorf("the verification went to %s", l.To)
				}
				w.update(func(tx *store.Tx) error {
					_, err := maillink.Verify(tx, w.now, w.token(l.Content.Path))
					return err
				})
			default:
				t.Errorf("a letter of the kind %s", l.Kind)
			}
		}
		w.update(func(tx *store.Tx) error {
			verified, err := maillink.Verified(tx, w.sam)
			if !verified {
				t.Error("the address is not verified")
			}
			return err
		})
		w.change("emails", address("sam@example.net"))
		w.update(func(tx *store.Tx) error {
			verified, err := maillink.Verified(tx, w.sam)
			if verified {
				t.Error("another address counts as verified")
			}
			if err != nil {
				return err
			}
			reachable, err := maillink.Reachable(tx, w.sam)
			if reachable {
				t.Error("what the person asks for would go to an address that nobody has verified")
			}
			return err
		})
	})
}

func TestWhoHasNoPasswordIsNotWarned(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.change("emails", address("sam@example.org"))
		w.letter(mail.EmailVerification)
		w.change("emails", nil)
		if all := w.letters(); len(all) != 0 {
			t.Errorf("letters: %+v", all)
		}
	})
}

// deny answers a notice with: this wasn't me.
func (w *world) deny(token string) (mailed bool) {
	w.t.Helper()
	w.update(func(tx *store.Tx) (err error) {
		_, _, mailed, err = maillink.Deny(tx, w.now, w.box, token, false, mayReset)
		return err
	})
	return mailed
}

func TestThisWasntMe(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.setPassword("attacker")
		w.signIn()
		w.update(func(tx *store.Tx) error {
			return maillink.Notify(tx, w.now, w.box, w.sam, maillink.Notice{Kind: mail.FactorAdded, About: "Phone", Undo: "device-1"})
		})
		notice := w.letter(mail.FactorAdded)
		token := w.token(notice.Content.NotMe)
		if err := w.look(token); err != nil {
			t.Fatal(err)
		}
		if !w.signedIn() || w.password().Hash == "" {
			t.Fatal("looking at the link did what its button does")
		}
		if !w.deny(token) {
			t.Error("the person, whose address is the same, got no link")
		}
		if w.signedIn() || w.password().Hash != "" {
			t.Error("a session or the password is still good")
		}
		reset := w.token(w.letter(mail.PasswordReset).Content.Path)
		if err := w.choose(reset, "mine"); err != nil {
			t.Error(err)
		}
		wantGone(t, w.try(func(tx *store.Tx) error {
			_, _, _, err := maillink.Deny(tx, w.now, w.box, token, false, mayReset)
			return err
		}), maillink.ReasonUsed)
	})
}

// TestAStolenAddress has an attacker change the address: who answers at the old
// one must not send everything to the new one.
func TestAStolenAddress(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.setPassword("mine")
		w.change("emails", address("eve@example.org"))
		var notMe, verification string
		for _, l := range w.letters() {
			if l.Kind == mail.EmailChanged {
				notMe = w.token(l.Content.NotMe)
			} else {
				verification = w.token(l.Content.Path)
			}
		}
		if w.deny(notMe) {
			t.Error("a link went to the address of the attacker")
		}
		if all := w.letters(); len(all) != 0 {
			t.Errorf("letters: %+v", all)
		}
		if w.password().Hash != "" {
			t.Error("the password is still good")
		}
		wantGone(t, w.try(func(tx *store.Tx) error {
			_, err := maillink.Verify(tx, w.now, verification)
			return err
		}), maillink.ReasonUsed)
		w.update(func(tx *store.Tx) error { return maillink.SendReset(tx, w.now, w.box, w.sam, true) })
		if all := w.letters(); len(all) != 0 {
			t.Errorf("the attacker gets another password: %+v", all)
		}
	})
}

func mayReset(maillink.Link, directory.User) (bool, error) { return true, nil }

// TestRootUsersGetNoLinks has whoever holds a root user's mailbox find nothing
// in it.
func TestRootUsersGetNoLinks(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		root := w.sam
		root.StoreID = rootuser.StoreOf("123456789012")
		before := len(w.letters())
		w.update(func(tx *store.Tx) error {
			if err := maillink.Notify(tx, w.now, w.box, root, maillink.Notice{Kind: mail.FactorAdded, Undo: "device"}); err != nil {
				return err
			}
			if err := maillink.ResetPassword(tx, w.now, w.box, root); !fault.Is(err, fault.Denied) {
				t.Errorf("a reset by mail: %v", err)
			}
			return nil
		})
		if after := len(w.letters()); after != before {
			t.Errorf("%d letters were written", after-before)
		}
	})
}

// TestWhoHasNoPasswordIsBarredToo has somebody with an old notice shut out a
// person who has never had a password: no letter helps but an administrator's.
func TestWhoHasNoPasswordIsBarredToo(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.update(func(tx *store.Tx) error {
			return maillink.Notify(tx, w.now, w.box, w.sam, maillink.Notice{Kind: mail.FactorAdded, Undo: "device-1"})
		})
		token := w.token(w.letter(mail.FactorAdded).Content.NotMe)
		invitation := w.invite()
		w.update(func(tx *store.Tx) error {
			_, _, mailed, err := maillink.Deny(tx, w.now, w.box, token, false, func(maillink.Link, directory.User) (bool, error) { return false, nil })
			if mailed {
				t.Error("a link was mailed")
			}
			return err
		})
		if p := w.password(); !p.Barred || p.Hash != "" || p.Chosen() {
			t.Errorf("%+v", p)
		}
		wantGone(t, w.look(invitation), maillink.ReasonOutdated)
		if err := w.choose(w.invite(), "hash"); err != nil {
			t.Error(err)
		}
		if p := w.password(); p.Barred || p.Hash != "hash" {
			t.Errorf("after the administrator's invitation: %+v", p)
		}
	})
}

// TestAStrangersAddress gives sam.lee, by mistake, the address of a stranger,
// and then the right one: the stranger gets nothing that shuts sam.lee out.
func TestAStrangersAddress(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.setPassword("mine")
		w.change("emails", address("stranger@example.org"))
		w.letters()
		w.update(func(tx *store.Tx) error {
			return maillink.Notify(tx, w.now, w.box, w.sam, maillink.Notice{Kind: mail.PasswordChanged})
		})
		if told := w.letter(mail.PasswordChanged); told.To != "stranger@example.org" || told.Content.NotMe != "" {
			t.Errorf("a link that undoes went to an address that nobody has verified: %+v", told)
		}
		w.change("emails", address("sam@example.net"))
		if l := w.letter(mail.EmailVerification); l.To != "sam@example.net" {
			t.Errorf("the verification went to %s", l.To)
		}
	})
}

// TestTheVerifiedAddressStays has somebody answer at the former address after
// the person has verified another one: it is the person's from then on.
func TestTheVerifiedAddressStays(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.setPassword("mine")
		w.change("emails", address("sam@example.net"))
		var notMe, verification string
		for _, l := range w.letters() {
			if l.Kind == mail.EmailChanged {
				notMe = w.token(l.Content.NotMe)
			} else {
				verification = w.token(l.Content.Path)
			}
		}
		w.update(func(tx *store.Tx) error { _, err := maillink.Verify(tx, w.now, verification); return err })
		if w.deny(notMe) {
			t.Error("a link went to an address that did not answer")
		}
		w.update(func(tx *store.Tx) error {
			verified, err := maillink.Verified(tx, w.sam)
			if !verified {
				t.Error("the former address has taken the place of the verified one")
			}
			return err
		})
		if p := w.password(); p.Hash != "" || !p.Barred {
			t.Errorf("the password is %+v", p)
		}
	})
}
