package assignment

import (
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
)

// AccessReader reads who may use what. The assignments of a user include those
// of the groups that the user is in.
type AccessReader interface {
	PrincipalReader
	// AssignmentsOfPrincipal returns assignments ordered by account,
	// permission set and principal id, from after one. An empty accountID
	// means all accounts.
	AssignmentsOfPrincipal(in instance.Instance, p Principal, accountID string, after Assignment, limit int) ([]Assignment, error)
	// AccountsOfUser returns the accounts that the user may use, ordered by
	// their ids, from after one. Closed accounts are not among them.
	AccountsOfUser(in instance.Instance, userID, after string, limit int) ([]Account, error)
	// RolesOfUser returns the roles that the user may use in an account,
	// ordered by the permission set's name, from after a name. A closed
	// account has none.
	RolesOfUser(in instance.Instance, userID, accountID, after string, limit int) ([]Role, error)
	// AllRolesOfUser returns the roles that the user may use in any account,
	// at most limit, ordered by account and permission set's name.
	AllRolesOfUser(in instance.Instance, userID string, limit int) ([]Role, error)
	// RoleOfUser returns one of RolesOfUser, by the permission set's name.
	RoleOfUser(in instance.Instance, userID, accountID, name string) (Role, bool, error)
	// PrincipalAssignedIn reports whether the principal itself has an
	// assignment in the account.
	PrincipalAssignedIn(p Principal, accountID string) (bool, error)
}

// Account is an account that a person may use.
type Account struct{ ID, Name, Email string }

// Role is a role that a person may use in an account.
type Role struct {
	AccountID         string
	PermissionSetID   string
	PermissionSetName string
	// RoleName, RoleID and RolePath are the IAM role's: AWSReservedSSO_…,
	// AROA… and /aws-reserved/sso.amazonaws.com/….
	RoleName, RoleID, RolePath string
	// SessionDuration is how long the role's sessions last.
	SessionDuration time.Duration
}

// ListForPrincipal returns up to limit assignments of the principal in the
// instance from after, and where to go on, "" at the end. Those of a user
// include those of the user's groups, which name the group as their principal.
// An empty accountID means all accounts. fault.NotFound, subject "principal",
// when the principal does not exist.
func ListForPrincipal(tx AccessReader, in instance.Instance, p Principal, accountID, after string, limit int) (list []Assignment, next string, err error) {
	missing, err := missingPrincipal(tx, in, p)
	if err != nil {
		return nil, "", err
	}
	if missing != "" {
		return nil, "", fault.New(fault.NotFound, "principal", "Could not find %s with id %s", p.Type, p.ID).WithResource(string(p.Type), p.ID)
	}
	list, err = tx.AssignmentsOfPrincipal(in, p, accountID, parseAssignment(after), limit+1)
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].cursor()
	}
	return list, next, err
}

// AccountsOf returns up to limit accounts that the user may use, directly or
// through a group, from after the id after, and the id to go on from, "" at
// the end. Closed accounts are left out.
func AccountsOf(tx AccessReader, in instance.Instance, userID, after string, limit int) (accounts []Account, next string, err error) {
	accounts, err = tx.AccountsOfUser(in, userID, after, limit+1)
	if len(accounts) > limit {
		accounts = accounts[:limit]
		next = accounts[limit-1].ID
	}
	return accounts, next, err
}

// RolesOf returns up to limit roles that the user may use in the account,
// directly or through a group, from after the permission set's name after, and
// the name to go on from, "" at the end.
func RolesOf(tx AccessReader, in instance.Instance, userID, accountID, after string, limit int) (roles []Role, next string, err error) {
	roles, err = tx.RolesOfUser(in, userID, accountID, after, limit+1)
	if len(roles) > limit {
		roles = roles[:limit]
		next = roles[limit-1].PermissionSetName
	}
	return roles, next, err
}

// RoleOf returns the role of the permission set called name in the account, if
// the user may use it, directly or through a group.
func RoleOf(tx AccessReader, in instance.Instance, userID, accountID, name string) (Role, bool, error) {
	return tx.RoleOfUser(in, userID, accountID, name)
}

// LeadsTo reports whether the principal itself, a user or a group, has access
// to the account.
func LeadsTo(tx AccessReader, p Principal, accountID string) (bool, error) {
	return tx.PrincipalAssignedIn(p, accountID)
}

func (a Assignment) cursor() string {
	return a.AccountID + "/" + a.PermissionSetID + "/" + a.Principal.ID
}

func parseAssignment(cursor string) (a Assignment) {
	account, rest, _ := strings.Cut(cursor, "/")
	set, id, _ := strings.Cut(rest, "/")
	return Assignment{AccountID: account, PermissionSetID: set, Principal: Principal{ID: id}}
}
