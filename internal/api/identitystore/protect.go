package identitystore

import (
	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// A delegated administrator runs the directory but must not become an
// administrator of the management account, which owns it. So people and
// groups with access to that account are the account's own to change: whoever
// sets a person's e-mail address can sign in as that person, whoever sets the
// attributes for access control chooses what the person may do, and whoever
// fills a group chooses who gets in.

// protectUser refuses a delegated administrator who changes a user with
// access to the management account, direct or through a group.
func protectUser(c *gateway.Context[Tx], in instance.Instance, userID string) error {
	owner := in.OwnerAccountID
	if c.Caller.AccountID == owner {
		return nil
	}
	p := assignment.Principal{Type: assignment.User, ID: userID}
	found, err := c.Tx.AssignmentsOfPrincipal(in, p, owner, assignment.Assignment{}, 1)
	if err == nil && len(found) > 0 {
		err = protected(c, "user", userID)
	}
	return err
}

// protectGroup refuses a delegated administrator who changes the members of a
// group with access to the management account.
func protectGroup(c *gateway.Context[Tx], in instance.Instance, groupID string) error {
	owner := in.OwnerAccountID
	if c.Caller.AccountID == owner {
		return nil
	}
	leads, err := assignment.LeadsTo(c.Tx, assignment.Principal{Type: assignment.Group, ID: groupID}, owner)
	if err == nil && leads {
		err = protected(c, "group", groupID)
	}
	return err
}

func protected(c *gateway.Context[Tx], kind, id string) error {
	return fault.New(fault.Denied, "",
		"User: %s is not authorized to perform: %s on resource: arn:aws:identitystore:::%s/%s because the %s has access to the management account",
		c.Caller.ARN, c.Op.Action, kind, id, kind)
}
