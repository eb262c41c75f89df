package iam

import (
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
)

// Role is an IAM role of an account.
type Role struct {
	AccountID   string
	ID          string // AROA…, never reused
	Name        string // 1-64 characters, unique in the account whatever its case
	Path        string // "/" or "/…/"
	Description string
	TrustPolicy string
	// MaxSessionDuration is the longest session that AssumeRole may open.
	MaxSessionDuration time.Duration
	// SessionDuration is how long sessions last that Identity Center opens;
	// zero for roles that it does not provision.
	SessionDuration time.Duration
	Policies        Policies
	CreatedAt       time.Time
	Version         int64 // bumped by every edit
}

// ARN returns arn:aws:iam::<account>:role/<path><name>.
func (r Role) ARN() string { return "arn:aws:iam::" + r.AccountID + ":role" + r.Path + r.Name }

// RoleReader reads roles.
type RoleReader interface {
	RoleByID(accountID, roleID string) (Role, bool, error)
	RoleByName(accountID, name string) (Role, bool, error)
}

// RoleByARN finds a role by its ARN, which must have the path and be spelled as
// the role is. found is false when there is no such role.
func RoleByARN(tx RoleReader, arn string) (r Role, found bool, err error) {
	account, path, ok := strings.Cut(strings.TrimPrefix(arn, roleARNPrefix), ":role/")
	if !ok || !strings.HasPrefix(arn, roleARNPrefix) {
		return Role{}, false, nil
	}
	r, found, err = tx.RoleByName(account, path[strings.LastIndexByte(path, '/')+1:])
	if err != nil || !found || r.ARN() != arn {
		return Role{}, false, err
	}
	return r, true, nil
}

const roleARNPrefix = "arn:aws:iam::"

// RoleTx is what keeping roles needs of a transaction.
type RoleTx interface {
	RoleReader
	ManagedPolicyReader
	// InsertRole reports false when the name is taken.
	InsertRole(Role) (bool, error)
	// UpdateRole stores everything but the role's account, id, name, path and
	// date of creation, and bumps its version.
	UpdateRole(Role) error
	DeleteRole(accountID, roleID string) error
}

// CreateRole stores a new role. Its managed policies and boundary must exist
// (fault.NotFound about "policy"); its documents have been checked by the
// caller.
func CreateRole(tx RoleTx, r Role) error {
	if err := checkName("roleName", r.Name, r.Path); err != nil {
		return err
	}
	if err := checkManaged(tx, r.AccountID, r.Policies); err != nil {
		return err
	}
	r.Version = 1
	inserted, err := tx.InsertRole(r)
	if err == nil && !inserted {
		err = fault.New(fault.Conflict, "role", "Role with name %s already exists.", r.Name)
	}
	return err
}

// UpdateRole stores what changed of a role: its description, trust policy,
// durations and policies, of which CreateRole's rules hold.
func UpdateRole(tx RoleTx, r Role) error {
	if err := checkManaged(tx, r.AccountID, r.Policies); err != nil {
		return err
	}
	return tx.UpdateRole(r)
}
