package maillink_test

import (
	"crypto/sha256"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/store"
)

func wantGone(t *testing.T, err error, reason string) {
	t.Helper()
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Category != fault.NotFound || e.Subject != "mail_link" || e.Reason != reason {
		t.Errorf("the error is %v, want %s", err, reason)
	}
}

func TestAnInvitation(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.signIn()
		token := w.invite()
		for range 3 { // programs that inspect mail look, too
			if err := w.look(token); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.choose(token, "hash"); err != nil {
			t.Fatal(err)
		}
		if p := w.password(); p.Hash != "hash" || p.OneTime {
			t.Errorf("the password is %+v", p)
		}
		if w.signedIn() {
			t.Error("a session outlived the new password")
		}
		w.update(func(tx *store.Tx) error {
			verified, err := maillink.Verified(tx, w.sam)
			if !verified {
				t.Error("the address, to which the link went, is not verified")
			}
			return err
		})
		if all := w.letters(); len(all) != 0 {
			t.Errorf("a first password made letters: %+v", all)
		}
		wantGone(t, w.choose(token, "other"), maillink.ReasonUsed)
		wantGone(t, w.look(token), maillink.ReasonUsed)
		if p := w.password(); p.Hash != "hash" {
			t.Error("a link was good twice")
		}
	})
}

func TestTheTokenIsNotStored(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		token := w.invite()
		w.update(func(tx *store.Tx) error {
			l, found, err := tx.MailLink(sha256.Sum256([]byte(token)))
			if !found || l.Purpose != maillink.Invitation || !l.ExpiresAt.Equal(w.now.Add(7*24*time.Hour)) {
				t.Errorf("stored: %+v", l)
			}
			return err
		})
	})
}

// TestLinksThatCannotBeFollowed changes one thing after a link was sent.
func TestLinksThatCannotBeFollowed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world)
		reason string
	}{
		"it is another":             {func(*world) {}, maillink.ReasonUnknown},
		"it has expired":            {func(w *world) { w.now = w.now.Add(maillink.InvitationLifetime) }, maillink.ReasonExpired},
		"the address was changed":   {func(w *world) { w.change("emails", []any{map[string]any{"value": "other@example.com"}}) }, maillink.ReasonOutdated},
		"there is a password":       {func(w *world) { w.setPassword("hash") }, maillink.ReasonOutdated},
		"the person is disabled":    {func(w *world) { w.status(directory.DisableUser) }, maillink.ReasonUnknown},
		"the person does not exist": {func(w *world) { w.remove() }, maillink.ReasonUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, w *world) {
				token := w.invite()
				if name == "it is another" {
					token += "x"
				}
				c.change(w)
				wantGone(t, w.look(token), c.reason)
				if name == "the person does not exist" {
					return
				}
				before := w.password()
				wantGone(t, w.choose(token, "new"), c.reason)
				if w.password().Hash != before.Hash {
					t.Error("the password was changed")
				}
			})
		})
	}
}

func (w *world) status(set func(directory.UserTx, directory.Stamp, string, string) (directory.User, bool, error)) {
	w.t.Helper()
	w.update(func(tx *store.Tx) (err error) {
		w.sam, _, err = set(tx, w.stamp(), storeID, w.sam.ID)
		return err
	})
}

func (w *world) remove() {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		_, _, err := directory.DeleteUser(tx, storeID, w.sam.ID)
		return err
	})
}

// TestALinkIsGoodOnce, however many press its button at the same time.
func TestALinkIsGoodOnce(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		token := w.invite()
		var group sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			group.Go(func() {
				errs[i] = w.try(func(tx *store.Tx) error {
					_, _, err := maillink.Use(tx, w.now, token)
					return err
				})
			})
		}
		group.Wait()
		used := 0
		for _, err := range errs {
			if err == nil {
				used++
			} else {
				wantGone(t, err, maillink.ReasonUsed)
			}
		}
		if used != 1 {
			t.Errorf("the link was good %d times", used)
		}
	})
}

func TestAnAdministratorsReset(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.setPassword("old")
		w.signIn()
		w.update(func(tx *store.Tx) error { return maillink.ResetPassword(tx, w.now, w.box, w.sam) })
		if p := w.password(); p.Hash != "" || len(p.Earlier) != 1 || p.Earlier[0] != "old" {
			t.Errorf("the password is %+v; it has to be void, and remembered", p)
		}
		if w.signedIn() {
			t.Error("a session outlived the reset")
		}
		token := w.token(w.letter(mail.AdministratorReset).Content.Path)
		if err := w.choose(token, "new"); err != nil {
			t.Fatal(err)
		}
		notice := w.letter(mail.PasswordChanged)
		if notice.To != "sam.lee@example.com" || notice.Content.NotMe == "" || notice.Content.From != "192.0.2.1" {
			t.Errorf("the notice is %+v", notice)
		}
	})
}

// TestNoMailCanBeSent refuses what cannot be done, before anything is changed.
func TestNoMailCanBeSent(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.setPassword("old")
		without := w.person("no.address", "")
		odd := w.person("odd", "not an address")
		disabled := w.sam
		disabled.Status = directory.Disabled
		var off *mail.Outbox
		for name, c := range map[string]struct {
			box *mail.Outbox
			u   directory.User
		}{"no server": {off, w.sam}, "no address": {w.box, without}, "no real address": {w.box, odd}, "disabled": {w.box, disabled}} {
			for what, send := range map[string]func(maillink.Tx, time.Time, *mail.Outbox, directory.User) error{
				"invite": maillink.Invite, "reset": maillink.ResetPassword, "verify": maillink.SendVerification, "enroll": maillink.SendEnrollment,
			} {
				err := w.try(func(tx *store.Tx) error { return send(tx, w.now, c.box, c.u) })
				if !fault.Is(err, fault.Invalid) {
					t.Errorf("%s, %s: %v", name, what, err)
				}
			}
		}
		if w.queued() != 0 || w.password().Hash != "old" {
			t.Error("something was changed all the same")
		}
		err := w.try(func(tx *store.Tx) error { return maillink.Invite(tx, w.now, w.box, w.sam) })
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("inviting somebody with a password: %v", err)
		}
	})
}

// TestSendReset sends the link to those who may have it. What is stored for
// the others looks the same.
func TestSendReset(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		without := w.person("no.address", "")
		moved := w.person("moved", "new@example.com")
		disabled := w.sam
		disabled.Status = directory.Disabled
		w.update(func(tx *store.Tx) error { return tx.PutVerifiedEmail(storeID, moved.ID, "old@example.com", w.now) })
		for name, c := range map[string]struct {
			u       directory.User
			allowed bool
			want    int
		}{
			"somebody": {w.sam, true, 1}, "nobody": {directory.User{}, true, 0}, "without address": {without, true, 0},
			"disabled": {disabled, true, 0}, "not allowed": {w.sam, false, 0}, "an address that is not verified after one that was": {moved, true, 0},
		} {
			w.update(func(tx *store.Tx) error { return maillink.SendReset(tx, w.now, w.box, c.u, c.allowed) })
			if n := w.queued(); n != 1 {
				t.Errorf("%s: %d rows in the outbox, want 1: asking for nothing must cost the same", name, n)
			}
			if all := w.letters(); len(all) != c.want {
				t.Errorf("%s: %d letters", name, len(all))
			}
		}
	})
}
