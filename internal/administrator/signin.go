package administrator

import (
	"slices"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/mfa"
)

// maySignIn tells whether the settings of sign-in let a person in with what
// the person has: a password, or a code by mail; and, where it is needed, a
// second factor. Who is to register a device at the next sign-in may sign in.
func (g Guard) maySignIn(tx Tx, s authsettings.Settings, userID string) (bool, error) {
	u, found, err := tx.DirectoryUser(s.StoreID, userID)
	if err != nil || !found {
		return false, err
	}
	p, _, err := tx.PasswordOf(s.StoreID, userID)
	if err != nil {
		return false, err
	}
	if p.Expired(g.Now) {
		return false, nil
	}
	reachable, err := maillink.Reachable(tx, u)
	if err != nil {
		return false, err
	}
	byMail := reachable && g.Mail.Sends()
	if p.Hash == "" && (!byMail || p.Barred || s.NoPassword != authsettings.NoPasswordEmail) {
		return false, nil
	}
	switch {
	case s.MfaMode == authsettings.MfaDisabled, s.NoMfa == authsettings.NoMfaAllow, s.NoMfa == authsettings.NoMfaEnroll:
		return true, nil
	case s.NoMfa == authsettings.NoMfaEmail && byMail:
		return true, nil
	}
	devices, err := mfa.List(tx, s.StoreID, userID)
	return slices.ContainsFunc(mfa.Usable(devices, s), func(d mfa.Device) bool { return !d.Suspect }), err
}
