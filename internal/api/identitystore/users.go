package identitystore

import (
	wire "github.com/atrium-iam/atrium/internal/awsapi/identitystore"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// CreateUser adds a user.
func (Service) CreateUser(c *gateway.Context[Tx], in *wire.CreateUserRequest) (*wire.CreateUserResponse, error) {
	store, err := storeID(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	attributes, err := attributesOf(in)
	if err != nil {
		return nil, err
	}
	u, err := directory.CreateUser(c.Tx, c.IDs, stamp(c), store, directory.NewUser{Attributes: attributes})
	if err != nil {
		return nil, err
	}
	return &wire.CreateUserResponse{IdentityStoreId: &u.StoreID, UserId: &u.ID}, nil
}

// DescribeUser returns a user.
func (Service) DescribeUser(c *gateway.Context[Tx], in *wire.DescribeUserRequest) (*wire.DescribeUserResponse, error) {
	store, err := storeID(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	u, err := directory.UserByID(c.Tx, store, *in.UserId)
	if err != nil {
		return nil, err
	}
	out, err := wireUser(&u, in.Extensions)
	if err != nil {
		return nil, err
	}
	return described(out), nil
}

// ListUsers returns a page of users.
func (Service) ListUsers(c *gateway.Context[Tx], in *wire.ListUsersRequest) (*wire.ListUsersResponse, error) {
	store, err := storeID(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	filter := filterOf(in.Filters)
	sealed := []string{store, filter.Path, filter.Value}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, sealed...)
	if err != nil {
		return nil, err
	}
	users, next, err := directory.ListUsers(c.Tx, store, filter, page.After, page.Limit)
	if err != nil {
		return nil, err
	}
	out := &wire.ListUsersResponse{Users: make([]wire.User, len(users)), NextToken: c.NextToken(next, sealed...)}
	for i := range users {
		if out.Users[i], err = wireUser(&users[i], in.Extensions); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// GetUserId finds a user by a unique attribute or an external id.
func (Service) GetUserId(c *gateway.Context[Tx], in *wire.GetUserIdRequest) (*wire.GetUserIdResponse, error) {
	store, err := storeID(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	id, err := lookUp[directory.UserReader](c.Tx, store, in.AlternateIdentifier, directory.UserIDByAttribute, directory.UserIDByExternalID)
	if err != nil {
		return nil, err
	}
	return &wire.GetUserIdResponse{IdentityStoreId: &store, UserId: &id}, nil
}

// UpdateUser changes attributes of a user. A new e-mail address has to be
// verified, and the user is told at the old one. People who change their own
// have to have proved who they are lately; those of others change as at AWS,
// where programs do it all day.
func (s Service) UpdateUser(c *gateway.Context[Tx], in *wire.UpdateUserRequest) (*wire.UpdateUserResponse, error) {
	i, err := instanceOf(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	if err := protectUser(c, i, *in.UserId); err != nil {
		return nil, err
	}
	before, after, err := directory.UpdateUser(c.Tx, stamp(c), i.IdentityStoreID, *in.UserId, operations(in.Operations))
	if err != nil {
		return nil, err
	}
	if before.EmailKey() != after.EmailKey() && c.Caller.IdentityStoreUserID == after.ID {
		if err := s.StepUp.Proved(c.Tx, c.Request.Time, i, c.Caller, c.Op.Action); err != nil {
			return nil, err
		}
	}
	if err := maillink.Readdressed(c.Tx, c.Request.Time, s.Mail, before, after); err != nil {
		return nil, err
	}
	return &wire.UpdateUserResponse{}, nil
}

// DeleteUser deletes a user and the user's memberships.
func (Service) DeleteUser(c *gateway.Context[Tx], in *wire.DeleteUserRequest) (*wire.DeleteUserResponse, error) {
	i, err := instanceOf(c, in.IdentityStoreId)
	if err != nil {
		return nil, err
	}
	if err := protectUser(c, i, *in.UserId); err != nil {
		return nil, err
	}
	if _, _, err := directory.DeleteUser(c.Tx, i.IdentityStoreID, *in.UserId); err != nil {
		return nil, err
	}
	return &wire.DeleteUserResponse{}, nil
}
