package store

import (
	"time"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/instance"
)

var (
	_ assignment.Tx           = (*Tx)(nil)
	_ assignment.AccessReader = (*Tx)(nil)
	_ assignment.WithdrawTx   = (*Tx)(nil)
)

// AccountAssignments lists who is assigned a permission set in an account.
func (t *Tx) AccountAssignments(permissionSetID, accountID string, after assignment.Principal, limit int) ([]assignment.Assignment, error) {
	return t.assignments(`WHERE permission_set_id = $1 AND account_id = $2 AND (principal_type, principal_id) > ($3, $4)
		ORDER BY principal_type, principal_id LIMIT CAST($5 AS BIGINT)`, permissionSetID, accountID, string(after.Type), after.ID, limit)
}

func (t *Tx) assignments(where string, args ...any) (list []assignment.Assignment, err error) {
	err = t.rows(`SELECT account_id, permission_set_id, principal_type, principal_id FROM account_assignments `+where, args,
		func(scan func(...any) error) error {
			var a assignment.Assignment
			err := scan(&a.AccountID, &a.PermissionSetID, &a.Principal.Type, &a.Principal.ID)
			list = append(list, a)
			return err
		})
	return list, err
}

// AccountAssigned reports whether anyone is assigned a permission set in an
// account.
func (t *Tx) AccountAssigned(permissionSetID, accountID string) (assigned bool, err error) {
	_, err = t.row(`SELECT EXISTS (SELECT 1 FROM account_assignments WHERE permission_set_id = $1 AND account_id = $2)`,
		[]any{permissionSetID, accountID}, &assigned)
	return assigned, err
}

// InsertAccountAssignment stores an assignment, unless it is there already.
func (t *Tx) InsertAccountAssignment(a assignment.Assignment, created time.Time) error {
	_, err := t.exec(`INSERT INTO account_assignments (permission_set_id, account_id, principal_type, principal_id, created_at)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (permission_set_id, account_id, principal_type, principal_id) DO NOTHING`,
		a.PermissionSetID, a.AccountID, string(a.Principal.Type), a.Principal.ID, created.UnixMilli())
	return err
}

// DeleteAccountAssignment deletes an assignment and reports whether it was there.
func (t *Tx) DeleteAccountAssignment(a assignment.Assignment) (bool, error) {
	n, err := t.exec(`DELETE FROM account_assignments
		WHERE permission_set_id = $1 AND account_id = $2 AND principal_type = $3 AND principal_id = $4`,
		a.PermissionSetID, a.AccountID, string(a.Principal.Type), a.Principal.ID)
	return n > 0, err
}

// DeleteAccountAssignments deletes all assignments of a permission set in an
// account.
func (t *Tx) DeleteAccountAssignments(permissionSetID, accountID string) error {
	_, err := t.exec(`DELETE FROM account_assignments WHERE permission_set_id = $1 AND account_id = $2`, permissionSetID, accountID)
	return err
}

// AssignmentsOfPrincipal lists a group's assignments, or a user's with those
// of the user's groups.
func (t *Tx) AssignmentsOfPrincipal(in instance.Instance, p assignment.Principal, accountID string, after assignment.Assignment, limit int) ([]assignment.Assignment, error) {
	store := in.IdentityStoreID
	if p.Type == assignment.Group {
		store = "" // in which no one is a member of anything
	}
	return t.assignments(`WHERE principal_id IN `+principalsOfUser+` AND ($3 = '' OR account_id = $3)
		AND (account_id, permission_set_id, principal_id) > ($4, $5, $6)
		ORDER BY account_id, permission_set_id, principal_id LIMIT CAST($7 AS BIGINT)`,
		p.ID, store, accountID, after.AccountID, after.PermissionSetID, after.Principal.ID, limit)
}

// CROSS JOIN below makes SQLite begin with what stands first.
const (
	roleOfUserColumns = `SELECT p.account_id, s.id, s.name, p.role_name, p.role_id, r.path, r.session_duration `
	// roleOfUser finds the role of permission set s in the account $3.
	roleOfUser = ` p.permission_set_id = s.id AND p.account_id = $3 AND r.account_id = $3 AND r.role_id = p.role_id
		AND EXISTS (SELECT 1 FROM account WHERE id = $3 AND state = 'ACTIVE') `
)

// RolesOfUser is part of assignment.AccessReader. It looks for assignments from
// the side that has few: the user's groups, or else the account.
func (t *Tx) RolesOfUser(in instance.Instance, userID, accountID, after string, limit int) ([]assignment.Role, error) {
	return t.rolesOfUser(`FROM account a CROSS JOIN provisioned_permission_sets p CROSS JOIN permission_sets s CROSS JOIN iam_roles r
		WHERE a.id = $3 AND a.state = 'ACTIVE' AND p.account_id = a.id AND s.id = p.permission_set_id AND s.name > $4
		AND CASE WHEN NOT `+inManyGroups+` OR `+manyInAccount+` THEN p.permission_set_id IN (SELECT x.permission_set_id FROM `+assignedToUser+` AND x.account_id = $3)
			ELSE `+setIsAssigned+` END
		AND r.account_id = p.account_id AND r.role_id = p.role_id
		ORDER BY s.name LIMIT CAST($5 AS BIGINT)`, userID, in.IdentityStoreID, accountID, after, limit)
}

// AllRolesOfUser is part of assignment.AccessReader.
func (t *Tx) AllRolesOfUser(in instance.Instance, userID string, limit int) ([]assignment.Role, error) {
	return t.rolesOfUser(`FROM (SELECT DISTINCT x.account_id, x.permission_set_id FROM `+assignedToUser+`) a
		CROSS JOIN account c CROSS JOIN permission_sets s CROSS JOIN provisioned_permission_sets p CROSS JOIN iam_roles r
		WHERE c.id = a.account_id AND c.state = 'ACTIVE' AND s.id = a.permission_set_id
		AND p.permission_set_id = s.id AND p.account_id = a.account_id AND r.account_id = a.account_id AND r.role_id = p.role_id
		ORDER BY a.account_id, s.name LIMIT CAST($3 AS BIGINT)`, userID, in.IdentityStoreID, limit)
}

// RoleOfUser is part of assignment.AccessReader: it begins with the role, and
// looks for each of the user's groups whether it is assigned.
func (t *Tx) RoleOfUser(in instance.Instance, userID, accountID, name string) (assignment.Role, bool, error) {
	list, err := t.rolesOfUser(`FROM permission_sets s CROSS JOIN provisioned_permission_sets p CROSS JOIN iam_roles r
		WHERE s.instance_id = $4 AND s.name = $5 AND`+roleOfUser+`AND (EXISTS (
				SELECT 1 FROM account_assignments
				WHERE permission_set_id = s.id AND account_id = $3 AND principal_type = 'USER' AND principal_id = $1)
			OR EXISTS (
				SELECT 1 FROM directory_memberships m CROSS JOIN account_assignments a
				WHERE m.store_id = $2 AND m.user_id = $1 AND a.permission_set_id = s.id AND a.account_id = $3
				AND a.principal_type = 'GROUP' AND a.principal_id = m.group_id))
		LIMIT 1`, userID, in.IdentityStoreID, accountID, in.ID, name)
	if err != nil || len(list) == 0 {
		return assignment.Role{}, false, err
	}
	return list[0], true, nil
}

func (t *Tx) rolesOfUser(query string, args ...any) (roles []assignment.Role, err error) {
	err = t.rows(roleOfUserColumns+query, args, func(scan func(...any) error) error {
		var r assignment.Role
		var seconds int64
		err := scan(&r.AccountID, &r.PermissionSetID, &r.PermissionSetName, &r.RoleName, &r.RoleID, &r.RolePath, &seconds)
		r.SessionDuration = time.Duration(seconds) * time.Second
		roles = append(roles, r)
		return err
	})
	return roles, err
}

// PrincipalAssignedIn reports whether a principal itself has an assignment in
// an account.
func (t *Tx) PrincipalAssignedIn(p assignment.Principal, accountID string) (assigned bool, err error) {
	_, err = t.row(`SELECT EXISTS (SELECT 1 FROM account_assignments WHERE principal_id = $1 AND account_id = $2)`,
		[]any{p.ID, accountID}, &assigned)
	return assigned, err
}

const assignmentRequestColumns = `id, instance_id, kind, status, failure_reason, permission_set_id, account_id, principal_type, principal_id, created_at`

// AssignmentRequest finds a request of the instance.
func (t *Tx) AssignmentRequest(instanceID string, kind assignment.Kind, id string) (assignment.Request, bool, error) {
	list, err := t.requests(`WHERE id = $1 AND instance_id = $2 AND kind = $3`, id, instanceID, string(kind))
	if err != nil || len(list) == 0 {
		return assignment.Request{}, false, err
	}
	return list[0], true, nil
}

// AssignmentRequests lists requests of the instance, newest first.
func (t *Tx) AssignmentRequests(instanceID string, kind assignment.Kind, status assignment.Status, after time.Time, afterID string, limit int) ([]assignment.Request, error) {
	if after.IsZero() {
		after = time.UnixMilli(1 << 60)
	}
	return t.requests(`WHERE instance_id = $1 AND kind = $2 AND ($3 = '' OR status = $3) AND (created_at, id) < ($4, $5)
		ORDER BY created_at DESC, id DESC LIMIT CAST($6 AS BIGINT)`, instanceID, string(kind), string(status), after.UnixMilli(), afterID, limit)
}

func (t *Tx) requests(where string, args ...any) (list []assignment.Request, err error) {
	err = t.rows(`SELECT `+assignmentRequestColumns+` FROM assignment_requests `+where, args, func(scan func(...any) error) error {
		var (
			r       assignment.Request
			created int64
		)
		err := scan(&r.ID, &r.InstanceID, &r.Kind, &r.Status, &r.FailureReason, &r.PermissionSetID, &r.AccountID,
			&r.Principal.Type, &r.Principal.ID, &created)
		r.CreatedAt = time.UnixMilli(created).UTC()
		list = append(list, r)
		return err
	})
	return list, err
}

// InsertAssignmentRequest stores a settled request.
func (t *Tx) InsertAssignmentRequest(r assignment.Request) error {
	_, err := t.exec(`INSERT INTO assignment_requests (`+assignmentRequestColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		r.ID, r.InstanceID, string(r.Kind), string(r.Status), r.FailureReason, r.PermissionSetID, r.AccountID,
		string(r.Principal.Type), r.Principal.ID, r.CreatedAt.UnixMilli())
	return err
}

// DeleteAssignmentRequests deletes at most limit requests made before then and
// returns how many.
func (t *Tx) DeleteAssignmentRequests(before time.Time, limit int) (int64, error) {
	return t.exec(`DELETE FROM assignment_requests WHERE id IN (
		SELECT id FROM assignment_requests WHERE created_at < $1 LIMIT CAST($2 AS BIGINT))`, before.UnixMilli(), limit)
}
