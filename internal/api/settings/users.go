package settings

import (
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/signin"
)

// DescribeUser tells what a user can sign in with.
func (Service) DescribeUser(c Context, in *wire.DescribeUserRequest) (*wire.DescribeUserResponse, error) {
	u, err := user(c, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	verified, err := maillink.Verified(c.Tx, u)
	if err != nil {
		return nil, err
	}
	devices, err := mfa.List(c.Tx, u.StoreID, u.ID)
	if err != nil {
		return nil, err
	}
	p, found, err := c.Tx.PasswordOf(u.StoreID, u.ID)
	out := &wire.DescribeUserResponse{
		IdentityStoreId: &u.StoreID, UserId: &u.ID, UserStatus: (*string)(&u.Status), EmailVerified: &verified,
		PasswordStatus: new(passwordStatus(p)), MfaDeviceCount: new(int32(len(devices))),
	}
	if found {
		out.PasswordChangedDate = &p.ChangedAt
	}
	return answer(out, err)
}

func passwordStatus(p credential.Password) string {
	switch {
	case p.Hash == "":
		return wire.PasswordStatusNone
	case p.OneTime:
		return wire.PasswordStatusOneTime
	default:
		return wire.PasswordStatusSet
	}
}

// VerifyEmail sends a user the link that verifies the user's e-mail address.
func (s Service) VerifyEmail(c Context, in *wire.VerifyEmailRequest) (*wire.VerifyEmailResponse, error) {
	_, u, err := s.credentials(c, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	return answer(&wire.VerifyEmailResponse{}, maillink.SendVerification(c.Tx, c.Request.Time, s.Mail, u))
}

// EnableUser lets a user sign in again.
func (Service) EnableUser(c Context, in *wire.EnableUserRequest) (*wire.EnableUserResponse, error) {
	_, u, err := administered(c, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	_, _, err = directory.EnableUser(c.Tx, stamp(c), u.StoreID, u.ID)
	return answer(&wire.EnableUserResponse{}, err)
}

// DisableUser keeps a user from signing in, and ends what the user is signed in
// to, has begun to sign in to, and was sent.
func (s Service) DisableUser(c Context, in *wire.DisableUserRequest) (*wire.DisableUserResponse, error) {
	i, u, err := administered(c, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	return answer(&wire.DisableUserResponse{}, s.guarded(c, i, func() error {
		if _, _, err := directory.DisableUser(c.Tx, stamp(c), u.StoreID, u.ID); err != nil {
			return err
		}
		return signin.EndPending(c.Tx, u)
	}))
}
