// Package instance is the instances of IAM Identity Center: the one that an
// organization has, owned by its management account, and those that member or
// standalone accounts create for themselves.
package instance

import (
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/organization"
)

// StatusActive is the status of an instance that can be used. Instances are
// created and deleted within one transaction, so no other status is ever seen.
const StatusActive = "ACTIVE"

const (
	arnInstance      = "arn:aws:sso:::instance/"
	arnPermissionSet = "arn:aws:sso:::permissionSet/"
)

// Instance is one instance of IAM Identity Center.
type Instance struct {
	// ID is "ssoins-" and 16 hexadecimal digits.
	ID string
	// IdentityStoreID is the directory connected to the instance.
	IdentityStoreID string
	// OwnerAccountID is the account that created the instance; the management
	// account for the instance of an organization.
	OwnerAccountID string
	// OrganizationID is the organization that the instance serves. Empty for
	// an account instance.
	OrganizationID string
	// Region is where the instance was enabled. It never changes.
	Region string
	// Name is what its administrators call it; may be empty.
	Name      string
	CreatedAt time.Time
	// Version counts the edits of the instance, from 1.
	Version int64
}

// ARN returns the instance's ARN. As in AWS it names neither Region nor account.
func (i Instance) ARN() string { return arnInstance + i.ID }

// IsOrganization reports whether i is the instance of an organization. Only
// such an instance has permission sets and gives access to accounts.
func (i Instance) IsOrganization() bool { return i.OrganizationID != "" }

// PermissionSetARN returns the ARN of the permission set permissionSetID of i.
func (i Instance) PermissionSetARN(permissionSetID string) string {
	return arnPermissionSet + i.ID + "/" + permissionSetID
}

// IDOfARN returns the id of the instance that arn names or lies in: arn may be
// that of an instance, a permission set, an application or a trusted token
// issuer. It returns "" for any other.
func IDOfARN(arn string) string {
	if id, ok := strings.CutPrefix(arn, arnInstance); ok {
		return id
	}
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || strings.Join(parts[:4], ":") != "arn:aws:sso:" {
		return ""
	}
	kind, rest, _ := strings.Cut(parts[5], "/")
	switch {
	case kind == "permissionSet" && parts[4] == "":
	case (kind == "application" || kind == "trustedTokenIssuer") && parts[4] != "":
	default:
		return ""
	}
	id, _, _ := strings.Cut(rest, "/")
	return id
}

// PermissionSetIDOfARN returns the id of the permission set that arn names, if
// it lies in the instance instanceID, and "" otherwise.
func PermissionSetIDOfARN(instanceID, arn string) string {
	id, ok := strings.CutPrefix(arn, arnPermissionSet+instanceID+"/")
	if !ok {
		return ""
	}
	return id
}

// Reader reads instances.
type Reader interface {
	InstanceByID(id string) (Instance, bool, error)
	InstanceByIdentityStore(storeID string) (Instance, bool, error)
	// InstanceOfOrganization finds an organization's instance.
	InstanceOfOrganization(organizationID string) (Instance, bool, error)
	// InstanceOfAccount finds the account instance that accountID owns.
	InstanceOfAccount(accountID string) (Instance, bool, error)
}

// VisibleTx is what telling which instances an account may see needs of a
// transaction.
type VisibleTx interface {
	Reader
	organization.AccountReader
}

// Tx is what changing instances needs of a transaction.
type Tx interface {
	VisibleTx
	TagTx
	// InsertInstance fails with fault.Conflict when the organization, or the
	// account for an account instance, already has one.
	InsertInstance(Instance) error
	UpdateInstance(Instance) error
	// DeleteInstance deletes the instance with its identity store and its
	// permission sets, none of which may be provisioned.
	DeleteInstance(Instance) error
}

// ByARN returns the instance named arn. It fails with fault.NotFound, subject
// "instance", when there is none.
func ByARN(tx Reader, arn string) (Instance, error) {
	id, ok := strings.CutPrefix(arn, arnInstance)
	if !ok {
		return Instance{}, notFound(arn)
	}
	i, found, err := tx.InstanceByID(id)
	if err == nil && !found {
		err = notFound(arn)
	}
	return i, err
}

// ByIdentityStore returns the instance whose directory is storeID. It fails
// with fault.NotFound, subject "instance", when there is none.
func ByIdentityStore(tx Reader, storeID string) (Instance, error) {
	i, found, err := tx.InstanceByIdentityStore(storeID)
	if err == nil && !found {
		err = notFound(storeID)
	}
	return i, err
}

// ListVisible returns the instances that the account may see, at most two: the
// one of its organization, if it is a member, and its own. Ordered by id, from
// after the id after.
func ListVisible(tx VisibleTx, accountID, after string) ([]Instance, error) {
	var seen []Instance
	o, member, err := organization.OfAccount(tx, accountID)
	if err != nil {
		return nil, err
	}
	if member {
		i, found, err := tx.InstanceOfOrganization(o.ID)
		if err != nil {
			return nil, err
		}
		if found {
			seen = append(seen, i)
		}
	}
	own, found, err := tx.InstanceOfAccount(accountID)
	if err != nil {
		return nil, err
	}
	if found {
		seen = append(seen, own)
	}
	if len(seen) == 2 && seen[1].ID < seen[0].ID {
		seen[0], seen[1] = seen[1], seen[0]
	}
	for len(seen) > 0 && seen[0].ID <= after {
		seen = seen[1:]
	}
	return seen, nil
}

// Enable creates the instance of the organization o, owned by its management
// account, in region. It fails with fault.Conflict when o already has one.
func Enable(tx Tx, now time.Time, ids ident.Source, o organization.Organization, region string) (Instance, error) {
	_, found, err := tx.InstanceOfOrganization(o.ID)
	if err != nil {
		return Instance{}, err
	}
	if found {
		return Instance{}, fault.New(fault.Conflict, "instance", "IAM Identity Center is already enabled for the organization %s.", o.ID)
	}
	i := fresh(now, ids, o.ManagementAccountID, region)
	i.OrganizationID = o.ID
	return i, tx.InsertInstance(i)
}

// New is an account instance to create.
type New struct {
	AccountID string
	Region    string
	Name      string
	Tags      []Tag
}

// Create creates an account instance. A management account cannot have one
// (fault.Invalid), and an account has at most one (fault.Conflict), as AWS
// documents for CreateInstance.
func Create(tx Tx, now time.Time, ids ident.Source, in New) (Instance, error) {
	o, _, err := organization.OfAccount(tx, in.AccountID)
	if err != nil {
		return Instance{}, err
	}
	if o.ManagementAccountID == in.AccountID {
		return Instance{}, fault.New(fault.Invalid, "instance", "The management account %s of an organization cannot create an account instance of IAM Identity Center.", in.AccountID)
	}
	_, found, err := tx.InstanceOfAccount(in.AccountID)
	if err != nil {
		return Instance{}, err
	}
	if found {
		return Instance{}, fault.New(fault.Conflict, "instance", "An instance of IAM Identity Center already exists in the account %s.", in.AccountID)
	}
	i := fresh(now, ids, in.AccountID, in.Region)
	i.Name = in.Name
	if err := tx.InsertInstance(i); err != nil {
		return Instance{}, err
	}
	return i, TagResource(tx, i.ID, i.ARN(), in.Tags)
}

func fresh(now time.Time, ids ident.Source, owner, region string) Instance {
	return Instance{
		ID:              ids.InstanceID(),
		IdentityStoreID: ids.IdentityStoreID(),
		OwnerAccountID:  owner,
		Region:          region,
		CreatedAt:       now,
		Version:         1,
	}
}

// Rename gives the instance a new name.
func Rename(tx Tx, i Instance, name string) error {
	i.Name = name
	i.Version++
	return tx.UpdateInstance(i)
}

// Delete deletes the instance with all it has: users, groups, permission sets,
// tags. Access to accounts must have been withdrawn before.
func Delete(tx Tx, i Instance) error { return tx.DeleteInstance(i) }

func notFound(what string) error {
	return fault.New(fault.NotFound, "instance", "Could not find an instance of IAM Identity Center for %s", what).WithResource("INSTANCE", what)
}
