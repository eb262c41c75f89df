// Package permissionset is permission sets: named collections of policies from
// which roles are made in the accounts where they are assigned.
//
// Editing a permission set changes nothing in any account until it is
// provisioned again: each edit counts up its version, and a role remembers the
// version that it was made from.
package permissionset

import (
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
)

// PermissionSet is a permission set with what is stored beside its attached
// policies.
type PermissionSet struct {
	InstanceID string
	// ID is "ps-" and 16 hexadecimal digits.
	ID string
	// Name is unique in the instance and never changes.
	Name        string
	Description string
	// SessionDuration is how long a role session lasts, as an ISO 8601
	// duration in the words in which it was given.
	SessionDuration string
	// RelayState is the console page where federation ends; may be empty.
	RelayState string
	// InlinePolicy is a policy document; empty when there is none.
	InlinePolicy string
	// Boundary is the permissions boundary; zero when there is none.
	Boundary  Boundary
	CreatedAt time.Time
	// Version counts the edits of the set and its policies, from 1.
	Version int64
}

// PolicyReference names a policy that each account keeps itself.
type PolicyReference struct {
	// Path begins and ends with a slash.
	Path string
	Name string
}

// Boundary is a permissions boundary: one AWS managed policy or one policy
// that each account keeps, never both.
type Boundary struct {
	ManagedPolicyARN string
	Customer         PolicyReference
}

// Reader reads permission sets. Lists are ordered by what they are paged by.
type Reader interface {
	PermissionSetByID(instanceID, id string) (PermissionSet, bool, error)
	PermissionSetByName(instanceID, name string) (PermissionSet, bool, error)
	PermissionSetIDs(instanceID, after string, limit int) ([]string, error)
	// PermissionSetManagedPolicies returns the ARNs of attached AWS managed policies.
	PermissionSetManagedPolicies(id, after string, limit int) ([]string, error)
	// PermissionSetCustomerPolicies returns attached references, by path and name.
	PermissionSetCustomerPolicies(id string, after PolicyReference, limit int) ([]PolicyReference, error)
	CountPermissionSetPolicies(id string) (int, error)
}

// Tx is what changing permission sets needs of a transaction.
type Tx interface {
	Reader
	instance.TagTx
	// InsertPermissionSet fails with fault.Conflict when the name is taken.
	InsertPermissionSet(PermissionSet) error
	// UpdatePermissionSet… change one thing, and count the version up as every
	// edit does. Attributes are description, session duration and relay state.
	UpdatePermissionSetAttributes(PermissionSet) error
	UpdatePermissionSetInlinePolicy(id, document string) error
	UpdatePermissionSetBoundary(id string, b Boundary) error
	// UpdatePermissionSetAttachments tells of a change in the attachments.
	UpdatePermissionSetAttachments(id string) error
	// DeletePermissionSet deletes the set with its attachments and tags.
	DeletePermissionSet(s PermissionSet, arn string) error
	// PermissionSetInUse reports whether any account has it assigned or provisioned.
	PermissionSetInUse(id string) (bool, error)
	// The attachments: Insert… reports false when it was there already,
	// Delete… false when it was not there.
	InsertPermissionSetManagedPolicy(id, arn string) (bool, error)
	DeletePermissionSetManagedPolicy(id, arn string) (bool, error)
	InsertPermissionSetCustomerPolicy(id string, ref PolicyReference) (bool, error)
	DeletePermissionSetCustomerPolicy(id string, ref PolicyReference) (bool, error)
}

// New is a permission set to create. Empty SessionDuration means one hour.
type New struct {
	Name, Description, SessionDuration, RelayState string
	Tags                                           []instance.Tag
}

// Create creates a permission set in the instance. A name that is taken is
// refused with fault.Conflict.
func Create(tx Tx, now time.Time, ids ident.Source, in instance.Instance, set New) (PermissionSet, error) {
	if err := requireOrganization(in); err != nil {
		return PermissionSet{}, err
	}
	duration, err := sessionDuration(set.SessionDuration)
	if err != nil {
		return PermissionSet{}, err
	}
	_, taken, err := tx.PermissionSetByName(in.ID, set.Name)
	if err != nil {
		return PermissionSet{}, err
	}
	if taken {
		return PermissionSet{}, fault.New(fault.Conflict, "permission_set", "PermissionSet with name %s already exists.", set.Name)
	}
	s := PermissionSet{
		InstanceID:      in.ID,
		ID:              ids.PermissionSetID(),
		Name:            set.Name,
		Description:     set.Description,
		SessionDuration: duration,
		RelayState:      set.RelayState,
		CreatedAt:       now,
		Version:         1,
	}
	if err := tx.InsertPermissionSet(s); err != nil {
		return PermissionSet{}, err
	}
	return s, instance.TagResource(tx, in.ID, in.PermissionSetARN(s.ID), set.Tags)
}

// ByARN returns the permission set of the instance that arn names. It fails
// with fault.NotFound, subject "permission_set".
func ByARN(tx Reader, in instance.Instance, arn string) (PermissionSet, error) {
	id := instance.PermissionSetIDOfARN(in.ID, arn)
	s, found, err := tx.PermissionSetByID(in.ID, id)
	if err == nil && !found {
		err = notFound(arn)
	}
	return s, err
}

// List returns the ids of up to limit permission sets of the instance from
// after the id after, and the id to go on from, "" at the end.
func List(tx Reader, in instance.Instance, after string, limit int) (ids []string, next string, err error) {
	if err := requireOrganization(in); err != nil {
		return nil, "", err
	}
	ids, err = tx.PermissionSetIDs(in.ID, after, limit+1)
	if len(ids) > limit {
		ids = ids[:limit]
		next = ids[limit-1]
	}
	return ids, next, err
}

// Change is what UpdatePermissionSet can set. As in AWS a nil Description or
// SessionDuration leaves what is there, while a nil RelayState clears it.
type Change struct {
	Description, SessionDuration, RelayState *string
}

// Update changes the attributes of the permission set.
func Update(tx Tx, s PermissionSet, c Change) error {
	if c.Description != nil {
		s.Description = *c.Description
	}
	if c.SessionDuration != nil {
		duration, err := sessionDuration(*c.SessionDuration)
		if err != nil {
			return err
		}
		s.SessionDuration = duration
	}
	s.RelayState = ""
	if c.RelayState != nil {
		s.RelayState = *c.RelayState
	}
	return tx.UpdatePermissionSetAttributes(s)
}

// Delete deletes the permission set. One that is assigned or provisioned in
// any account is refused with fault.Conflict.
func Delete(tx Tx, in instance.Instance, s PermissionSet) error {
	used, err := tx.PermissionSetInUse(s.ID)
	if err != nil {
		return err
	}
	if used {
		return fault.New(fault.Conflict, "permission_set", "Could not delete because PermissionSet has ApplicationProfile associated with it")
	}
	return tx.DeletePermissionSet(s, in.PermissionSetARN(s.ID))
}

func notFound(arn string) error {
	id := arn[strings.LastIndexByte(arn, '/')+1:]
	return fault.New(fault.NotFound, "permission_set", "Could not find PermissionSet with id %s", id).WithResource("PERMISSION_SET", arn)
}

func requireOrganization(in instance.Instance) error {
	if !in.IsOrganization() {
		return fault.New(fault.Invalid, "instance", "The operation is not supported for account instances of IAM Identity Center: %s", in.ARN())
	}
	return nil
}
