package signin

import (
	"context"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/rootuser"
)

// RootDestination is where a root user goes once signed in.
const RootDestination = "/root"

// IsRoot tells whether an identity store is a root user's.
func IsRoot(storeID string) bool {
	_, isRoot := rootuser.AccountOf(storeID)
	return isRoot
}

// RootLink tells whether a link of a root user may be used. The errors are
// rootuser.Check's.
func (f *Flow) RootLink(ctx context.Context, token string) error {
	return f.DB.View(ctx, func(tx Tx) error {
		_, err := rootuser.Check(tx, f.now(), token)
		return err
	})
}

// RedeemRootLink uses up a link of a root user and begins the sign-in in which
// the user chooses a password. The errors are rootuser.Check's, and Begin's.
func (f *Flow) RedeemRootLink(ctx context.Context, v Visit, token string) (Attempt, error) {
	if err := f.Admit(v.Address); err != nil {
		return Attempt{}, err
	}
	var out Outcome
	err := f.DB.Update(ctx, func(tx Tx) error {
		u, p, err := rootuser.Redeem(tx, f.now(), token)
		if err != nil {
			return err
		}
		a := newAttempt(f.now(), f.IDs, v.Browser, u.StoreID, u.UserName, RootDestination)
		a.UserID, a.PasswordVerifiedAt, a.PasswordVersion, a.PasswordExpired = u.ID, f.now(), p.Version, true
		r, err := f.record(tx, v, a, "CredentialVerification", typePassword, true)
		if err != nil {
			return err
		}
		if err := audit.Append(tx, r); err != nil {
			return err
		}
		if err := tx.InsertSigninAttempt(a); err != nil {
			return err
		}
		out, err = f.settle(tx, v, a)
		return err
	})
	return out.Attempt, err
}
