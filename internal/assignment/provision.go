package assignment

import (
	"fmt"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/permissionset"
)

// Provision is the role of a permission set in an account.
type Provision struct {
	InstanceID, PermissionSetID, AccountID string
	// RoleName and RoleID are the IAM role's: AWSReservedSSO_… and AROA….
	RoleName, RoleID string
	// Version is that of the permission set from which the role was last made.
	Version int64
	At      time.Time
}

// Currency says which provisions a list is about. The zero value means all.
type Currency string

// A provision is latest until the permission set is edited.
const (
	Latest    Currency = "LATEST_PERMISSION_SET_PROVISIONED"
	NotLatest Currency = "LATEST_PERMISSION_SET_NOT_PROVISIONED"
)

// ProvisionReader reads provisions.
type ProvisionReader interface {
	ProvisionOf(permissionSetID, accountID string) (Provision, bool, error)
	// ProvisionsOfPermissionSet is ordered by account, from after one.
	ProvisionsOfPermissionSet(permissionSetID string, c Currency, after string, limit int) ([]Provision, error)
	// ProvisionsOfAccount is ordered by permission set, from after one.
	ProvisionsOfAccount(instanceID, accountID string, c Currency, after string, limit int) ([]Provision, error)
}

// ProvisionTx is what provisioning needs of a transaction.
type ProvisionTx interface {
	ProvisionReader
	RequestTx
	iam.RoleTx
	permissionset.Reader
	InsertProvision(Provision) error
	UpdateProvision(Provision) error
	DeleteProvision(permissionSetID, accountID string) error
	// SAMLProvider returns the name of the SAML provider by which the account
	// trusts the instance.
	SAMLProvider(instanceID, accountID string) (string, bool, error)
	InsertSAMLProvider(instanceID, accountID, name string, created time.Time) error
	// RevokePrincipal ends all sessions of a role, by its unique id.
	RevokePrincipal(uniqueID string) error
}

// provisionBatch is how many provisions are read at a time when all are
// brought up to date.
const provisionBatch = 100

// ProvisionAccount brings the role of the permission set in the account up to
// date. Where the permission set is not provisioned the request is FAILED.
func ProvisionAccount(tx ProvisionTx, now time.Time, ids ident.Source, in instance.Instance, s permissionset.PermissionSet, accountID string) (Request, error) {
	r := newRequest(now, ids, in, Provisioning, Assignment{AccountID: accountID, PermissionSetID: s.ID})
	s, err := current(tx, s)
	if err != nil {
		return Request{}, err
	}
	p, found, err := tx.ProvisionOf(s.ID, accountID)
	if err != nil {
		return Request{}, err
	}
	if !found {
		return r.store(tx, fmt.Sprintf("Received a 404 status error: Permission set provision not found in AWS account %s.", accountID))
	}
	failure, err := refresh(tx, now, s, p)
	if err != nil {
		return Request{}, err
	}
	return r.store(tx, failure)
}

// ProvisionAll brings the role of the permission set up to date in every
// account that has it; in none when none has. An account where that cannot be
// done keeps its role and makes the request FAILED.
func ProvisionAll(tx ProvisionTx, now time.Time, ids ident.Source, in instance.Instance, s permissionset.PermissionSet) (Request, error) {
	r := newRequest(now, ids, in, Provisioning, Assignment{PermissionSetID: s.ID})
	s, err := current(tx, s)
	if err != nil {
		return Request{}, err
	}
	first := ""
	for after := ""; ; {
		batch, err := tx.ProvisionsOfPermissionSet(s.ID, NotLatest, after, provisionBatch)
		if err != nil {
			return Request{}, err
		}
		for _, p := range batch {
			failure, err := refresh(tx, now, s, p)
			if err != nil {
				return Request{}, err
			}
			if first == "" {
				first = failure
			}
			after = p.AccountID
		}
		if len(batch) < provisionBatch {
			return r.store(tx, first)
		}
	}
}

// ListAccounts returns up to limit accounts in which the permission set is
// provisioned, from after the id after, and the id to go on from, "" at the
// end.
func ListAccounts(tx ProvisionReader, s permissionset.PermissionSet, c Currency, after string, limit int) (accounts []string, next string, err error) {
	list, err := tx.ProvisionsOfPermissionSet(s.ID, c, after, limit+1)
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].AccountID
	}
	for _, p := range list {
		accounts = append(accounts, p.AccountID)
	}
	return accounts, next, err
}

// ListPermissionSets returns up to limit ids of the permission sets that are
// provisioned in the account, from after the id after, and the id to go on
// from, "" at the end.
func ListPermissionSets(tx ProvisionReader, in instance.Instance, accountID string, c Currency, after string, limit int) (ids []string, next string, err error) {
	list, err := tx.ProvisionsOfAccount(in.ID, accountID, c, after, limit+1)
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].PermissionSetID
	}
	for _, p := range list {
		ids = append(ids, p.PermissionSetID)
	}
	return ids, next, err
}

// ProvisionedIn reports whether the permission set has a role in the account.
func ProvisionedIn(tx ProvisionReader, permissionSetID, accountID string) (bool, error) {
	_, found, err := tx.ProvisionOf(permissionSetID, accountID)
	return found, err
}

// provision makes the role of the permission set in the account, or brings the
// one that is there up to date. It returns why that cannot be done, having
// changed nothing, or "".
func provision(tx ProvisionTx, now time.Time, ids ident.Source, in instance.Instance, s permissionset.PermissionSet, accountID string) (failure string, err error) {
	if s, err = current(tx, s); err != nil {
		return "", err
	}
	p, found, err := tx.ProvisionOf(s.ID, accountID)
	if err != nil {
		return "", err
	}
	if found {
		return refresh(tx, now, s, p)
	}
	p = Provision{
		InstanceID:      in.ID,
		PermissionSetID: s.ID,
		AccountID:       accountID,
		RoleName:        "AWSReservedSSO_" + s.Name + "_" + ids.Hex(16),
		RoleID:          ids.UniqueID("AROA"),
		Version:         s.Version,
		At:              now,
	}
	policies, failure, err := rolePolicies(tx, s, accountID)
	if err != nil || failure != "" {
		return failure, err
	}
	provider, err := samlProvider(tx, now, ids, in, accountID)
	if err != nil {
		return "", err
	}
	if err := createRole(tx, now, in, s, p, provider, policies); err != nil {
		return "", err
	}
	return "", tx.InsertProvision(p)
}

// current returns the permission set as it is now: a role must carry what the
// version says that it was made from, whenever the caller read s.
func current(tx ProvisionTx, s permissionset.PermissionSet) (permissionset.PermissionSet, error) {
	now, found, err := tx.PermissionSetByID(s.InstanceID, s.ID)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "permission_set", "Could not find PermissionSet with id %s", s.ID)
	}
	return now, err
}

// refresh gives the role the policies that the permission set has now, if they
// have changed since. It returns why that cannot be done, or "".
func refresh(tx ProvisionTx, now time.Time, s permissionset.PermissionSet, p Provision) (failure string, err error) {
	if p.Version == s.Version {
		return "", nil
	}
	policies, failure, err := rolePolicies(tx, s, p.AccountID)
	if err != nil || failure != "" {
		return failure, err
	}
	if err := updateRole(tx, s, p, policies); err != nil {
		return "", err
	}
	p.Version, p.At = s.Version, now
	return "", tx.UpdateProvision(p)
}

// deprovision deletes the role of the permission set from the account.
func deprovision(tx ProvisionTx, permissionSetID, accountID string) error {
	p, found, err := tx.ProvisionOf(permissionSetID, accountID)
	if err != nil {
		return err
	}
	if !found {
		return fault.New(fault.Internal, "provision", "an assignment of %s in %s had no role", permissionSetID, accountID)
	}
	return remove(tx, p)
}

// remove deletes a provision and its role, whose sessions end.
func remove(tx ProvisionTx, p Provision) error {
	if err := tx.DeleteProvision(p.PermissionSetID, p.AccountID); err != nil {
		return err
	}
	if err := tx.RevokePrincipal(p.RoleID); err != nil {
		return err
	}
	return tx.DeleteRole(p.AccountID, p.RoleID)
}

// samlProvider returns the name of the SAML provider by which the account
// trusts the instance. It is made with the account's first role and stays.
func samlProvider(tx ProvisionTx, now time.Time, ids ident.Source, in instance.Instance, accountID string) (string, error) {
	name, found, err := tx.SAMLProvider(in.ID, accountID)
	if err != nil || found {
		return name, err
	}
	name = "AWSSSO_" + ids.Hex(16) + "_DO_NOT_DELETE"
	return name, tx.InsertSAMLProvider(in.ID, accountID, name, now)
}
