// Package portal is the AWS access portal as people see it: who visits it, and
// how administrators have its accounts look. What people may use there is for
// package assignment to say.
package portal

import (
	"time"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/session"
)

// Visitor is a person who is signed in.
type Visitor struct {
	Instance instance.Instance
	Session  session.Session
	User     directory.User
}

// VisitorTx is what VisitorOf needs of a transaction.
type VisitorTx interface {
	session.Reader
	session.PersonReader
	InstanceByIdentityStore(storeID string) (instance.Instance, bool, error)
}

// VisitorOf returns the person that a principal is, as this transaction sees
// it: the session may have ended since the principal was made. It is a
// fault.Denied, subject "token", when it has, when the person may not sign in
// any more, and for every principal that is no person in a session.
func VisitorOf(tx VisitorTx, now time.Time, p iam.Principal) (v Visitor, err error) {
	var found bool
	if p.Kind != iam.KindIdentityCenterUser {
		return Visitor{}, errNotSignedIn()
	}
	if v.Session, found, err = session.ByID(tx, now, p.PortalSessionID); err == nil && found {
		v.User, found, err = session.PersonOf(tx, v.Session)
	}
	if err == nil && found {
		v.Instance, found, err = tx.InstanceByIdentityStore(v.Session.StoreID)
	}
	if err == nil && !found {
		err = errNotSignedIn()
	}
	return v, err
}

func errNotSignedIn() error {
	return fault.New(fault.Denied, "token", "Session token not found or invalid")
}

// Account is an account that a visitor may use, as the portal shows it.
type Account struct {
	assignment.Account
	// Label and Color are those that an administrator gave the account, ""
	// and NoColor otherwise.
	Label string
	Color Color
}

// AccountsReader reads what people may use.
type AccountsReader interface {
	// PortalAccounts returns the accounts that a user may use, ordered by
	// their ids, from after one. Closed accounts are not among them.
	PortalAccounts(in instance.Instance, userID, after string, limit int) ([]Account, error)
}

// Accounts returns up to limit accounts that the visitor may use, from after
// the id after, and the id to go on from, "" at the end.
func Accounts(tx AccountsReader, v Visitor, after string, limit int) (list []Account, next string, err error) {
	list, err = tx.PortalAccounts(v.Instance, v.User.ID, after, limit+1)
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	return list, next, err
}
