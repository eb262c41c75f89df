package store

import "github.com/atrium-iam/atrium/internal/administrator"

var _ administrator.Tx = (*Tx)(nil)

// HoldInstance is part of administrator.Tx.
func (t *Tx) HoldInstance(id string) (bool, error) {
	// A change of the row, though to nothing else, collides with every other.
	n, err := t.exec(`UPDATE instances SET version = version WHERE id = $1`, id)
	return n == 1, err
}

// EnabledUsersAssigned is part of administrator.Tx.
func (t *Tx) EnabledUsersAssigned(storeID, permissionSetID, accountID, after string, limit int) (ids []string, err error) {
	err = t.rows(`SELECT u.user_id FROM (
			SELECT a.principal_id AS user_id FROM account_assignments a
			WHERE a.permission_set_id = $2 AND a.account_id = $3 AND a.principal_type = 'USER'
			UNION
			SELECT m.user_id FROM account_assignments a CROSS JOIN directory_memberships m
			WHERE a.permission_set_id = $2 AND a.account_id = $3 AND a.principal_type = 'GROUP'
			AND m.store_id = $1 AND m.group_id = a.principal_id
		) p CROSS JOIN directory_users u
		WHERE u.store_id = $1 AND u.user_id = p.user_id AND u.status = 'ENABLED' AND u.user_id > $4
		ORDER BY u.user_id LIMIT CAST($5 AS BIGINT)`, []any{storeID, permissionSetID, accountID, after, limit},
		func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			ids = append(ids, id)
			return err
		})
	return ids, err
}
