package maillink

import (
	"fmt"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/mail"
)

const (
	// CodeLifetime is how long a code is good.
	CodeLifetime = 10 * time.Minute
	// CodeTries is how often one may be typed.
	CodeTries  = 5
	codeDigits = 8
)

// Code is what is stored of a code.
type Code struct {
	// Subject is what waits for the code: a sign-in under way.
	Subject string
	// UserID is empty for a code that was sent to nobody.
	StoreID, UserID string
	EmailKey        string
	// Tag is of the code, made by mail.Keys: a code is short, and what is made
	// without a key could be tried out by whoever reads the store.
	Tag       []byte
	Tries     int64 // that were wrong
	ExpiresAt time.Time
}

// Verdict is what came of typing a code.
type Verdict uint8

// The verdicts.
const (
	// CodeGone is of a code that was not sent, has expired, was used or was
	// typed wrong too often: another one has to be sent.
	CodeGone Verdict = iota
	CodeWrong
	CodeRight
)

// SendCode sends a person a code, in the place of an earlier one for the same
// subject. The letter says where the code was asked for: from. One that a first
// password is chosen with has a link beside: the code works in one sign-in only,
// and when others keep asking, this letter may be the last one for a while. A zero
// u, or one who is not Reachable, gets no letter, and that cannot be noticed.
func SendCode(tx Tx, now time.Time, box *mail.Outbox, kind mail.Kind, subject string, u directory.User, from Notice) error {
	reachable, err := Reachable(tx, u)
	if err != nil {
		return err
	}
	if !reachable {
		u = directory.User{}
	}
	if !box.Sends() {
		return nil
	}
	code := newCode(box.IDs)
	tag, err := box.Keys.Sign(signed(subject, code))
	if err != nil {
		return fmt.Errorf("maillink: signing a code: %w", err)
	}
	err = tx.PutMailCode(Code{
		Subject: subject, StoreID: u.StoreID, UserID: u.ID, EmailKey: u.EmailKey(), Tag: tag, ExpiresAt: now.Add(CodeLifetime),
	})
	if err != nil {
		return err
	}
	if !reachable {
		if kind == mail.PasswordCode {
			return sendNobody(tx, now, box)
		}
		return nothing(tx, now, box)
	}
	l := mail.Letter{
		Kind: kind, StoreID: u.StoreID, UserID: u.ID, To: u.Email(), ExpiresAt: now.Add(CodeLifetime),
		Content: mail.Content{
			Name: u.DisplayName, UserName: u.UserName, Code: code, CodeUntil: now.Add(CodeLifetime),
			From: from.From, Client: from.Client, At: now,
		},
	}
	if kind == mail.PasswordCode {
		token, err := issue(tx, now, box.IDs, Link{Purpose: Reset, StoreID: u.StoreID, UserID: u.ID, EmailKey: u.EmailKey()}, ResetLifetime)
		if err != nil {
			return err
		}
		l.ExpiresAt, l.Content.Path, l.Content.Until = now.Add(ResetLifetime), Path(token), now.Add(ResetLifetime)
	}
	return box.Put(tx, now, l)
}

// CheckCode looks at a code that was typed. One that is right is used up, and
// shows that u has the address. A verdict that is not CodeRight has to be
// committed too: the try counts.
func CheckCode(tx Tx, now time.Time, box *mail.Outbox, subject, typed string) (u directory.User, v Verdict, err error) {
	c, found, err := tx.MailCode(subject)
	if err != nil {
		return u, CodeGone, err
	}
	if u, _, err = tx.DirectoryUser(c.StoreID, c.UserID); err != nil {
		return u, CodeGone, err
	}
	if !found || !box.Sends() || c.Tries >= CodeTries || !now.Before(c.ExpiresAt) {
		return directory.User{}, CodeGone, nil
	}
	right := box.Keys.Verify(signed(subject, plainCode(typed)), c.Tag) == nil && u.ID != "" && u.Status == directory.Enabled && u.EmailKey() == c.EmailKey
	if !right {
		c.Tries++
		if err := tx.PutMailCode(c); err != nil || c.Tries < CodeTries {
			return directory.User{}, CodeWrong, err
		}
		return directory.User{}, CodeGone, nil
	}
	if err := tx.DeleteMailCode(subject); err != nil {
		return directory.User{}, CodeGone, err
	}
	return u, CodeRight, tx.PutVerifiedEmail(u.StoreID, u.ID, u.EmailKey(), now)
}

// IssueFirstPassword returns the token of a link at which a person who has
// proved to have the address chooses a password.
func IssueFirstPassword(tx Tx, now time.Time, ids ident.Source, u directory.User) (string, error) {
	return issue(tx, now, ids, Link{Purpose: FirstPassword, StoreID: u.StoreID, UserID: u.ID, EmailKey: u.EmailKey()}, FirstPasswordLifetime)
}

// newCode returns a random code of digits, each code as likely.
func newCode(ids ident.Source) string {
	const all = 100_000_000 // 10^codeDigits
	for {
		b := ids.Bytes(4)
		n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		if n < all*42 { // the largest multiple below 2^32
			return fmt.Sprintf("%0*d", codeDigits, n%all)
		}
	}
}

// plainCode is a typed code without what people put between its digits.
func plainCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00a0' {
			return -1
		}
		return r
	}, typed)
}

// signed is what a code's tag is over.
func signed(subject, code string) []byte { return []byte("mail code\x00" + subject + "\x00" + code) }
