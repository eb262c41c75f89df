package store

import (
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/iam"
)

// The interfaces of package iam that a transaction satisfies.
var (
	_ iam.UserTx          = (*Tx)(nil)
	_ iam.KeyTx           = (*Tx)(nil)
	_ iam.RoleTx          = (*Tx)(nil)
	_ iam.ManagedPolicyTx = (*Tx)(nil)
	_ iam.PolicyReader    = (*Tx)(nil)
)

const iamUserColumns = `account_id, user_id, name, path, policies, created_at, version`

func (t *Tx) iamUser(query string, args ...any) (u iam.User, found bool, err error) {
	var policies string
	var created int64
	found, err = t.row(query, args, &u.AccountID, &u.ID, &u.Name, &u.Path, &policies, &created, &u.Version)
	if err != nil || !found {
		return iam.User{}, false, err
	}
	u.CreatedAt = time.UnixMilli(created).UTC()
	u.Policies, err = t.loadPolicies(policies)
	return u, err == nil, err
}

// IAMUserByID finds a user by its unique id.
func (t *Tx) IAMUserByID(accountID, userID string) (iam.User, bool, error) {
	return t.iamUser(`SELECT `+iamUserColumns+` FROM iam_users WHERE account_id = $1 AND user_id = $2`, accountID, userID)
}

// IAMUserByName finds a user by its name, whatever its case.
func (t *Tx) IAMUserByName(accountID, name string) (iam.User, bool, error) {
	return t.iamUser(`SELECT `+iamUserColumns+` FROM iam_users WHERE account_id = $1 AND name_key = $2`, accountID, strings.ToLower(name))
}

// InsertIAMUser stores a new user, unless its name is taken.
func (t *Tx) InsertIAMUser(u iam.User) (bool, error) {
	policies, used, err := t.savePolicies(u.Policies)
	if err != nil {
		return false, err
	}
	n, err := t.exec(`INSERT INTO iam_users (account_id, user_id, name, name_key, path, policies, created_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account_id, name_key) DO NOTHING`,
		u.AccountID, u.ID, u.Name, strings.ToLower(u.Name), u.Path, policies, u.CreatedAt.UnixMilli(), u.Version)
	if err != nil || n != 1 {
		return false, err
	}
	return true, t.useDocuments(u.ID, used)
}

// UpdateIAMUserPolicies replaces the policies of a user.
func (t *Tx) UpdateIAMUserPolicies(accountID, userID string, p iam.Policies) error {
	policies, used, err := t.savePolicies(p)
	if err != nil {
		return err
	}
	n, err := t.exec(`UPDATE iam_users SET policies = $1, version = version + 1 WHERE account_id = $2 AND user_id = $3`,
		policies, accountID, userID)
	if err != nil || n != 1 {
		return err
	}
	return t.reuseDocuments(userID, used)
}

// AccessKeyByID finds a long-term access key and whose it is. The keys of a
// closed account are not found.
func (t *Tx) AccessKeyByID(id string) (k iam.AccessKey, u iam.User, found bool, err error) {
	var keyCreated, userCreated int64
	found, err = t.row(`SELECT k.id, k.account_id, k.user_id, k.sealed_secret, k.active, k.created_at, u.name, u.path, u.created_at, u.version
		FROM iam_access_keys k JOIN iam_users u ON u.account_id = k.account_id AND u.user_id = k.user_id WHERE k.id = $1 AND NOT EXISTS (SELECT 1 FROM account a WHERE a.id = k.account_id AND a.state = 'CLOSED')`, []any{id},
		&k.ID, &k.AccountID, &k.UserID, &k.SealedSecret, &k.Active, &keyCreated, &u.Name, &u.Path, &userCreated, &u.Version)
	if err != nil || !found {
		return iam.AccessKey{}, iam.User{}, false, err
	}
	k.CreatedAt, u.CreatedAt = time.UnixMilli(keyCreated).UTC(), time.UnixMilli(userCreated).UTC()
	u.AccountID, u.ID = k.AccountID, k.UserID
	return k, u, true, nil
}

// AccessKeysOfUser lists a user's access keys, oldest first.
func (t *Tx) AccessKeysOfUser(accountID, userID string) ([]iam.AccessKey, error) {
	var keys []iam.AccessKey
	err := t.rows(`SELECT id, account_id, user_id, sealed_secret, active, created_at FROM iam_access_keys
		WHERE account_id = $1 AND user_id = $2 ORDER BY created_at, id`, []any{accountID, userID}, func(scan func(...any) error) error {
		var k iam.AccessKey
		var created int64
		err := scan(&k.ID, &k.AccountID, &k.UserID, &k.SealedSecret, &k.Active, &created)
		k.CreatedAt = time.UnixMilli(created).UTC()
		keys = append(keys, k)
		return err
	})
	return keys, err
}

// InsertAccessKey stores a new access key.
func (t *Tx) InsertAccessKey(k iam.AccessKey) error {
	_, err := t.exec(`INSERT INTO iam_access_keys (id, account_id, user_id, sealed_secret, active, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		k.ID, k.AccountID, k.UserID, k.SealedSecret, k.Active, k.CreatedAt.UnixMilli())
	return err
}

// SetAccessKeyActive enables or disables an access key.
func (t *Tx) SetAccessKeyActive(id string, active bool) error {
	_, err := t.exec(`UPDATE iam_access_keys SET active = $1 WHERE id = $2`, active, id)
	return err
}

// DeleteAccessKey deletes an access key.
func (t *Tx) DeleteAccessKey(id string) error {
	_, err := t.exec(`DELETE FROM iam_access_keys WHERE id = $1`, id)
	return err
}

const roleQuery = `SELECT r.account_id, r.role_id, r.name, r.path, r.description, d.document,
	r.max_session_duration, r.session_duration, r.policies, r.created_at, r.version
	FROM iam_roles r JOIN iam_documents d ON d.digest = r.trust_policy WHERE r.account_id = $1 AND `

func (t *Tx) role(query string, args ...any) (r iam.Role, found bool, err error) {
	var policies string
	var longest, session, created int64
	found, err = t.row(query, args, &r.AccountID, &r.ID, &r.Name, &r.Path, &r.Description, &r.TrustPolicy,
		&longest, &session, &policies, &created, &r.Version)
	if err != nil || !found {
		return iam.Role{}, false, err
	}
	r.MaxSessionDuration, r.SessionDuration = time.Duration(longest)*time.Second, time.Duration(session)*time.Second
	r.CreatedAt = time.UnixMilli(created).UTC()
	r.Policies, err = t.loadPolicies(policies)
	return r, err == nil, err
}

// RoleByID finds a role by its unique id.
func (t *Tx) RoleByID(accountID, roleID string) (iam.Role, bool, error) {
	return t.role(roleQuery+`r.role_id = $2`, accountID, roleID)
}

// RoleByName finds a role by its name, whatever its case.
func (t *Tx) RoleByName(accountID, name string) (iam.Role, bool, error) {
	return t.role(roleQuery+`r.name_key = $2`, accountID, strings.ToLower(name))
}

// InsertRole stores a new role, unless its name is taken.
func (t *Tx) InsertRole(r iam.Role) (bool, error) {
	trust, policies, used, err := t.saveRoleDocuments(r)
	if err != nil {
		return false, err
	}
	n, err := t.exec(`INSERT INTO iam_roles (account_id, role_id, name, name_key, path, description, trust_policy,
			max_session_duration, session_duration, policies, created_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (account_id, name_key) DO NOTHING`,
		r.AccountID, r.ID, r.Name, strings.ToLower(r.Name), r.Path, r.Description, trust,
		int64(r.MaxSessionDuration/time.Second), int64(r.SessionDuration/time.Second), policies, r.CreatedAt.UnixMilli(), r.Version)
	if err != nil || n != 1 {
		return false, err
	}
	return true, t.useDocuments(r.ID, used)
}

func (t *Tx) saveRoleDocuments(r iam.Role) (trust, policies string, used []string, err error) {
	if trust, err = t.saveDocument(r.TrustPolicy); err != nil {
		return "", "", nil, err
	}
	policies, used, err = t.savePolicies(r.Policies)
	return trust, policies, append(used, trust), err
}

// UpdateRole stores everything but the role's account, id, name, path and date
// of creation.
func (t *Tx) UpdateRole(r iam.Role) error {
	trust, policies, used, err := t.saveRoleDocuments(r)
	if err != nil {
		return err
	}
	n, err := t.exec(`UPDATE iam_roles SET description = $1, trust_policy = $2, max_session_duration = $3,
			session_duration = $4, policies = $5, version = version + 1 WHERE account_id = $6 AND role_id = $7`,
		r.Description, trust, int64(r.MaxSessionDuration/time.Second), int64(r.SessionDuration/time.Second),
		policies, r.AccountID, r.ID)
	if err != nil || n != 1 {
		return err
	}
	return t.reuseDocuments(r.ID, used)
}

// DeleteRole deletes a role.
func (t *Tx) DeleteRole(accountID, roleID string) error {
	n, err := t.exec(`DELETE FROM iam_roles WHERE account_id = $1 AND role_id = $2`, accountID, roleID)
	if err != nil || n != 1 {
		return err
	}
	return t.reuseDocuments(roleID, nil)
}
