package store

import (
	"time"

	"github.com/atrium-iam/atrium/internal/assignment"
)

const provisionColumns = `p.permission_set_id, p.account_id, p.instance_id, p.role_name, p.role_id, p.version, p.provisioned_at`

// ProvisionOf finds the role of a permission set in an account.
func (t *Tx) ProvisionOf(permissionSetID, accountID string) (assignment.Provision, bool, error) {
	list, err := t.provisions(assignment.Currency(""), `p.permission_set_id = $1 AND p.account_id = $2 LIMIT 1`, permissionSetID, accountID)
	if err != nil || len(list) == 0 {
		return assignment.Provision{}, false, err
	}
	return list[0], true, nil
}

// ProvisionsOfPermissionSet lists the roles of a permission set by account.
func (t *Tx) ProvisionsOfPermissionSet(permissionSetID string, c assignment.Currency, after string, limit int) ([]assignment.Provision, error) {
	return t.provisions(c, `p.permission_set_id = $1 AND p.account_id > $2 ORDER BY p.account_id LIMIT CAST($3 AS BIGINT)`, permissionSetID, after, limit)
}

// ProvisionsOfAccount lists the roles of an instance in an account by
// permission set.
func (t *Tx) ProvisionsOfAccount(instanceID, accountID string, c assignment.Currency, after string, limit int) ([]assignment.Provision, error) {
	return t.provisions(c, `p.account_id = $1 AND p.instance_id = $2 AND p.permission_set_id > $3
		ORDER BY p.permission_set_id LIMIT CAST($4 AS BIGINT)`, accountID, instanceID, after, limit)
}

// ProvisionsOfInstance lists roles of an instance, in no order.
func (t *Tx) ProvisionsOfInstance(instanceID string, limit int) ([]assignment.Provision, error) {
	return t.provisions("", `p.instance_id = $1 LIMIT CAST($2 AS BIGINT)`, instanceID, limit)
}

func (t *Tx) provisions(c assignment.Currency, where string, args ...any) (list []assignment.Provision, err error) {
	query := `SELECT ` + provisionColumns + ` FROM provisioned_permission_sets p WHERE `
	switch c {
	case assignment.Latest:
		query += `p.version = (SELECT s.version FROM permission_sets s WHERE s.id = p.permission_set_id) AND `
	case assignment.NotLatest:
		query += `p.version <> (SELECT s.version FROM permission_sets s WHERE s.id = p.permission_set_id) AND `
	}
	err = t.rows(query+where, args, func(scan func(...any) error) error {
		var (
			p  assignment.Provision
			at int64
		)
		err := scan(&p.PermissionSetID, &p.AccountID, &p.InstanceID, &p.RoleName, &p.RoleID, &p.Version, &at)
		p.At = time.UnixMilli(at).UTC()
		list = append(list, p)
		return err
	})
	return list, err
}

// InsertProvision stores a new role of a permission set.
func (t *Tx) InsertProvision(p assignment.Provision) error {
	_, err := t.exec(`INSERT INTO provisioned_permission_sets
		(permission_set_id, account_id, instance_id, role_name, role_id, version, provisioned_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		p.PermissionSetID, p.AccountID, p.InstanceID, p.RoleName, p.RoleID, p.Version, p.At.UnixMilli())
	return err
}

// UpdateProvision stores from which version of the permission set the role is,
// and since when.
func (t *Tx) UpdateProvision(p assignment.Provision) error {
	_, err := t.exec(`UPDATE provisioned_permission_sets SET version = $3, provisioned_at = $4
		WHERE permission_set_id = $1 AND account_id = $2`, p.PermissionSetID, p.AccountID, p.Version, p.At.UnixMilli())
	return err
}

// DeleteProvision deletes the record of a role.
func (t *Tx) DeleteProvision(permissionSetID, accountID string) error {
	_, err := t.exec(`DELETE FROM provisioned_permission_sets WHERE permission_set_id = $1 AND account_id = $2`, permissionSetID, accountID)
	return err
}

// SAMLProvider returns the name of the SAML provider by which an account
// trusts an instance.
func (t *Tx) SAMLProvider(instanceID, accountID string) (name string, found bool, err error) {
	found, err = t.row(`SELECT name FROM instance_saml_providers WHERE instance_id = $1 AND account_id = $2`, []any{instanceID, accountID}, &name)
	return name, found, err
}

// InsertSAMLProvider stores the name of the SAML provider by which an account
// trusts an instance.
func (t *Tx) InsertSAMLProvider(instanceID, accountID, name string, created time.Time) error {
	_, err := t.exec(`INSERT INTO instance_saml_providers (instance_id, account_id, name, created_at) VALUES ($1, $2, $3, $4)`,
		instanceID, accountID, name, created.UnixMilli())
	return err
}
