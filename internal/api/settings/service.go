// Package settings serves Atrium's settings API: what AWS offers administrators
// in its console only. Its operations are named after the IAM actions that AWS
// documents for the console, and ask for them.
package settings

import (
	"context"

	"github.com/atrium-iam/atrium/internal/assignment"
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// Tx is what the operations need of a transaction.
type Tx interface {
	gateway.Tx
	instance.Reader
	directory.UserReader
	assignment.AccessReader
	credential.Tx
	session.Tx
	// RevokeUser ends the sessions that a person has in accounts.
	RevokeUser(userID string) error
}

// Service implements the operations of the settings API.
type Service struct {
	// Passwords hashes passwords.
	Passwords interface {
		Hash(ctx context.Context, password string) (string, error)
	}
}

var _ wire.Service[*gateway.Context[Tx]] = Service{}

// administered returns the user that a caller wants to administer.
//
// A delegated administrator runs the directory but must not become an
// administrator of the management account, which owns it: the users with
// access to that account, directly or through a group, are the account's own
// to administer.
func administered(c *gateway.Context[Tx], storeID, userID string) (directory.User, error) {
	in, found, err := c.Tx.InstanceByIdentityStore(storeID)
	if err != nil {
		return directory.User{}, err
	}
	if !found {
		return directory.User{}, directory.StoreNotFound(storeID)
	}
	user, err := directory.UserByID(c.Tx, in.IdentityStoreID, userID)
	if err != nil || c.Caller.AccountID == in.OwnerAccountID {
		return user, err
	}
	who := assignment.Principal{Type: assignment.User, ID: user.ID}
	access, err := c.Tx.AssignmentsOfPrincipal(in, who, in.OwnerAccountID, assignment.Assignment{}, 1)
	if err == nil && len(access) > 0 {
		err = fault.New(fault.Denied, "",
			"User: %s is not authorized to perform: %s on the user %s because the user has access to the management account",
			c.Caller.ARN, c.Op.Action, user.ID)
	}
	return user, err
}
