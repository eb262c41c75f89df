package instance

import (
	"strings"

	"github.com/atrium-iam/atrium/internal/fault"
)

// AccessControlAttribute makes an attribute of people a session tag: Key is
// the tag's key, Source the path of its value, e.g. "${path:enterprise.costCenter}".
type AccessControlAttribute struct{ Key, Source string }

// AccessControlReader reads attributes for access control.
type AccessControlReader interface {
	AccessControlAttributes(instanceID string) (attributes []AccessControlAttribute, enabled bool, err error)
}

// AccessControlTx is what attributes for access control need of a transaction.
type AccessControlTx interface {
	AccessControlReader
	PutAccessControlAttributes(instanceID string, attributes []AccessControlAttribute) error
	DeleteAccessControlAttributes(instanceID string) error
}

// EnableAccessControl enables attributes for access control; fault.Conflict
// when they are enabled already.
func EnableAccessControl(tx AccessControlTx, i Instance, attributes []AccessControlAttribute) error {
	_, enabled, err := tx.AccessControlAttributes(i.ID)
	if err != nil {
		return err
	}
	if enabled {
		return fault.New(fault.Conflict, "access_control", "Attributes for access control are already enabled for %s", i.ARN())
	}
	return putAttributes(tx, i, attributes)
}

// AccessControl returns the attributes for access control; fault.NotFound when
// they are not enabled.
func AccessControl(tx AccessControlTx, i Instance) ([]AccessControlAttribute, error) {
	attributes, enabled, err := tx.AccessControlAttributes(i.ID)
	if err == nil && !enabled {
		err = fault.New(fault.NotFound, "access_control", "Attributes for access control are not enabled for %s", i.ARN())
	}
	return attributes, err
}

// UpdateAccessControl replaces the attributes for access control;
// fault.NotFound when they are not enabled.
func UpdateAccessControl(tx AccessControlTx, i Instance, attributes []AccessControlAttribute) error {
	if _, err := AccessControl(tx, i); err != nil {
		return err
	}
	return putAttributes(tx, i, attributes)
}

// DisableAccessControl disables attributes for access control and forgets
// them; fault.NotFound when they are not enabled.
func DisableAccessControl(tx AccessControlTx, i Instance) error {
	if _, err := AccessControl(tx, i); err != nil {
		return err
	}
	return tx.DeleteAccessControlAttributes(i.ID)
}

func putAttributes(tx AccessControlTx, i Instance, attributes []AccessControlAttribute) error {
	seen := make(map[string]bool, len(attributes))
	for _, a := range attributes {
		if seen[strings.ToLower(a.Key)] { // session tags have keys of any case, but do not tell them apart by it
			return fault.New(fault.Invalid, "access_control", "The attribute key %s is given more than once", a.Key)
		}
		seen[strings.ToLower(a.Key)] = true
	}
	return tx.PutAccessControlAttributes(i.ID, attributes)
}
