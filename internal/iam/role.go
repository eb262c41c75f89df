package iam

import (
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
)

// Role is an IAM role of an account.
type Role struct {
	AccountID   string
	ID          string // AROA…, never reused
	Name        string // unique in the account
	Path        string
	Description string
	TrustPolicy string
	// MaxSessionDuration is the longest session that AssumeRole may open.
	MaxSessionDuration time.Duration
	// SessionDuration is how long sessions last that Identity Center opens;
	// zero for roles that it does not provision.
	SessionDuration time.Duration
	Policies        Policies
	CreatedAt       time.Time
	Version         int64
}

// ARN returns arn:aws:iam::<account>:role/<path><name>.
func (r Role) ARN() string { return "arn:aws:iam::" + r.AccountID + ":role" + r.Path + r.Name }

// RoleReader reads roles.
type RoleReader interface {
	RoleByID(accountID, roleID string) (Role, bool, error)
	RoleByName(accountID, name string) (Role, bool, error)
}

// RoleTx is what keeping roles needs of a transaction.
type RoleTx interface {
	RoleReader
	// InsertRole reports false when the name is taken.
	InsertRole(Role) (bool, error)
	// UpdateRole stores everything but the role's account, id and name, and
	// bumps its version.
	UpdateRole(Role) error
	DeleteRole(accountID, roleID string) error
}

// CreateRole stores a new role. A trust policy is not evaluated yet when it
// is stored; documents must have been checked by the caller.
func CreateRole(tx RoleTx, r Role) error {
	if !nameForm.MatchString(r.Name) {
		return fault.New(fault.Invalid, "role", "The role name %q must have 1 to 64 characters: letters, digits and +=,.@_-", r.Name)
	}
	r.Version = 1
	inserted, err := tx.InsertRole(r)
	if err == nil && !inserted {
		err = fault.New(fault.Conflict, "role", "Role with name %s already exists.", r.Name)
	}
	return err
}
