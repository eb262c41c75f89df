package settings

import (
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/directory"
)

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
// to.
func (s Service) DisableUser(c Context, in *wire.DisableUserRequest) (*wire.DisableUserResponse, error) {
	i, u, err := administered(c, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	return answer(&wire.DisableUserResponse{}, s.guarded(c, i, func() error {
		_, _, err := directory.DisableUser(c.Tx, stamp(c), u.StoreID, u.ID)
		return err
	}))
}
