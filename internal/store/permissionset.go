package store

import (
	"time"

	"github.com/atrium-iam/atrium/internal/permissionset"
)

var _ permissionset.Tx = (*Tx)(nil)

const permissionSetColumns = `instance_id, id, name, description, session_duration, relay_state, inline_policy,
	boundary_arn, boundary_path, boundary_name, created_at, version`

// PermissionSetByID finds a permission set of the instance.
func (t *Tx) PermissionSetByID(instanceID, id string) (permissionset.PermissionSet, bool, error) {
	return t.permissionSet(`instance_id = $1 AND id = $2`, instanceID, id)
}

// PermissionSetByName finds a permission set of the instance.
func (t *Tx) PermissionSetByName(instanceID, name string) (permissionset.PermissionSet, bool, error) {
	return t.permissionSet(`instance_id = $1 AND name = $2`, instanceID, name)
}

func (t *Tx) permissionSet(where string, args ...any) (s permissionset.PermissionSet, found bool, err error) {
	var created int64
	found, err = t.row(`SELECT `+permissionSetColumns+` FROM permission_sets WHERE `+where, args,
		&s.InstanceID, &s.ID, &s.Name, &s.Description, &s.SessionDuration, &s.RelayState, &s.InlinePolicy,
		&s.Boundary.ManagedPolicyARN, &s.Boundary.Customer.Path, &s.Boundary.Customer.Name, &created, &s.Version)
	s.CreatedAt = time.UnixMilli(created).UTC()
	return s, found, err
}

// PermissionSetIDs lists the permission sets of the instance by id.
func (t *Tx) PermissionSetIDs(instanceID, after string, limit int) ([]string, error) {
	return t.strings(`SELECT id FROM permission_sets WHERE instance_id = $1 AND id > $2 ORDER BY id LIMIT CAST($3 AS BIGINT)`, instanceID, after, limit)
}

// strings runs a query for one column of text.
func (t *Tx) strings(query string, args ...any) (list []string, err error) {
	err = t.rows(query, args, func(scan func(...any) error) error {
		var s string
		err := scan(&s)
		list = append(list, s)
		return err
	})
	return list, err
}

// PermissionSetManagedPolicies lists the ARNs of attached AWS managed policies.
func (t *Tx) PermissionSetManagedPolicies(id, after string, limit int) ([]string, error) {
	return t.strings(`SELECT arn FROM permission_set_managed_policies
		WHERE permission_set_id = $1 AND arn > $2 ORDER BY arn LIMIT CAST($3 AS BIGINT)`, id, after, limit)
}

// PermissionSetCustomerPolicies lists the attached references to policies that
// accounts keep.
func (t *Tx) PermissionSetCustomerPolicies(id string, after permissionset.PolicyReference, limit int) (refs []permissionset.PolicyReference, err error) {
	err = t.rows(`SELECT path, name FROM permission_set_customer_policies
		WHERE permission_set_id = $1 AND (path, name) > ($2, $3) ORDER BY path, name LIMIT CAST($4 AS BIGINT)`,
		[]any{id, after.Path, after.Name, limit}, func(scan func(...any) error) error {
			var ref permissionset.PolicyReference
			err := scan(&ref.Path, &ref.Name)
			refs = append(refs, ref)
			return err
		})
	return refs, err
}

// CountPermissionSetPolicies counts the attached policies of both kinds.
func (t *Tx) CountPermissionSetPolicies(id string) (n int, err error) {
	_, err = t.row(`SELECT (SELECT COUNT(*) FROM permission_set_managed_policies WHERE permission_set_id = $1)
		+ (SELECT COUNT(*) FROM permission_set_customer_policies WHERE permission_set_id = $1)`, []any{id}, &n)
	return n, err
}

// InsertPermissionSet stores a new permission set.
func (t *Tx) InsertPermissionSet(s permissionset.PermissionSet) error {
	_, err := t.exec(`INSERT INTO permission_sets (`+permissionSetColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		s.InstanceID, s.ID, s.Name, s.Description, s.SessionDuration, s.RelayState, s.InlinePolicy,
		s.Boundary.ManagedPolicyARN, s.Boundary.Customer.Path, s.Boundary.Customer.Name, s.CreatedAt.UnixMilli(), s.Version)
	return err
}

// UpdatePermissionSetAttributes stores description, session duration and relay
// state.
func (t *Tx) UpdatePermissionSetAttributes(s permissionset.PermissionSet) error {
	return t.editPermissionSet(s.ID, `, description = $2, session_duration = $3, relay_state = $4`, s.Description, s.SessionDuration, s.RelayState)
}

// UpdatePermissionSetInlinePolicy stores the inline policy, "" for none.
func (t *Tx) UpdatePermissionSetInlinePolicy(id, document string) error {
	return t.editPermissionSet(id, `, inline_policy = $2`, document)
}

// UpdatePermissionSetBoundary stores the permissions boundary, zero for none.
func (t *Tx) UpdatePermissionSetBoundary(id string, b permissionset.Boundary) error {
	return t.editPermissionSet(id, `, boundary_arn = $2, boundary_path = $3, boundary_name = $4`, b.ManagedPolicyARN, b.Customer.Path, b.Customer.Name)
}

// UpdatePermissionSetAttachments counts the version up for a change in what is
// attached.
func (t *Tx) UpdatePermissionSetAttachments(id string) error {
	return t.editPermissionSet(id, "")
}

// editPermissionSet counts the version of a permission set up and makes further
// changes to its row, in which the id is $1.
func (t *Tx) editPermissionSet(id, changes string, args ...any) error {
	_, err := t.exec(`UPDATE permission_sets SET version = version + 1`+changes+` WHERE id = $1`, append([]any{id}, args...)...)
	return err
}

// DeletePermissionSet deletes the permission set with its attachments and the
// tags of its ARN. It is a fault.Conflict while it is provisioned.
func (t *Tx) DeletePermissionSet(s permissionset.PermissionSet, arn string) error {
	if _, err := t.exec(`DELETE FROM resource_tags WHERE resource_arn = $1`, arn); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM permission_sets WHERE id = $1`, s.ID)
	return err
}

// PermissionSetInUse reports whether the permission set is provisioned in any
// account; only there can it be assigned.
func (t *Tx) PermissionSetInUse(id string) (used bool, err error) {
	_, err = t.row(`SELECT EXISTS (SELECT 1 FROM provisioned_permission_sets WHERE permission_set_id = $1)`, []any{id}, &used)
	return used, err
}

// InsertPermissionSetManagedPolicy attaches an AWS managed policy and reports
// whether it was not attached before.
func (t *Tx) InsertPermissionSetManagedPolicy(id, arn string) (bool, error) {
	n, err := t.exec(`INSERT INTO permission_set_managed_policies (permission_set_id, arn) VALUES ($1, $2)
		ON CONFLICT (permission_set_id, arn) DO NOTHING`, id, arn)
	return n > 0, err
}

// DeletePermissionSetManagedPolicy detaches an AWS managed policy and reports
// whether it was attached.
func (t *Tx) DeletePermissionSetManagedPolicy(id, arn string) (bool, error) {
	n, err := t.exec(`DELETE FROM permission_set_managed_policies WHERE permission_set_id = $1 AND arn = $2`, id, arn)
	return n > 0, err
}

// InsertPermissionSetCustomerPolicy attaches a reference and reports whether
// it was not attached before.
func (t *Tx) InsertPermissionSetCustomerPolicy(id string, ref permissionset.PolicyReference) (bool, error) {
	n, err := t.exec(`INSERT INTO permission_set_customer_policies (permission_set_id, path, name) VALUES ($1, $2, $3)
		ON CONFLICT (permission_set_id, path, name) DO NOTHING`, id, ref.Path, ref.Name)
	return n > 0, err
}

// DeletePermissionSetCustomerPolicy detaches a reference and reports whether
// it was attached.
func (t *Tx) DeletePermissionSetCustomerPolicy(id string, ref permissionset.PolicyReference) (bool, error) {
	n, err := t.exec(`DELETE FROM permission_set_customer_policies
		WHERE permission_set_id = $1 AND path = $2 AND name = $3`, id, ref.Path, ref.Name)
	return n > 0, err
}
