package signin

import (
	"context"
	"strings"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
)

// NewPassword is the step in which a person replaces a one-time password. A
// password that may not be chosen is a fault.Invalid with one of credential's
// reasons; the attempt then stays where it is.
func (f *Flow) NewPassword(ctx context.Context, v Visit, id, password string) (Outcome, error) {
	var c claim
	err := f.DB.View(ctx, func(tx Tx) error {
		var err error
		c, err = f.replacing(tx, v, id)
		return err
	})
	if err != nil {
		return Outcome{}, err
	}
	hash, err := f.hashNew(ctx, v, c.user, c.password, password)
	if err != nil {
		return Outcome{}, err
	}
	var out Outcome
	err = f.DB.Update(ctx, func(tx Tx) error {
		var err error
		out, err = f.replace(tx, v, id, hash)
		return err
	})
	return out, err
}

// replacing reads the attempt and the password that it gave. An attempt whose
// password was changed by somebody else is over.
func (f *Flow) replacing(tx Tx, v Visit, id string) (claim, error) {
	a, err := find(tx, f.now(), v.Browser, id, StepNewPassword)
	if err != nil {
		return claim{}, err
	}
	c, err := f.claimed(tx, a)
	if err == nil && (!c.usable() || c.user.ID != a.UserID || c.password.Version != a.PasswordVersion) {
		err = errGone()
	}
	return c, err
}

func (f *Flow) replace(tx Tx, v Visit, id, hash string) (Outcome, error) {
	c, err := f.replacing(tx, v, id)
	if err != nil {
		return Outcome{}, err
	}
	if err := credential.Replace(tx, f.now(), c.password, hash); err != nil {
		return Outcome{}, err
	}
	if c.password.Chosen() { // not the first password
		notice := f.notice(v)
		notice.Kind = mail.PasswordChanged
		if err := maillink.Notify(tx, f.now(), f.Mail, c.user, notice); err != nil {
			return Outcome{}, err
		}
	}
	a := c.attempt
	a.PasswordVersion++
	a.PasswordExpired = false
	r, err := f.record(tx, v, a, "UpdatePassword", typePassword, true)
	if err != nil {
		return Outcome{}, err
	}
	r.EventSource = directorySource
	r.AdditionalEventData, r.ServiceEventDetails = nil, nil
	if err := audit.Append(tx, r); err != nil {
		return Outcome{}, err
	}
	return f.settle(tx, v, a)
}

// namesOf are the names of a person that a password must not consist of.
func namesOf(u directory.User) []string {
	local, _, _ := strings.Cut(u.Email(), "@")
	return []string{u.UserName, u.DisplayName, u.Name.GivenName, u.Name.FamilyName, u.NickName, local}
}
