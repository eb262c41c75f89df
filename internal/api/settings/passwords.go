package settings

import (
	"context"

	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// UpdatePassword gives a user a one-time password in the place of any password
// that the user has, and ends the user's sessions. The password is answered
// this once. It opens the page where the user sets another, and nothing else.
func (s Service) UpdatePassword(c Context, in *wire.UpdatePasswordRequest) (*wire.UpdatePasswordResponse, error) {
	if *in.PasswordMode != wire.PasswordModeOtp {
		return nil, fault.New(fault.Invalid, "", "This server sends no e-mail. Use the PasswordMode %s and hand the password to the user.", wire.PasswordModeOtp)
	}
	_, user, err := administered(c, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	made, err := gateway.Outside(c, func(ctx context.Context) (oneTime, error) { return s.newOneTime(ctx, c) })
	if err != nil {
		return nil, err
	}
	if err := credential.SetOneTime(c.Tx, c.Request.Time, user.StoreID, user.ID, made.hash); err != nil {
		return nil, err
	}
	if err := endSessions(c.Tx, user); err != nil {
		return nil, err
	}
	return &wire.UpdatePasswordResponse{OneTimePassword: &made.password}, nil
}

// oneTime is a new one-time password.
type oneTime struct{ password, hash string }

func (s Service) newOneTime(ctx context.Context, c Context) (oneTime, error) {
	password := credential.NewOneTime(c.IDs)
	hash, err := s.Passwords.Hash(ctx, password)
	return oneTime{password, hash}, err
}
