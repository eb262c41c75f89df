package maillink_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/store"
)

func (w *world) sendCode(subject string, u directory.User) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		return maillink.SendCode(tx, w.now, w.box, mail.PasswordCode, subject, u, maillink.Notice{From: "192.0.2.1", Client: "Browser/1"})
	})
}

func (w *world) code(subject string) string {
	w.t.Helper()
	w.sendCode(subject, w.sam)
	return w.letter(mail.PasswordCode).Content.Code
}

func (w *world) check(subject, typed string) (u directory.User, v maillink.Verdict) {
	w.t.Helper()
	w.update(func(tx *store.Tx) (err error) {
		u, v, err = maillink.CheckCode(tx, w.now, w.box, subject, typed)
		return err
	})
	return u, v
}

func (w *world) wantVerdict(subject, typed string, want maillink.Verdict) {
	w.t.Helper()
	if _, got := w.check(subject, typed); got != want {
		w.t.Errorf("%q for %s: verdict %d, want %d", typed, subject, got, want)
	}
}

// other is a code that is not the one.
func other(code string) string {
	if code[0] == '9' {
		return "0" + code[1:]
	}
	return string(code[0]+1) + code[1:]
}

func TestACode(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		code := w.code("a")
		if !regexp.MustCompile(`^[0-9]{8}$`).MatchString(code) {
			t.Fatalf("the code is %q", code)
		}
		w.wantVerdict("a", other(code), maillink.CodeWrong)
		w.wantVerdict("b", code, maillink.CodeGone)
		u, v := w.check("a", " "+code[:4]+" "+code[4:]+" ")
		if v != maillink.CodeRight || u.ID != w.sam.ID {
			t.Fatalf("verdict %d, user %q", v, u.ID)
		}
		w.wantVerdict("a", code, maillink.CodeGone) // it was used
		w.update(func(tx *store.Tx) error {
			verified, err := maillink.Verified(tx, w.sam)
			if !verified {
				t.Error("whoever has the code has the address")
			}
			return err
		})
	})
}

func TestCodesThatCannotBeUsed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world, code string)
		want   maillink.Verdict
	}{
		"too late":             {func(w *world, _ string) { w.now = w.now.Add(maillink.CodeLifetime) }, maillink.CodeGone},
		"another one was sent": {func(w *world, _ string) { w.code("a") }, maillink.CodeWrong},
		"disabled":             {func(w *world, _ string) { w.status(directory.DisableUser) }, maillink.CodeWrong},
		"deleted":              {func(w *world, _ string) { w.remove() }, maillink.CodeWrong},
		"another address":      {func(w *world, _ string) { w.change("emails", address("eve@example.org")) }, maillink.CodeWrong},
		"guessed at": {func(w *world, code string) {
			for i := range maillink.CodeTries {
				want := maillink.CodeWrong
				if i == maillink.CodeTries-1 {
					want = maillink.CodeGone
				}
				w.wantVerdict("a", other(code), want)
			}
		}, maillink.CodeGone},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, w *world) {
				code := w.code("a")
				c.change(w, code)
				w.wantVerdict("a", code, c.want)
			})
		})
	}
}

// TestCodesToNobody look like any other, and none is right.
func TestCodesToNobody(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		disabled := w.sam
		disabled.Status = directory.Disabled
		for i, u := range []directory.User{{}, disabled, w.person("no.address", "")} {
			subject := fmt.Sprint(i)
			w.sendCode(subject, u)
			if w.queued() != 1 {
				t.Errorf("%d: %d rows in the outbox", i, w.queued())
			}
			if all := w.letters(); len(all) != 0 {
				t.Errorf("%d: letters: %+v", i, all)
			}
			for range maillink.CodeTries - 1 {
				w.wantVerdict(subject, "00000000", maillink.CodeWrong)
			}
			w.wantVerdict(subject, "00000000", maillink.CodeGone)
		}
	})
}

// TestACodeCannotBeFoundFromTheStore: there are few codes, so what is stored
// must need the key.
func TestACodeCannotBeFoundFromTheStore(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		code := w.code("a")
		w.update(func(tx *store.Tx) error {
			c, found, err := tx.MailCode("a")
			plain := sha256.Sum256([]byte("mail code\x00a\x00" + code))
			if !found || len(c.Tag) < 32 || bytes.Contains(c.Tag, plain[:]) || bytes.Contains(c.Tag, []byte(code)) {
				t.Errorf("stored: %x", c.Tag)
			}
			return err
		})
	})
}

func TestWhatHasExpiredIsSwept(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.code("a")
		w.invite()
		for _, after := range []time.Duration{0, 30 * 24 * time.Hour} {
			w.update(func(tx *store.Tx) error {
				links, err := tx.DeleteExpiredMailLinks(w.now.Add(after), 10)
				if err != nil {
					return err
				}
				codes, err := tx.DeleteExpiredMailCodes(w.now.Add(after), 10)
				if want := int64(min(after, 1)); links != 2*want || codes != want { // a letter with a code has a link, too
					t.Errorf("after %v: %d links and %d codes were swept", after, links, codes)
				}
				return err
			})
		}
	})
}
