package signin

import (
	"context"

	"github.com/atrium-iam/atrium/internal/administrator"
	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/mfa"
)

// Denied is what came of a person's saying: this wasn't me.
type Denied struct {
	// Mailed tells that the link to choose another password is on its way.
	Mailed bool
	// Kept tells that the password, and perhaps the device, goes on working:
	// otherwise nobody could administer Identity Center.
	Kept bool
}

// spared is what a Deny leaves as it is, where nobody else can administer
// Identity Center.
type spared struct{ password, device bool }

// DenyChange takes what a person did not do as somebody else's doing: see
// maillink.Deny. A device that was registered is removed again. Of the last
// person who can administer Identity Center it takes only so much that there
// still is one: whoever has got hold of a mailbox must not shut everybody out.
func (f *Flow) DenyChange(ctx context.Context, v Visit, token string) (out Denied, err error) {
	for _, spare := range []spared{{}, {password: true}, {password: true, device: true}} {
		if out, err = f.deny(ctx, v, token, spare); !administrator.IsLast(err) {
			return out, err
		}
	}
	return out, err
}

func (f *Flow) deny(ctx context.Context, v Visit, token string, spare spared) (out Denied, err error) {
	err = f.DB.Update(ctx, func(tx Tx) error {
		_, u, err := maillink.Look(tx, f.now(), token)
		if err != nil {
			return err
		}
		out = Denied{Kept: spare.password}
		err = f.keeping(tx, u, "", func() error {
			_, _, out.Mailed, err = maillink.Deny(tx, f.now(), f.Mail, token, spare.password, func(l maillink.Link, u directory.User) (bool, error) {
				if spare.device {
					l.About = ""
				}
				return f.undo(tx, v, u, l.About)
			})
			return err
		})
		if administrator.IsLast(err) && out.Mailed {
			err = nil // the letter is the way back in
		}
		if err != nil {
			return err
		}
		return f.appendMail(tx, v, u, "DenyChange")
	})
	return out, err
}

// undo removes a device that somebody else registered for a person, if it is
// there, and ends the trust in every browser. It tells whether the person may
// choose another password by mail: not when that device was the only one, so
// that a mailbox alone never takes the place of password and second factor.
// Without deviceID there is no such device.
func (f *Flow) undo(tx Tx, v Visit, u directory.User, deviceID string) (mayReset bool, err error) {
	if _, err := mfa.ForgetBrowsers(tx, u.StoreID, u.ID); err != nil || deviceID == "" {
		return true, err
	}
	d, err := mfa.Remove(tx, u.StoreID, u.ID, deviceID)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if err := f.recordDevice(tx, v, Attempt{StoreID: u.StoreID, UserID: u.ID}, "DeleteMfaDeviceForUser", d); err != nil {
		return false, err
	}
	s, err := authsettings.Of(tx, u.StoreID)
	if err != nil {
		return false, err
	}
	left, err := mfa.List(tx, u.StoreID, u.ID)
	return len(mfa.Usable(left, s)) > 0, err
}
