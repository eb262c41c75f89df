package store

import (
	"time"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/epoch"
)

var _ epoch.Reader = (*Tx)(nil)

// EpochsAfter is part of epoch.Reader.
func (t *Tx) EpochsAfter(after epoch.Epoch, limit int) (list []epoch.Epoch, err error) {
	err = t.rows(`SELECT scope, id, value, raised_at FROM epochs WHERE (value, scope, id) > ($1, $2, $3)
		ORDER BY value, scope, id LIMIT CAST($4 AS BIGINT)`, []any{after.Value, string(after.Scope), after.ID, limit},
		func(scan func(...any) error) error {
			var e epoch.Epoch
			var raised int64
			err := scan(&e.Scope, &e.ID, &e.Value, &raised)
			e.RaisedAt = time.UnixMilli(raised).UTC()
			list = append(list, e)
			return err
		})
	return list, err
}

// DeleteEpochs deletes at most limit epochs that were raised before a time, and
// returns how many.
func (t *Tx) DeleteEpochs(before time.Time, limit int) (int64, error) {
	return t.exec(`DELETE FROM epochs WHERE (scope, id) IN (
		SELECT scope, id FROM epochs WHERE raised_at < $1 ORDER BY raised_at LIMIT CAST($2 AS BIGINT))`, before.UnixMilli(), limit)
}

// raise gives an epoch, the new value of the change counter, to every
// reference that the query selects: scope, id, and then $1 and $2 as they are.
// Other arguments begin with $3. It leaves the counter alone when there are
// none.
func (t *Tx) raise(selection string, args ...any) error {
	args = append([]any{t.change, t.now.UnixMilli()}, args...)
	if t.change == 0 {
		var found bool
		if _, err := t.row(`SELECT EXISTS (`+selection+`)`, args, &found); err != nil || !found {
			return err
		}
		value, err := t.BumpChange()
		if err != nil {
			return err
		}
		args[0] = value
	}
	_, err := t.exec(`INSERT INTO epochs (scope, id, value, raised_at) `+selection+`
		ON CONFLICT (scope, id) DO UPDATE SET value = excluded.value, raised_at = excluded.raised_at`, args...)
	return err
}

// raiseOne raises the epoch of one reference.
func (t *Tx) raiseOne(ref epoch.Ref) error {
	return t.raise(`SELECT CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($1 AS BIGINT), CAST($2 AS BIGINT) WHERE 1 = 1`,
		string(ref.Scope), ref.ID)
}

// RevokeUser ends the sessions of a person, whatever they are for.
func (t *Tx) RevokeUser(userID string) error {
	return t.raiseOne(epoch.Ref{Scope: epoch.User, ID: userID})
}

// RevokeAccount ends all sessions in an account.
func (t *Tx) RevokeAccount(accountID string) error {
	return t.raiseOne(epoch.Ref{Scope: epoch.Account, ID: accountID})
}

// RevokePrincipal ends all sessions of a role or IAM user.
func (t *Tx) RevokePrincipal(uniqueID string) error {
	return t.raiseOne(epoch.Ref{Scope: epoch.Principal, ID: uniqueID})
}

// RevokePortalSession ends what was opened from a session at the access
// portal.
func (t *Tx) RevokePortalSession(id string) error {
	return t.raiseOne(epoch.Ref{Scope: epoch.PortalSession, ID: id})
}

// The accesses that are lost with a principal's assignment: $3 is the
// principal, a user or group, and $4 the identity store. A person who has
// another way to the same permission set in the same account loses nothing.
const (
	lostAccess = `SELECT 'access', p.user_id || '/' || a.account_id || '/' || a.permission_set_id,
		CAST($1 AS BIGINT), CAST($2 AS BIGINT)
		FROM account_assignments a, `
	oneself = `(SELECT CAST($3 AS TEXT) AS user_id)`
	members = `(SELECT user_id FROM directory_memberships WHERE store_id = $4 AND group_id = $3)`
	isLost  = ` p WHERE a.principal_id = $3 AND NOT EXISTS (
		SELECT 1 FROM account_assignments o
		WHERE o.permission_set_id = a.permission_set_id AND o.account_id = a.account_id AND o.principal_id <> $3
		AND (o.principal_id = p.user_id OR EXISTS (
			SELECT 1 FROM directory_memberships m
			WHERE m.store_id = $4 AND m.user_id = p.user_id AND m.group_id = o.principal_id)))`
)

// RevokeAssignment ends the sessions of those who lose access with an
// assignment. It is called while the assignment and the memberships are there.
func (t *Tx) RevokeAssignment(storeID string, a assignment.Assignment) error {
	people := oneself
	if a.Principal.Type == assignment.Group {
		people = members
	}
	return t.raise(lostAccess+people+isLost+` AND a.permission_set_id = $5 AND a.account_id = $6`,
		a.Principal.ID, storeID, a.PermissionSetID, a.AccountID)
}

// RevokeMembership ends the sessions that a person loses by leaving a group.
// It is called while the membership is there.
func (t *Tx) RevokeMembership(storeID, groupID, userID string) error {
	return t.raise(lostAccess+members+isLost+` AND p.user_id = $5`, groupID, storeID, userID)
}

// maxLost bounds the epochs that the end of one group raises.
const maxLost = 20_000

// RevokeGroup ends the sessions of those who lose access with a group. It is
// called while the group has its members. Of a group so large that the
// accesses are too many to name, it ends all sessions of the roles that the
// group was assigned: those who have another way open new ones.
func (t *Tx) RevokeGroup(storeID, groupID string) error {
	var accesses int64
	_, err := t.row(`SELECT (SELECT COUNT(*) FROM account_assignments WHERE principal_id = $1) *
		(SELECT COUNT(*) FROM directory_memberships WHERE store_id = $2 AND group_id = $1)`, []any{groupID, storeID}, &accesses)
	if err != nil || accesses == 0 {
		return err
	}
	if accesses <= maxLost {
		return t.raise(lostAccess+members+isLost, groupID, storeID)
	}
	return t.raise(`SELECT 'principal', r.role_id, CAST($1 AS BIGINT), CAST($2 AS BIGINT)
		FROM account_assignments a JOIN provisioned_permission_sets r
		ON r.permission_set_id = a.permission_set_id AND r.account_id = a.account_id
		WHERE a.principal_id = $3`, groupID)
}
