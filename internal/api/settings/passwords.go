package settings

import (
	"context"

	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// UpdatePassword lets a user choose another password, in the place of any that
// the user has, and ends the user's sessions. By mail the user is sent a link;
// one who has never had a password is invited. A one-time password is answered
// this once: it opens the page where the user sets another, and nothing else; a
// user who had chosen one is told. What others have guessed at the user does not
// count any longer.
func (s Service) UpdatePassword(c Context, in *wire.UpdatePasswordRequest) (*wire.UpdatePasswordResponse, error) {
	i, u, err := s.credentials(c, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	if err := signin.ForgetGuesses(c.Tx, u); err != nil {
		return nil, err
	}
	if *in.PasswordMode == wire.PasswordModeEmail {
		return answer(&wire.UpdatePasswordResponse{}, s.guarded(c, i, func() error { return s.mailPassword(c, u) }))
	}
	made, err := gateway.Outside(c, func(ctx context.Context) (oneTime, error) { return s.newOneTime(ctx, c) })
	if err != nil {
		return nil, err
	}
	had, _, err := c.Tx.PasswordOf(u.StoreID, u.ID)
	if err != nil {
		return nil, err
	}
	if err := credential.SetOneTime(c.Tx, c.Request.Time, u.StoreID, u.ID, made.hash); err != nil {
		return nil, err
	}
	if had.Chosen() {
		if err := s.tell(c, u, maillink.Notice{Kind: mail.PasswordChanged}); err != nil {
			return nil, err
		}
	}
	_, err = session.EndAll(c.Tx, u.StoreID, u.ID)
	return answer(&wire.UpdatePasswordResponse{OneTimePassword: &made.password}, err)
}

// mailPassword sends a user the link at which a password is chosen.
func (s Service) mailPassword(c Context, u directory.User) error {
	p, found, err := c.Tx.PasswordOf(u.StoreID, u.ID)
	if err != nil {
		return err
	}
	if !found || p.Hash == "" && len(p.Earlier) == 0 {
		return maillink.Invite(c.Tx, c.Request.Time, s.Mail, u)
	}
	return maillink.ResetPassword(c.Tx, c.Request.Time, s.Mail, u)
}

// oneTime is a new one-time password.
type oneTime struct{ password, hash string }

func (s Service) newOneTime(ctx context.Context, c Context) (oneTime, error) {
	password := credential.NewOneTime(c.IDs)
	hash, err := s.Passwords.Hash(ctx, password)
	return oneTime{password, hash}, err
}
