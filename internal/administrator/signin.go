package administrator

import "github.com/atrium-iam/atrium/internal/authsettings"

// maySignIn tells whether the settings of sign-in let a person in with what
// the person has.
func maySignIn(tx Tx, s authsettings.Settings, userID string) (bool, error) {
	u, found, err := tx.DirectoryUser(s.StoreID, userID)
	if err != nil || !found {
		return false, err
	}
	p, _, err := tx.PasswordOf(s.StoreID, userID)
	if err != nil {
		return false, err
	}
	mail := u.Email() != ""
	return p.Hash != "" || mail && s.NoPassword == authsettings.NoPasswordEmail, nil
}
