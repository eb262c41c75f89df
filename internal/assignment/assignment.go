// Package assignment gives users and groups access to accounts by permission
// sets, and keeps the roles in those accounts that make it so.
//
// The first assignment of a permission set in an account makes its role there;
// the removal of the last one deletes it. AWS does this in the background and
// lets callers poll for the outcome. Here it happens in the operation's own
// transaction: a Request already carries its final status when it is stored.
package assignment

import (
	"fmt"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/permissionset"
)

// PrincipalType is the kind of a principal.
type PrincipalType string

// The kinds of principals that access can be assigned to.
const (
	User  PrincipalType = "USER"
	Group PrincipalType = "GROUP"
)

// Principal is a user or group of the instance's identity store.
type Principal struct {
	Type PrincipalType
	ID   string
}

// Assignment gives a principal access to an account with a permission set.
type Assignment struct {
	AccountID       string
	PermissionSetID string
	Principal
}

// PrincipalReader tells which principals exist.
type PrincipalReader interface {
	DirectoryUserExists(storeID, userID string) (bool, error)
	DirectoryGroupExists(storeID, groupID string) (bool, error)
}

// Reader reads assignments.
type Reader interface {
	// AccountAssignments returns those of a permission set in an account,
	// ordered by principal type and id, from after a principal.
	AccountAssignments(permissionSetID, accountID string, after Principal, limit int) ([]Assignment, error)
	// AccountAssigned reports whether the permission set has any in the account.
	AccountAssigned(permissionSetID, accountID string) (bool, error)
}

// Tx is what assigning and unassigning need of a transaction.
type Tx interface {
	Reader
	PrincipalReader
	ProvisionTx
	organization.AccountReader
	// InsertAccountAssignment keeps an assignment that is there already.
	InsertAccountAssignment(a Assignment, created time.Time) error
	// DeleteAccountAssignment reports whether the assignment was there.
	DeleteAccountAssignment(a Assignment) (bool, error)
	// RevokeAssignment ends the sessions of those who lose access with the
	// assignment, which is still there: not of those who have another one, or
	// another group.
	RevokeAssignment(storeID string, a Assignment) error
}

// Create assigns the permission set s to the principal in the account and
// provisions it there. An account that is not in the instance's organization
// is a fault.NotFound, one that is closed a fault.Invalid. As in AWS, what is
// found out later makes the request FAILED: a principal that does not exist, a
// customer managed policy that the account has not. An assignment that is
// there already succeeds again.
func Create(tx Tx, now time.Time, ids ident.Source, in instance.Instance, s permissionset.PermissionSet, accountID string, p Principal) (Request, error) {
	if err := requireAccount(tx, in, accountID); err != nil {
		return Request{}, err
	}
	a := Assignment{AccountID: accountID, PermissionSetID: s.ID, Principal: p}
	r := newRequest(now, ids, in, Creation, a)
	failure, err := missingPrincipal(tx, in, p)
	if err != nil {
		return Request{}, err
	}
	if failure == "" {
		failure, err = provision(tx, now, ids, in, s, accountID)
		if err != nil {
			return Request{}, err
		}
	}
	if failure != "" {
		return r.store(tx, failure)
	}
	if err := tx.InsertAccountAssignment(a, now); err != nil {
		return Request{}, err
	}
	return r.store(tx, "")
}

// Delete takes the assignment away, and the role from the account when it was
// the last. The request of an assignment that does not exist is FAILED, as in
// AWS. Neither the principal nor the account need still exist.
func Delete(tx Tx, now time.Time, ids ident.Source, in instance.Instance, s permissionset.PermissionSet, accountID string, p Principal) (Request, error) {
	a := Assignment{AccountID: accountID, PermissionSetID: s.ID, Principal: p}
	r := newRequest(now, ids, in, Deletion, a)
	if err := tx.RevokeAssignment(in.IdentityStoreID, a); err != nil {
		return Request{}, err
	}
	deleted, err := tx.DeleteAccountAssignment(a)
	if err != nil {
		return Request{}, err
	}
	if !deleted {
		return r.store(tx, fmt.Sprintf("Received a 404 status error: EntitlementItem doesn't exist with the given entitlement key EntitlementKey{accessorId=AccessorId{value=%s}, resourceId=ResourceId{value=%s}, auxiliaryResourceId=AuxiliaryResourceId{value=%s}, containerId=ContainerId{value=%s}}.", p.ID, accountID, s.ID, in.ID))
	}
	assigned, err := tx.AccountAssigned(s.ID, accountID)
	if err != nil {
		return Request{}, err
	}
	if !assigned {
		if err := deprovision(tx, s.ID, accountID); err != nil {
			return Request{}, err
		}
	}
	return r.store(tx, "")
}

// List returns up to limit assignments of the permission set in the account
// from after, and where to go on, "" at the end.
func List(tx Reader, s permissionset.PermissionSet, accountID, after string, limit int) (list []Assignment, next string, err error) {
	list, err = tx.AccountAssignments(s.ID, accountID, parsePrincipal(after), limit+1)
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].Principal.cursor()
	}
	return list, next, err
}

func requireAccount(tx organization.AccountReader, in instance.Instance, accountID string) error {
	account, found, err := tx.AccountByID(accountID)
	switch {
	case err != nil:
		return err
	case !found || account.OrganizationID != in.OrganizationID:
		return fault.New(fault.NotFound, "account", "Could not find the account %s in the organization", accountID).WithResource("ACCOUNT", accountID)
	case !account.Active():
		return fault.New(fault.Invalid, "account", "The account %s is suspended. Access to it cannot be assigned.", accountID)
	}
	return nil
}

// missingPrincipal returns why a request fails whose principal does not exist,
// "" when it does.
func missingPrincipal(tx PrincipalReader, in instance.Instance, p Principal) (string, error) {
	exists := tx.DirectoryUserExists
	if p.Type == Group {
		exists = tx.DirectoryGroupExists
	}
	found, err := exists(in.IdentityStoreID, p.ID)
	if err != nil || found {
		return "", err
	}
	return fmt.Sprintf("Received a 404 status error: the %s assignee %s was not found in directory %s", p.Type, p.ID, in.IdentityStoreID), nil
}
