package maillink

import (
	"time"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/rootuser"
	"github.com/atrium-iam/atrium/internal/session"
)

// Notice is what a person is told about: a change of how they prove who they
// are.
type Notice struct {
	Kind mail.Kind // PasswordChanged, EmailChanged, FactorAdded, FactorRemoved or LinkReplayed
	// About names the device or the new address, for the person to read.
	About string
	// Undo tells what a link about the change is about, for who takes it back:
	// the id of a device. May be empty.
	Undo string
	// From is the address that it was done from, Client the browser; empty for
	// an administrator.
	From, Client string
}

// Notify tells a person of a change, with a link for those who did not make
// it, if the address is trusted: a stranger to whom an address belongs by mistake
// must not shut the person out. Who has no address is not told, nor is a root
// user: whoever has got hold of the mailbox must not undo what was done on the
// server.
func Notify(tx Tx, now time.Time, box *mail.Outbox, u directory.User, n Notice) error {
	if _, isRoot := rootuser.AccountOf(u.StoreID); isRoot || !box.Sends() || !mail.Deliverable(u.Email()) {
		return nil
	}
	may, err := trusted(tx, u)
	if err != nil {
		return err
	}
	undo := ""
	if may {
		token, err := issue(tx, now, box.IDs, Link{
			Purpose: NotMe, StoreID: u.StoreID, UserID: u.ID, EmailKey: u.EmailKey(), About: n.Undo,
		}, NotMeLifetime)
		if err != nil {
			return err
		}
		undo = Path(token)
	}
	return box.Put(tx, now, mail.Letter{
		Kind: n.Kind, StoreID: u.StoreID, UserID: u.ID, To: u.Email(),
		Content: mail.Content{
			Name: u.DisplayName, UserName: u.UserName, NotMe: undo, About: n.About,
			From: n.From, Client: n.Client, At: now, Until: now.Add(NotMeLifetime),
		},
	})
}

// emailChanged is Readdressed once it is known which address is trusted. It does
// nothing when the address is the same.
func emailChanged(tx Tx, now time.Time, box *mail.Outbox, before, after directory.User) error {
	if before.EmailKey() == after.EmailKey() {
		return nil
	}
	p, _, err := tx.PasswordOf(after.StoreID, after.ID)
	if err != nil {
		return err
	}
	known, err := trusted(tx, before)
	if err != nil {
		return err
	}
	if p.Hash != "" && known {
		if err := Notify(tx, now, box, before, Notice{Kind: mail.EmailChanged, About: after.Email()}); err != nil {
			return err
		}
	}
	if sendable(box, after) != nil {
		return nil //nolint:nilerr // who cannot be written to gets no letter
	}
	return SendVerification(tx, now, box, after)
}

// Verify uses a verification link up: the person's address is verified.
func Verify(tx Tx, now time.Time, token string) (directory.User, error) {
	_, u, err := useFor(tx, now, token, func(p Purpose) bool { return p == Verification })
	if err != nil {
		return u, err
	}
	return u, tx.PutVerifiedEmail(u.StoreID, u.ID, u.EmailKey(), now)
}

// Deny is what happens when a person says of a change: this wasn't me. The
// link is used up, every session ends, the password is void, and the person is
// sent the link to choose another, if the address is still the one to which
// the notice went and undo, which takes back what the link is about, allows it.
// mailed is false when not: an administrator then has to help, and until then no
// letter opens the way to another password (credential.Bar), or the mailbox would
// get in by asking for one. With keepPassword the password stays as it is, and no
// link is sent.
func Deny(tx Tx, now time.Time, box *mail.Outbox, token string, keepPassword bool, undo func(Link, directory.User) (may bool, err error)) (l Link, u directory.User, mailed bool, err error) {
	if l, u, err = useFor(tx, now, token, func(p Purpose) bool { return p == NotMe }); err != nil {
		return l, u, false, err
	}
	if _, err = session.EndAll(tx, u.StoreID, u.ID); err != nil {
		return l, u, false, err
	}
	if !keepPassword {
		if err = credential.Void(tx, now, u.StoreID, u.ID); err != nil {
			return l, u, false, err
		}
	}
	if _, err = tx.DeleteTrustedBrowsers(u.StoreID, u.ID); err != nil {
		return l, u, false, err
	}
	// Whoever answers has this address, but may have had it before the person
	// verified another. One that has come in its place must not be verified by a
	// link on its way.
	if verified, found, err := tx.VerifiedEmail(u.StoreID, u.ID); err != nil {
		return l, u, false, err
	} else if !found || verified == l.EmailKey {
		if err = tx.PutVerifiedEmail(u.StoreID, u.ID, l.EmailKey, now); err != nil {
			return l, u, false, err
		}
	}
	if err = tx.UseMailLinksOfUser(u.StoreID, u.ID, Verification, now); err != nil {
		return l, u, false, err
	}
	may, err := undo(l, u)
	if err != nil {
		return l, u, false, err
	}
	p, _, err := tx.PasswordOf(u.StoreID, u.ID)
	if err != nil {
		return l, u, false, err
	}
	if !may || p.Barred || l.EmailKey != u.EmailKey() || sendable(box, u) != nil {
		return l, u, false, credential.Bar(tx, now, u.StoreID, u.ID)
	}
	if keepPassword {
		return l, u, false, nil
	}
	return l, u, true, send(tx, now, box, u, mail.PasswordReset, Link{Purpose: Reset}, AdminResetLifetime)
}

// SetPassword stores the password that a person has chosen at a link, of which
// hash is the hash, and uses the link up. p is the password that the person
// had, the zero Password for none. All sessions end, as when an administrator
// sets a password. The address is verified, and a person who had chosen one
// before is told. from says where it was done.
func SetPassword(tx Tx, now time.Time, box *mail.Outbox, token, hash string, p credential.Password, from Notice) (directory.User, error) {
	_, u, err := useFor(tx, now, token, Purpose.SetsPassword)
	if err != nil {
		return u, err
	}
	p.StoreID, p.UserID = u.StoreID, u.ID
	had := p.Chosen()
	if err := credential.Replace(tx, now, p, hash); err != nil {
		return u, err
	}
	if _, err := session.EndAll(tx, u.StoreID, u.ID); err != nil {
		return u, err
	}
	if err := tx.PutVerifiedEmail(u.StoreID, u.ID, u.EmailKey(), now); err != nil {
		return u, err
	}
	if !had {
		return u, nil
	}
	from.Kind = mail.PasswordChanged
	return u, Notify(tx, now, box, u, from)
}
