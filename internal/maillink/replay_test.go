package maillink_test

import (
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/store"
)

// replay presses the button of a link again.
func (w *world) replay(token string) (told bool) {
	w.t.Helper()
	w.update(func(tx *store.Tx) (err error) {
		_, told, err = maillink.Replayed(tx, w.now, w.box, token, maillink.Notice{From: "198.51.100.7", Client: "Browser/1"})
		return err
	})
	return told
}

// TestAReplayIsTold uses a link, and tries it again: soon, later, and once more.
func TestAReplayIsTold(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		token := w.invite()
		if w.replay(token) {
			t.Error("a link that was not used is told of")
		}
		if err := w.choose(token, "hash"); err != nil {
			t.Fatal(err)
		}
		w.signIn()
		w.now = w.now.Add(maillink.ReplayGrace - time.Second)
		if w.replay(token) {
			t.Error("a form that was sent twice is told of")
		}
		w.now = w.now.Add(time.Second)
		if !w.replay(token) {
			t.Error("a replay is not told of")
		}
		if w.replay(token) {
			t.Error("one link is told of twice")
		}
		// The person decides: nothing has changed until then.
		if p := w.password(); p.Hash != "hash" || !w.signedIn() {
			t.Error("a replay locks people out")
		}
		letters := w.letters()
		if len(letters) != 1 || letters[0].Kind != mail.LinkReplayed || letters[0].To != "sam.lee@example.com" ||
			letters[0].Content.From != "198.51.100.7" || letters[0].Content.NotMe == "" {
			t.Fatalf("letters: %+v", letters)
		}
		w.update(func(tx *store.Tx) error {
			_, _, _, err := maillink.Deny(tx, w.now, w.box, w.token(letters[0].Content.NotMe), false, mayReset)
			return err
		})
		if p := w.password(); p.Hash != "" || w.signedIn() {
			t.Error("what was done with the link is still there")
		}
	})
}

// TestReplaysOfOtherLinks are nobody's business: links that set no password,
// that have expired, and that never were.
func TestReplaysOfOtherLinks(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		token := w.invite()
		if err := w.choose(token, "hash"); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(maillink.InvitationLifetime)
		for name, token := range map[string]string{"expired": token, "none": "no-token"} {
			if w.replay(token) {
				t.Errorf("%s: told", name)
			}
		}
		w.update(func(tx *store.Tx) error { return maillink.SendVerification(tx, w.now, w.box, w.sam) })
		verification := w.token(w.letters()[0].Content.Path)
		w.update(func(tx *store.Tx) error { _, err := maillink.Verify(tx, w.now, verification); return err })
		w.now = w.now.Add(time.Hour)
		if w.replay(verification) {
			t.Error("a link that verifies an address: told")
		}
	})
}
