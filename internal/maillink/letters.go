package maillink

import (
	"time"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/session"
)

// Invite sends a person who has no password yet the link to choose one, as an
// administrator asks for.
// fault.Conflict when there is a password, fault.Invalid when no mail can be
// sent.
func Invite(tx Tx, now time.Time, box *mail.Outbox, u directory.User) error {
	if err := sendable(box, u); err != nil {
		return err
	}
	p, _, err := tx.PasswordOf(u.StoreID, u.ID)
	if err != nil {
		return err
	}
	if p.Hash != "" && !p.OneTime {
		return fault.New(fault.Conflict, "password", "The user has a password already. Reset it instead.")
	}
	if err := credential.Unbar(tx, u.StoreID, u.ID); err != nil {
		return err
	}
	return send(tx, now, box, u, mail.Invitation, Link{Purpose: Invitation}, InvitationLifetime)
}

// ResetPassword makes a person's password void, as an administrator asks for:
// all sessions end, and the person is sent the link to choose another.
// fault.Invalid, and nothing is changed, when no mail can be sent.
func ResetPassword(tx Tx, now time.Time, box *mail.Outbox, u directory.User) error {
	if err := sendable(box, u); err != nil {
		return err
	}
	if err := shutOut(tx, now, u); err != nil {
		return err
	}
	if err := credential.Unbar(tx, u.StoreID, u.ID); err != nil {
		return err
	}
	return send(tx, now, box, u, mail.AdministratorReset, Link{Purpose: Reset}, AdminResetLifetime)
}

// SendVerification sends a person the link that verifies the address.
// fault.Invalid when no mail can be sent.
func SendVerification(tx Tx, now time.Time, box *mail.Outbox, u directory.User) error {
	if err := sendable(box, u); err != nil {
		return err
	}
	return send(tx, now, box, u, mail.EmailVerification, Link{Purpose: Verification}, VerificationLifetime)
}

// SendEnrollment sends a person a link to register a device, in the place of one
// that was sent before.
// fault.Invalid when no mail can be sent.
func SendEnrollment(tx Tx, now time.Time, box *mail.Outbox, u directory.User) error {
	if err := sendable(box, u); err != nil {
		return err
	}
	if err := tx.UseMailLinksOfUser(u.StoreID, u.ID, Enrollment, now); err != nil {
		return err
	}
	return send(tx, now, box, u, mail.Enrollment, Link{Purpose: Enrollment}, EnrollmentLifetime)
}

// SendReset sends whoever asks for it the link to choose another password,
// when u is somebody to whom it may go: a person who is enabled, with a
// password, and with an address that Reachable trusts. In all other cases the
// letter is to nobody, so that asking tells nothing.
func SendReset(tx Tx, now time.Time, box *mail.Outbox, u directory.User, allowed bool) error {
	reachable, err := Reachable(tx, u)
	if err != nil {
		return err
	}
	if !allowed || !reachable {
		return sendNobody(tx, now, box)
	}
	return send(tx, now, box, u, mail.PasswordReset, Link{Purpose: Reset}, ResetLifetime)
}

// Reachable tells whether links and codes that the person asks for may go to
// the person's address: the person is enabled, and the address was verified or
// is the first one. An address that came in the place of a verified one has to
// be verified first, or whoever changed it would get everything else.
func Reachable(tx VerifiedReader, u directory.User) (bool, error) {
	known, err := trusted(tx, u)
	return known && u.Status == directory.Enabled && mail.Deliverable(u.Email()), err
}

// trusted tells whether a person's address was verified, or is the first one.
func trusted(tx VerifiedReader, u directory.User) (bool, error) {
	verified, found, err := tx.VerifiedEmail(u.StoreID, u.ID)
	return err == nil && (!found || verified == u.EmailKey()), err
}

// Readdressed does what a change of a person's address asks for: the new address
// has to be verified, and who signs in with a password is told at the old one, if
// that is trusted. before and after are the person. For Reachable the former
// address of a person who has or had a password counts as the verified one when
// none was ever verified, as it is the one that was trusted. Or whoever gives
// the person another could have the password reset there at once.
func Readdressed(tx Tx, now time.Time, box *mail.Outbox, before, after directory.User) error {
	if before.EmailKey() != after.EmailKey() && before.EmailKey() != "" {
		p, _, err := tx.PasswordOf(before.StoreID, before.ID)
		if err != nil {
			return err
		}
		_, verified, err := tx.VerifiedEmail(before.StoreID, before.ID)
		if err != nil {
			return err
		}
		if !verified && (p.Hash != "" || len(p.Earlier) > 0) {
			if err := tx.PutVerifiedEmail(before.StoreID, before.ID, before.EmailKey(), now); err != nil {
				return err
			}
		}
	}
	return emailChanged(tx, now, box, before, after)
}

// Verified tells whether a person's address was shown to be the person's own.
func Verified(tx Tx, u directory.User) (bool, error) {
	verified, found, err := tx.VerifiedEmail(u.StoreID, u.ID)
	return found && verified == u.EmailKey(), err
}

// nothing puts a letter to nobody into the outbox.
func nothing(tx Tx, now time.Time, box *mail.Outbox) error {
	return box.Put(tx, now, mail.Letter{Kind: mail.Nothing})
}

// send makes a link and puts its letter into the outbox.
func send(tx Tx, now time.Time, box *mail.Outbox, u directory.User, kind mail.Kind, l Link, lifetime time.Duration) error {
	l.StoreID, l.UserID, l.EmailKey = u.StoreID, u.ID, u.EmailKey()
	token, err := issue(tx, now, box.IDs, l, lifetime)
	if err != nil {
		return err
	}
	return box.Put(tx, now, mail.Letter{
		Kind: kind, StoreID: u.StoreID, UserID: u.ID, To: u.Email(), ExpiresAt: now.Add(lifetime),
		Content: mail.Content{Name: u.DisplayName, UserName: u.UserName, Path: Path(token), Until: now.Add(lifetime)},
	})
}

// sendNobody reads and writes as much as send does, and sends nothing. The row
// that stands for a link is a code that nothing waits for.
func sendNobody(tx Tx, now time.Time, box *mail.Outbox) error {
	if !box.Sends() {
		return nil
	}
	if _, _, err := tx.PasswordOf("", ""); err != nil {
		return err
	}
	decoy := Code{Subject: "nobody/" + box.IDs.Hex(32), Tag: box.IDs.Bytes(tokenSize), ExpiresAt: now.Add(ResetLifetime)}
	if err := tx.PutMailCode(decoy); err != nil {
		return err
	}
	return nothing(tx, now, box)
}

// sendable refuses to write to somebody who cannot be written to.
func sendable(box *mail.Outbox, u directory.User) error {
	switch {
	case !box.Sends():
		return fault.New(fault.Invalid, "mail", "This server sends no e-mail: its operator has to set smtp.host. Use a one-time password instead.")
	case !mail.Deliverable(u.Email()):
		return fault.New(fault.Invalid, "mail", "The user has no e-mail address to which mail can be sent.")
	case u.Status != directory.Enabled:
		return fault.New(fault.Invalid, "mail", "The user is disabled. Enable the user first.")
	}
	return nil
}

// shutOut makes a person's password void and ends all of the person's
// sessions.
func shutOut(tx Tx, now time.Time, u directory.User) error {
	if err := credential.Void(tx, now, u.StoreID, u.ID); err != nil {
		return err
	}
	_, err := session.EndAll(tx, u.StoreID, u.ID)
	return err
}
