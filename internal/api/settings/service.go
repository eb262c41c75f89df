// Package settings serves Atrium's settings API: what AWS offers administrators
// in its console only. Its operations are named after the IAM actions that AWS
// documents for the console, and ask for them.
package settings

import (
	"context"
	"net/url"

	"github.com/atrium-iam/atrium/internal/administrator"
	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/authsettings"
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/portal"
	"github.com/atrium-iam/atrium/internal/throttle"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// Tx is what the operations need of a transaction.
type Tx interface {
	gateway.Tx
	administrator.Tx
	organization.DelegationTx
	instance.Tx
	instance.AliasTx
	authsettings.Tx
	directory.UserTx
	assignment.AccessReader
	assignment.WithdrawTx
	mfa.ResetTx
	maillink.Tx
	throttle.Tx
	portal.AppearanceTx
	portal.DestinationTx
}

// Context is what an operation runs with.
type Context = *gateway.Context[Tx]

// Service implements the operations of the settings API.
type Service struct {
	// Passwords hashes passwords.
	Passwords interface {
		Hash(ctx context.Context, password string) (string, error)
	}
	// URL is where people find the access portal.
	URL *url.URL
	// Mail takes letters; nil on a server that sends none.
	Mail *mail.Outbox
	// Policies finds what decides about callers and roles.
	Policies administrator.Policies
	// StepUp asks people in roles to prove who they are.
	StepUp administrator.StepUp
}

var _ wire.Service[Context] = Service{}

// pageSize is the number of items on a page when the caller names none.
const pageSize = 100

// instanceOfStore returns the instance that an identity store belongs to.
func instanceOfStore(c Context, storeID *string) (instance.Instance, error) {
	in, found, err := c.Tx.InstanceByIdentityStore(*storeID)
	if err == nil && !found {
		err = directory.StoreNotFound(*storeID)
	}
	return in, err
}

// user returns a person whom a caller wants to look at.
func user(c Context, storeID, userID *string) (directory.User, error) {
	in, err := instanceOfStore(c, storeID)
	if err != nil {
		return directory.User{}, err
	}
	return directory.UserByID(c.Tx, in.IdentityStoreID, *userID)
}

// administered returns the user that a caller wants to administer, and the
// instance.
//
// A delegated administrator runs the directory but must not become an
// administrator of the management account, which owns it: the users with
// access to that account, directly or through a group, are the account's own
// to administer.
func administered(c Context, storeID, userID *string) (instance.Instance, directory.User, error) {
	in, err := instanceOfStore(c, storeID)
	if err != nil {
		return in, directory.User{}, err
	}
	user, err := directory.UserByID(c.Tx, in.IdentityStoreID, *userID)
	if err != nil || c.Caller.AccountID == in.OwnerAccountID {
		return in, user, err
	}
	who := assignment.Principal{Type: assignment.User, ID: user.ID}
	access, err := c.Tx.AssignmentsOfPrincipal(in, who, in.OwnerAccountID, assignment.Assignment{}, 1)
	if err == nil && len(access) > 0 {
		err = fault.New(fault.Denied, "",
			"User: %s is not authorized to perform: %s on the user %s because the user has access to the management account",
			c.Caller.ARN, c.Op.Action, user.ID)
	}
	return in, user, err
}

// credentials is administered for changes of what guards a person's sign-in,
// whoever that person is: a caller who is a person has to have proved it just
// now.
func (s Service) credentials(c Context, storeID, userID *string) (instance.Instance, directory.User, error) {
	in, u, err := administered(c, storeID, userID)
	if err == nil {
		err = s.proved(c, in)
	}
	return in, u, err
}

// proved refuses a caller who is a person and has not proved it lately.
func (s Service) proved(c Context, in instance.Instance) error {
	return s.StepUp.Proved(c.Tx, c.Request.Time, in, c.Caller, c.Op.Action)
}

// guarded makes a change to an instance's people or their sign-in, unless it
// leaves nobody who can administer the instance.
func (s Service) guarded(c Context, in instance.Instance, change func() error) error {
	return administrator.Guard{Policies: s.Policies, Mail: s.Mail, Now: c.Request.Time}.Keep(c.Tx, in, c.Caller, change)
}

func stamp(c Context) directory.Stamp {
	return directory.Stamp{At: c.Request.Time, By: c.Caller.ARN}
}

// answer returns out, or only the error when there is one.
func answer[T any](out *T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return out, nil
}

// optional is nil for "".
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
