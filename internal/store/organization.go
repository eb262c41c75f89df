package store

import (
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/organization"
)

var _ organization.Tx = (*Tx)(nil)

// accountColumns reads an account with its membership; scanAccount scans it.
const accountColumns = `a.id, a.name, a.email, a.state, a.created_at,
	COALESCE(m.organization_id, ''), COALESCE(m.parent_id, ''), COALESCE(c.path, ''),
	COALESCE(m.joined_method, ''), COALESCE(m.joined_at, 0)`

const memberJoins = `JOIN organization_member m ON m.account_id = a.id
	JOIN organization_container c ON c.organization_id = m.organization_id AND c.id = m.parent_id`

// millis returns the time ms milliseconds after the epoch; 0 means none.
func millis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// unixMillis is the inverse of millis.
func unixMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// scanAccount scans accountColumns, and what more the query selects.
func scanAccount(scan func(...any) error, more ...any) (a organization.Account, err error) {
	var created, joined int64
	dest := []any{
		&a.ID, &a.Name, &a.Email, &a.State, &created,
		&a.OrganizationID, &a.ParentID, &a.ParentPath, &a.JoinedMethod, &joined,
	}
	err = scan(append(dest, more...)...)
	a.Created, a.Joined = millis(created), millis(joined)
	return a, err
}

// AccountByID is part of organization.AccountReader.
func (t *Tx) AccountByID(id string) (a organization.Account, found bool, err error) {
	err = t.rows(`SELECT `+accountColumns+` FROM account a
		LEFT JOIN organization_member m ON m.account_id = a.id
		LEFT JOIN organization_container c ON c.organization_id = m.organization_id AND c.id = m.parent_id
		WHERE a.id = $1`, []any{id}, func(scan func(...any) error) error {
		found = true
		a, err = scanAccount(scan)
		return err
	})
	return a, found && err == nil, err
}

// OrganizationOfAccount is part of organization.AccountReader.
func (t *Tx) OrganizationOfAccount(accountID string) (o organization.Organization, found bool, err error) {
	var created int64
	found, err = t.row(`SELECT o.id, o.management_account_id, o.feature_set, o.created_at, c.id
		FROM organization_member m
		JOIN organization o ON o.id = m.organization_id
		JOIN organization_container c ON c.organization_id = o.id AND c.parent_id IS NULL
		WHERE m.account_id = $1`, []any{accountID},
		&o.ID, &o.ManagementAccountID, &o.FeatureSet, &created, &o.RootID)
	o.Created = millis(created)
	return o, found, err
}

// AccountEmailTaken is part of organization.AccountTx.
func (t *Tx) AccountEmailTaken(email string) (bool, error) {
	return t.exists(`SELECT 1 FROM account WHERE email_key = $1`, strings.ToLower(email))
}

// exists reports whether query, which selects one row at most, finds one.
func (t *Tx) exists(query string, args ...any) (bool, error) {
	var one int
	return t.row(query, args, &one)
}

// InsertAccount is part of organization.AccountTx. The membership is not
// written: see InsertMember.
func (t *Tx) InsertAccount(a organization.Account) error {
	_, err := t.exec(`INSERT INTO account (id, name, email, email_key, state, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		a.ID, a.Name, a.Email, strings.ToLower(a.Email), string(a.State), unixMillis(a.Created))
	return err
}

// UpdateAccountState is part of organization.AccountTx.
func (t *Tx) UpdateAccountState(id string, state organization.State) error {
	_, err := t.exec(`UPDATE account SET state = $2, version = version + 1 WHERE id = $1`, id, string(state))
	return err
}

// Members is part of organization.AccountTx.
func (t *Tx) Members(orgID, parentID, after string, limit int) (accounts []organization.Account, err error) {
	where, args := `m.account_id > $2`, []any{orgID, after, limit}
	if parentID != "" {
		where, args = where+` AND m.parent_id = $4`, append(args, parentID)
	}
	err = t.rows(`SELECT `+accountColumns+` FROM account a `+memberJoins+`
		WHERE m.organization_id = $1 AND `+where+` ORDER BY m.account_id LIMIT CAST($3 AS BIGINT)`, args,
		func(scan func(...any) error) error {
			a, err := scanAccount(scan)
			accounts = append(accounts, a)
			return err
		})
	return accounts, err
}

// CountMembers is part of organization.AccountTx.
func (t *Tx) CountMembers(orgID string) (n int, err error) {
	_, err = t.row(`SELECT COUNT(*) FROM organization_member WHERE organization_id = $1`, []any{orgID}, &n)
	return n, err
}

// InsertMember is part of organization.AccountTx.
func (t *Tx) InsertMember(m organization.Member) error {
	_, err := t.exec(`INSERT INTO organization_member (account_id, organization_id, parent_id, joined_method, joined_at)
		VALUES ($1, $2, $3, $4, $5)`,
		m.AccountID, m.OrganizationID, m.ParentID, string(m.JoinedMethod), unixMillis(m.Joined))
	return err
}

// UpdateMemberParent is part of organization.AccountTx.
func (t *Tx) UpdateMemberParent(orgID, accountID, parentID string) error {
	_, err := t.exec(`UPDATE organization_member SET parent_id = $3 WHERE organization_id = $1 AND account_id = $2`,
		orgID, accountID, parentID)
	return err
}

// DeleteMember is part of organization.AccountTx.
func (t *Tx) DeleteMember(orgID, accountID string) error {
	_, err := t.exec(`DELETE FROM organization_member WHERE organization_id = $1 AND account_id = $2`, orgID, accountID)
	return err
}

// InsertOrganization is part of organization.Tx. The root is not written: see
// InsertContainer.
func (t *Tx) InsertOrganization(o organization.Organization) error {
	_, err := t.exec(`INSERT INTO organization (id, management_account_id, feature_set, created_at) VALUES ($1, $2, $3, $4)`,
		o.ID, o.ManagementAccountID, string(o.FeatureSet), unixMillis(o.Created))
	return err
}

// DeleteOrganization is part of organization.Tx.
func (t *Tx) DeleteOrganization(id string) error {
	_, err := t.exec(`DELETE FROM organization WHERE id = $1`, id)
	return err
}

// CreateAccountRequestByID is part of organization.CreationTx.
func (t *Tx) CreateAccountRequestByID(orgID, id string) (r organization.CreateAccountRequest, found bool, err error) {
	err = t.rows(`SELECT `+requestColumns+` FROM create_account_request WHERE organization_id = $1 AND id = $2`,
		[]any{orgID, id}, func(scan func(...any) error) error {
			found = true
			r, err = scanRequest(scan)
			return err
		})
	return r, found && err == nil, err
}

const requestColumns = `id, account_name, state, requested_at, completed_at, account_id, failure_reason`

func scanRequest(scan func(...any) error) (r organization.CreateAccountRequest, err error) {
	var requested, completed int64
	err = scan(&r.ID, &r.AccountName, &r.State, &requested, &completed, &r.AccountID, &r.FailureReason)
	r.Requested, r.Completed = millis(requested), millis(completed)
	return r, err
}

// CreateAccountRequests is part of organization.CreationTx.
func (t *Tx) CreateAccountRequests(orgID string, states []organization.CreateState, after string, limit int) (requests []organization.CreateAccountRequest, err error) {
	wanted := map[organization.CreateState]bool{}
	for _, s := range states {
		wanted[s] = true
	}
	// Three flags instead of a list keep the statement's text the same.
	all := len(states) == 0
	err = t.rows(`SELECT `+requestColumns+` FROM create_account_request
		WHERE organization_id = $1 AND id > $2
			AND ((state = 'IN_PROGRESS' AND $4) OR (state = 'SUCCEEDED' AND $5) OR (state = 'FAILED' AND $6))
		ORDER BY id LIMIT CAST($3 AS BIGINT)`,
		[]any{
			orgID, after, limit,
			all || wanted[organization.InProgress], all || wanted[organization.Succeeded], all || wanted[organization.Failed],
		},
		func(scan func(...any) error) error {
			r, err := scanRequest(scan)
			requests = append(requests, r)
			return err
		})
	return requests, err
}

// InsertCreateAccountRequest is part of organization.CreationTx.
func (t *Tx) InsertCreateAccountRequest(orgID string, r organization.CreateAccountRequest) error {
	_, err := t.exec(`INSERT INTO create_account_request (organization_id, `+requestColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		orgID, r.ID, r.AccountName, string(r.State), unixMillis(r.Requested), unixMillis(r.Completed), r.AccountID, string(r.FailureReason))
	return err
}

// AnyAccount tells whether there is an account at all.
func (t *Tx) AnyAccount() (bool, error) {
	var one int64
	return t.row(`SELECT 1 FROM account LIMIT 1`, nil, &one)
}

// FirstManagementAccount returns the management account of the organization
// that was made first.
func (t *Tx) FirstManagementAccount() (id string, found bool, err error) {
	found, err = t.row(`SELECT management_account_id FROM organization ORDER BY created_at, id LIMIT 1`, nil, &id)
	return id, found, err
}
