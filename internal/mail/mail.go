// Package mail is the post office: an outbox in the store, and who empties it.
//
// A letter is put into the outbox in the transaction of what causes it, so
// that one is there exactly if the other is, and nothing ever waits for a mail
// server. A Sender takes letters out: several nodes may, each letter is leased
// to one of them at a time. What fails is tried again, ever more slowly, until
// the letter is of no use any longer. A crash between sending a letter and
// noting it sends the letter once more: with the same message id.
//
// A letter's content holds links and codes. It is sealed in the store, and
// gone from it once the letter is sent or given up.
package mail

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/atrium-iam/atrium/internal/ident"
)

// Kind is what a letter is about. It chooses the letter's text.
type Kind string

// The kinds.
const (
	// Nothing is a letter to nobody. It takes its place in the outbox like any
	// other, so that asking for a letter takes as long whether there is
	// somebody to write to or not; the Sender throws it away.
	Nothing Kind = ""
	// Invitation asks a new person to choose a password.
	Invitation Kind = "invitation"
	// PasswordReset has the link that the person asked for.
	PasswordReset Kind = "password-reset"
	// AdministratorReset has the link that an administrator sends.
	AdministratorReset Kind = "administrator-reset"
	// EmailVerification asks the person to confirm the address.
	EmailVerification Kind = "email-verification"
	// PasswordCode has the code at which a password is chosen.
	PasswordCode Kind = "password-code"
	// FactorCode has the code that stands for a second factor.
	FactorCode Kind = "factor-code"
	// Enrollment has a link to register a device.
	Enrollment Kind = "enrollment"
	// PasswordChanged, EmailChanged, FactorAdded and FactorRemoved tell what
	// has happened, with a link for those who did not do it.
	PasswordChanged Kind = "password-changed"
	EmailChanged    Kind = "email-changed"
	FactorAdded     Kind = "factor-added"
	FactorRemoved   Kind = "factor-removed"
	// LinkReplayed tells that somebody tried to use a link a second time, with
	// such a link.
	LinkReplayed Kind = "link-replayed"
	// Deleted tells those who administered Identity Center that it is no more.
	Deleted Kind = "identity-center-deleted"
)

// Kinds returns all kinds but Nothing.
func Kinds() []Kind {
	return []Kind{
		Invitation, PasswordReset, AdministratorReset, EmailVerification, PasswordCode, FactorCode, Enrollment,
		PasswordChanged, EmailChanged, FactorAdded, FactorRemoved, LinkReplayed, Deleted,
	}
}

// Undoable tells whether a letter of the kind is about a change that the person
// may take back.
func (k Kind) Undoable() bool {
	return slices.Contains([]Kind{PasswordChanged, EmailChanged, FactorAdded, FactorRemoved, LinkReplayed}, k)
}

// Letter is a letter to one person.
type Letter struct {
	ID              string // 32 hexadecimal digits
	Kind            Kind
	StoreID, UserID string
	To              string // an address for which Deliverable is true
	Content         Content
	CreatedAt       time.Time
	// ExpiresAt is when the letter is of no use any longer.
	ExpiresAt time.Time
}

// Content is what the text of a letter is filled with. What a kind does not
// need stays empty.
type Content struct {
	Name     string `json:"name,omitempty"`     // of the person
	UserName string `json:"userName,omitempty"` // what the person signs in with
	// Path is the letter's link: the part after the public URL.
	Path string `json:"path,omitempty"`
	Code string `json:"code,omitempty"`
	// CodeUntil is how long the code is good.
	CodeUntil time.Time `json:"codeUntil,omitzero"`
	// NotMe is the path for somebody who did not do this.
	NotMe string `json:"notMe,omitempty"`
	// About names what was changed: a device, an address.
	About string `json:"about,omitempty"`
	// By names who did it, where that may be somebody else.
	By string `json:"by,omitempty"`
	// From is the address of the network that it was done from, Client the
	// browser.
	From   string    `json:"from,omitempty"`
	Client string    `json:"client,omitempty"`
	At     time.Time `json:"at,omitzero"`    // when it was done
	Until  time.Time `json:"until,omitzero"` // how long the link is good
}

// Keys keep what is stored from being read, guessed or moved elsewhere.
type Keys interface {
	Seal(plaintext, aad []byte) ([]byte, error)
	Open(sealed, aad []byte) ([]byte, error)
	// Sign returns a tag over data that Verify checks. Without the key nobody
	// can tell what it is of.
	Sign(data []byte) ([]byte, error)
	Verify(data, tag []byte) error
}

// Tx is what putting letters into the outbox needs of a transaction.
type Tx interface {
	InsertLetter(Stored) error
}

// Stored is a letter as the store keeps it.
type Stored struct {
	ID              string
	Kind            Kind
	StoreID, UserID string
	To              string
	Sealed          []byte // the content
	CreatedAt       time.Time
	ExpiresAt       time.Time
	// DueAt is when it is to be sent. A node that sends it moves it on first,
	// so that no other does at the same time.
	DueAt time.Time
	Tries int64 // begun so far
	// Version counts the changes of the row, from 1.
	Version int64
}

// Outbox takes letters. A nil one is that of a server that sends none: it keeps
// nothing.
type Outbox struct {
	Keys Keys
	IDs  ident.Source
}

// Sends tells whether letters are sent at all.
func (o *Outbox) Sends() bool { return o != nil }

// GiveUp is the longest that sending a letter is tried.
const GiveUp = 3 * 24 * time.Hour

// Put puts a letter into the outbox. Its ID and times are set here; an
// ExpiresAt that is set and sooner than GiveUp holds.
func (o *Outbox) Put(tx Tx, now time.Time, l Letter) error {
	if !o.Sends() {
		return nil
	}
	l.ID, l.CreatedAt = o.IDs.Hex(32), now
	if last := now.Add(GiveUp); l.ExpiresAt.IsZero() || l.ExpiresAt.After(last) {
		l.ExpiresAt = last
	}
	plain, err := json.Marshal(l.Content)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	sealed, err := o.Keys.Seal(plain, Binding(l.ID))
	if err != nil {
		return fmt.Errorf("mail: sealing a letter: %w", err)
	}
	return tx.InsertLetter(Stored{
		ID: l.ID, Kind: l.Kind, StoreID: l.StoreID, UserID: l.UserID, To: l.To, Sealed: sealed,
		CreatedAt: now, ExpiresAt: l.ExpiresAt, DueAt: now, Version: 1,
	})
}

// Binding is what a letter's sealed content is bound to.
func Binding(id string) []byte { return []byte("mail\x00" + id) }

// open returns the letter that is stored.
func open(k Keys, stored Stored) (Letter, error) {
	l := Letter{
		ID: stored.ID, Kind: stored.Kind, StoreID: stored.StoreID, UserID: stored.UserID, To: stored.To,
		CreatedAt: stored.CreatedAt, ExpiresAt: stored.ExpiresAt,
	}
	plain, err := k.Open(stored.Sealed, Binding(l.ID))
	if err != nil {
		return l, fmt.Errorf("mail: opening the letter %s: %w", l.ID, err)
	}
	if err := json.Unmarshal(plain, &l.Content); err != nil {
		return l, fmt.Errorf("mail: reading the letter %s: %w", l.ID, err)
	}
	return l, nil
}
