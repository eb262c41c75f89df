// Package credential keeps the passwords of people: how they are hashed, what
// makes one acceptable, and how an administrator's one-time password becomes a
// person's own.
//
// Hashing takes tens of milliseconds, so it happens outside transactions: a
// caller reads the Password, computes, and writes; a version tells whether the
// password was changed by somebody else meanwhile.
package credential

import (
	"context"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
)

// Password is the password of one person.
type Password struct {
	StoreID, UserID string
	// Hash is a PHC string; "" when the password was made void.
	Hash string
	// Earlier are the hashes of the person's own passwords before this one,
	// newest first.
	Earlier []string
	// OneTime tells that an administrator set it: it opens nothing but the
	// page where the person sets another.
	OneTime bool
	// Barred tells that no letter may open the way to another password: the
	// mailbox may be somebody else's. See Bar.
	Barred    bool
	ChangedAt time.Time
	// Version counts the changes of the row, from 1.
	Version int64
}

// remembered is how many of a person's own passwords cannot be chosen again,
// the current one among them: AWS's rule.
const remembered = 3

// OneTimeLifetime is how long a one-time password is good: as long as an
// invitation.
const OneTimeLifetime = 7 * 24 * time.Hour

// Expired tells whether p is a one-time password that is not good any more.
func (p *Password) Expired(now time.Time) bool {
	return p.OneTime && now.Sub(p.ChangedAt) >= OneTimeLifetime
}

// Reader reads passwords.
type Reader interface {
	PasswordOf(storeID, userID string) (Password, bool, error)
}

// Tx reads and writes passwords.
type Tx interface {
	Reader
	// InsertPassword fails with fault.Conflict when the person has one.
	InsertPassword(Password) error
	// UpdatePassword stores p over the version before p.Version and reports
	// false when that is not what is stored.
	UpdatePassword(p Password) (bool, error)
	// HoldPassword keeps a password from being changed by anybody else before
	// the transaction has ended. It reports false when the version stored is
	// another one.
	HoldPassword(storeID, userID string, version int64) (bool, error)
}

// SetOneTime gives a person a one-time password, in the place of whatever
// there was. Ending the person's sessions is the caller's work.
func SetOneTime(tx Tx, now time.Time, storeID, userID, hash string) error {
	p, found, err := tx.PasswordOf(storeID, userID)
	if err != nil {
		return err
	}
	if !found {
		return tx.InsertPassword(Password{StoreID: storeID, UserID: userID, Hash: hash, OneTime: true, ChangedAt: now, Version: 1})
	}
	p.Earlier = p.own()
	p.Hash, p.OneTime, p.Barred = hash, true, false
	return p.update(tx, now)
}

// ExtendOneTime lets a person's one-time password be good for as long as a new
// one. Nothing happens when there is none, or when more than half of its time is
// left: a sign-in under way with it would have to begin again.
func ExtendOneTime(tx Tx, now time.Time, storeID, userID string) error {
	p, found, err := tx.PasswordOf(storeID, userID)
	if err != nil || !found || !p.OneTime || now.Sub(p.ChangedAt) < OneTimeLifetime/2 {
		return err
	}
	return p.update(tx, now)
}

// Void takes a person's password away: nothing opens with it any longer, and
// it cannot be chosen again soon. Nothing happens when there is none.
func Void(tx Tx, now time.Time, storeID, userID string) error {
	p, found, err := tx.PasswordOf(storeID, userID)
	if err != nil || !found {
		return err
	}
	p.Earlier = p.own()
	p.Hash, p.OneTime = "", false
	return p.update(tx, now)
}

// Bar keeps everybody but an administrator from having the person choose
// another password by mail, and makes all links void that were sent for that. It
// ends when an administrator sets a password or calls Unbar, or when the person
// replaces a password that is still known. A password that there is goes on.
func Bar(tx Tx, now time.Time, storeID, userID string) error {
	p, found, err := tx.PasswordOf(storeID, userID)
	if err != nil {
		return err
	}
	if !found {
		return tx.InsertPassword(Password{StoreID: storeID, UserID: userID, Barred: true, ChangedAt: now, Version: 1})
	}
	p.Barred = true
	return p.update(tx, p.ChangedAt)
}

// Outdate ends what was begun with a person's password, which stays as it is:
// sign-ins under way, and links to choose another.
func Outdate(tx Tx, storeID, userID string) error {
	p, found, err := tx.PasswordOf(storeID, userID)
	if err != nil || !found {
		return err
	}
	return p.update(tx, p.ChangedAt)
}

// Unbar takes Bar back.
func Unbar(tx Tx, storeID, userID string) error {
	p, found, err := tx.PasswordOf(storeID, userID)
	if err != nil || !found || !p.Barred {
		return err
	}
	p.Barred = false
	return p.update(tx, p.ChangedAt)
}

// Replace stores a person's new password in the place of p, which the caller
// has read before: of Version 0 when there is none. fault.Conflict when it was
// changed meanwhile.
func Replace(tx Tx, now time.Time, p Password, hash string) error {
	if p.Version == 0 {
		return tx.InsertPassword(Password{StoreID: p.StoreID, UserID: p.UserID, Hash: hash, ChangedAt: now, Version: 1})
	}
	p.Earlier = p.own()
	if len(p.Earlier) >= remembered {
		p.Earlier = p.Earlier[:remembered-1]
	}
	p.Hash, p.OneTime, p.Barred = hash, false, false
	return p.update(tx, now)
}

// Rehash stores the hash of the same password made with other parameters.
func Rehash(tx Tx, p Password, hash string) error {
	p.Hash = hash
	return p.update(tx, p.ChangedAt)
}

// Chosen tells whether the person has ever chosen a password.
func (p *Password) Chosen() bool { return len(p.own()) > 0 }

// own are the hashes of the person's own passwords, newest first.
func (p *Password) own() []string {
	if p.OneTime || p.Hash == "" { // of nobody's choice, or void
		return p.Earlier
	}
	return append([]string{p.Hash}, p.Earlier...)
}

func (p *Password) update(tx Tx, now time.Time) error {
	p.ChangedAt = now
	p.Version++
	stored, err := tx.UpdatePassword(*p)
	if err == nil && !stored {
		err = fault.New(fault.Conflict, "password", "The password was changed by another request at the same time. Try again.")
	}
	return err
}

// Reused reports whether password is the one in p, or one of those before it
// that cannot be chosen again yet.
func Reused(ctx context.Context, h *Hasher, p Password, password string) (bool, error) {
	for _, hash := range append([]string{p.Hash}, p.Earlier...) {
		same, err := h.Matches(ctx, hash, password)
		if err != nil || same {
			return same, err
		}
	}
	return false, nil
}
