package signin

import (
	"context"
	"encoding/hex"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/mfa"
)

// Enroll follows a link by which an administrator has a person register a
// device, and begins the sign-in in which it is registered: after the password
// and, for who has some already, a second factor. The link is used up by that, not
// here. The error is that of maillink.Look.
func (f *Flow) Enroll(ctx context.Context, v Visit, token string) (Attempt, error) {
	if err := f.Admit(v.Address); err != nil {
		return Attempt{}, err
	}
	var a Attempt
	var r audit.Record
	err := f.DB.Update(ctx, func(tx Tx) error {
		l, u, err := maillink.Look(tx, f.now(), token)
		if err != nil {
			return err
		}
		if l.Purpose != maillink.Enrollment {
			return errNotEnrolling()
		}
		a = newAttempt(f.now(), f.IDs, v.Browser, u.StoreID, u.UserName, "/account/devices")
		a.Enroll, a.Link = true, hex.EncodeToString(l.Hash[:])
		if r, err = f.record(tx, v, a, "CredentialChallenge", typePassword, true); err != nil {
			return err
		}
		return tx.InsertSigninAttempt(a)
	})
	if err == nil {
		f.Audit.Noise(r)
	}
	return a, err
}

// nextEnrolling is what comes next for a person who follows such a link.
func (f *Flow) nextEnrolling(tx Tx, a Attempt, s authsettings.Settings) (Step, error) {
	devices, err := mfa.List(tx, a.StoreID, a.UserID)
	if err == nil && a.FactorVerifiedAt.IsZero() && len(mfa.Usable(devices, s)) > 0 {
		return StepFactor, nil
	}
	return StepRegister, err
}

// errNotEnrolling is of a link that is for something else.
func errNotEnrolling() error {
	return fault.New(fault.NotFound, "mail_link", "The link is not for registering a device.")
}

// enrolled uses up the link that an attempt began with, if it did.
func (f *Flow) enrolled(tx Tx, a Attempt) error {
	if a.Link == "" {
		return nil
	}
	var hash maillink.TokenHash
	if _, err := hex.Decode(hash[:], []byte(a.Link)); err != nil {
		return errGone()
	}
	_, _, err := maillink.UseHash(tx, f.now(), hash)
	return err
}
