// Package epoch tells whether what was issued earlier still holds.
//
// Credentials carry the value that the store's change counter had when they
// were issued, and references to what they depend on: a person, an access, a
// role. The change that takes one of these away raises the counter and stores
// its new value under the reference, in its own transaction: that is the
// reference's epoch. Credentials are good as long as nothing that they depend
// on has an epoch above their own value. An epoch is never lowered, so that an
// access that is given again does not bring old credentials back.
//
// Nodes hold the epochs in memory; a Watcher keeps them up to date.
package epoch

import "time"

// Scope is the kind of thing that has an epoch.
type Scope string

// The scopes.
const (
	// User is a person: disabled, deleted, or given a new password by an
	// administrator. The id is the person's.
	User Scope = "user"
	// Access is a person's way to a permission set in an account: AccessOf
	// makes the reference.
	Access Scope = "access"
	// Account is an AWS account, by its id: closed.
	Account Scope = "account"
	// Principal is an IAM role or user, by its unique id: deleted.
	Principal Scope = "principal"
	// PortalSession is a person's session at the access portal, by its id:
	// ended before its time.
	PortalSession Scope = "session"
)

// Retention is how long an epoch must be kept: longer than anything lives that
// could depend on it. The longest are GetSessionToken's credentials, 36 hours.
const Retention = 48 * time.Hour

// Ref names a thing that has an epoch.
type Ref struct {
	Scope Scope
	ID    string
}

// AccessOf returns the reference to a person's access to an account with a
// permission set.
func AccessOf(userID, accountID, permissionSetID string) Ref {
	return Ref{Access, userID + "/" + accountID + "/" + permissionSetID}
}

// Epoch is the last value of the change counter at which something was taken
// away.
type Epoch struct {
	Ref
	Value    int64
	RaisedAt time.Time
}

// Reader reads epochs.
type Reader interface {
	// Change returns the change counter: the highest value of any epoch, and
	// what is issued now carries.
	Change() (int64, error)
	// EpochsAfter returns at most limit epochs that follow after in the order
	// of value, scope and id.
	EpochsAfter(after Epoch, limit int) ([]Epoch, error)
}
