package store

import (
	"encoding/json"
	"fmt"
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
	u.Policies, err = decodePolicies(policies)
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
	policies, err := encodePolicies(u.Policies)
	if err != nil {
		return false, err
	}
	n, err := t.exec(`INSERT INTO iam_users (account_id, user_id, name, name_key, path, policies, created_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account_id, name_key) DO NOTHING`,
		u.AccountID, u.ID, u.Name, strings.ToLower(u.Name), u.Path, policies, u.CreatedAt.UnixMilli(), u.Version)
	return n == 1, err
}

// UpdateIAMUserPolicies replaces what is attached to a user.
func (t *Tx) UpdateIAMUserPolicies(accountID, userID string, p iam.Policies) error {
	policies, err := encodePolicies(p)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE iam_users SET policies = $1, version = version + 1 WHERE account_id = $2 AND user_id = $3`,
		policies, accountID, userID)
	return err
}

const accessKeyColumns = `id, account_id, user_id, sealed_secret, active, created_at`

func scanAccessKey(scan func(...any) error) (k iam.AccessKey, err error) {
	var created int64
	err = scan(&k.ID, &k.AccountID, &k.UserID, &k.SealedSecret, &k.Active, &created)
	k.CreatedAt = time.UnixMilli(created).UTC()
	return k, err
}

// AccessKeyByID finds a long-term access key.
func (t *Tx) AccessKeyByID(id string) (k iam.AccessKey, found bool, err error) {
	k, err = scanAccessKey(func(dest ...any) error {
		found, err = t.row(`SELECT `+accessKeyColumns+` FROM iam_access_keys WHERE id = $1`, []any{id}, dest...)
		return err
	})
	return k, found, err
}

// AccessKeysOfUser lists a user's access keys, oldest first.
func (t *Tx) AccessKeysOfUser(accountID, userID string) ([]iam.AccessKey, error) {
	var keys []iam.AccessKey
	err := t.rows(`SELECT `+accessKeyColumns+` FROM iam_access_keys
		WHERE account_id = $1 AND user_id = $2 ORDER BY created_at, id`, []any{accountID, userID}, func(scan func(...any) error) error {
		k, err := scanAccessKey(scan)
		keys = append(keys, k)
		return err
	})
	return keys, err
}

// InsertAccessKey stores a new access key.
func (t *Tx) InsertAccessKey(k iam.AccessKey) error {
	_, err := t.exec(`INSERT INTO iam_access_keys (`+accessKeyColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
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

const roleColumns = `account_id, role_id, name, path, description, trust_policy,
	max_session_duration, session_duration, policies, created_at, version`

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
	r.Policies, err = decodePolicies(policies)
	return r, err == nil, err
}

// RoleByID finds a role by its unique id.
func (t *Tx) RoleByID(accountID, roleID string) (iam.Role, bool, error) {
	return t.role(`SELECT `+roleColumns+` FROM iam_roles WHERE account_id = $1 AND role_id = $2`, accountID, roleID)
}

// RoleByName finds a role by its name, whatever its case.
func (t *Tx) RoleByName(accountID, name string) (iam.Role, bool, error) {
	return t.role(`SELECT `+roleColumns+` FROM iam_roles WHERE account_id = $1 AND name_key = $2`, accountID, strings.ToLower(name))
}

// InsertRole stores a new role, unless its name is taken.
func (t *Tx) InsertRole(r iam.Role) (bool, error) {
	policies, err := encodePolicies(r.Policies)
	if err != nil {
		return false, err
	}
	n, err := t.exec(`INSERT INTO iam_roles (account_id, role_id, name, name_key, path, description, trust_policy,
			max_session_duration, session_duration, policies, created_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (account_id, name_key) DO NOTHING`,
		r.AccountID, r.ID, r.Name, strings.ToLower(r.Name), r.Path, r.Description, r.TrustPolicy,
		int64(r.MaxSessionDuration/time.Second), int64(r.SessionDuration/time.Second), policies, r.CreatedAt.UnixMilli(), r.Version)
	return n == 1, err
}

// UpdateRole stores everything but the role's account, id, name and path.
func (t *Tx) UpdateRole(r iam.Role) error {
	policies, err := encodePolicies(r.Policies)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE iam_roles SET description = $1, trust_policy = $2, max_session_duration = $3,
			session_duration = $4, policies = $5, version = version + 1 WHERE account_id = $6 AND role_id = $7`,
		r.Description, r.TrustPolicy, int64(r.MaxSessionDuration/time.Second), int64(r.SessionDuration/time.Second),
		policies, r.AccountID, r.ID)
	return err
}

// DeleteRole deletes a role.
func (t *Tx) DeleteRole(accountID, roleID string) error {
	_, err := t.exec(`DELETE FROM iam_roles WHERE account_id = $1 AND role_id = $2`, accountID, roleID)
	return err
}

// ManagedPolicyByARN finds a customer managed policy.
func (t *Tx) ManagedPolicyByARN(arn string) (p iam.ManagedPolicy, found bool, err error) {
	var created int64
	found, err = t.row(`SELECT account_id, policy_id, path, name, document, created_at, version FROM iam_policies WHERE arn = $1`,
		[]any{arn}, &p.AccountID, &p.ID, &p.Path, &p.Name, &p.Document, &created, &p.Version)
	p.CreatedAt = time.UnixMilli(created).UTC()
	return p, found, err
}

// InsertManagedPolicy stores a new customer managed policy, unless its name is
// taken.
func (t *Tx) InsertManagedPolicy(p iam.ManagedPolicy) (bool, error) {
	n, err := t.exec(`INSERT INTO iam_policies (arn, account_id, policy_id, path, name, name_key, document, created_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (account_id, name_key) DO NOTHING`,
		p.ARN(), p.AccountID, p.ID, p.Path, p.Name, strings.ToLower(p.Name), p.Document, p.CreatedAt.UnixMilli(), p.Version)
	return n == 1, err
}

// storedPolicies is how iam.Policies is written.
type storedPolicies struct {
	Managed  []string          `json:"managed,omitempty"`
	Inline   map[string]string `json:"inline,omitempty"`
	Boundary string            `json:"boundary,omitempty"`
}

func encodePolicies(p iam.Policies) (string, error) {
	raw, err := json.Marshal(storedPolicies(p))
	return string(raw), err
}

func decodePolicies(text string) (iam.Policies, error) {
	var p storedPolicies
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return iam.Policies{}, fmt.Errorf("store: stored policies: %w", err)
	}
	return iam.Policies(p), nil
}
