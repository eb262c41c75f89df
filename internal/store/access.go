package store

import (
	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/instance"
)

// The accounts that a user may use are found from the user's side, by reading
// the assignments of the user and of the user's groups. That is little for most
// people; but somebody in hundreds of groups has tens of thousands, and each
// page would read them all. So where there are many, accounts are taken a
// window at a time, in the order of their ids. Where there are many within the
// window too, only some are read: they name most of the accounts. Each of the
// others is asked for assignments to the user, from whichever side has fewer.
//
// In all of these queries $1 is the user, $2 the identity store, and accounts
// are those after $3, up to and with $4. CROSS JOIN makes SQLite begin with
// what stands first; and PostgreSQL turns no scalar subquery into a join that
// reads all assignments.
const (
	// principalsOfUser are the ids under which a user has assignments, and
	// assignedToUser joins these with them.
	principalsOfUser = `(SELECT CAST($1 AS TEXT) AS id UNION ALL
		SELECT group_id FROM directory_memberships WHERE store_id = $2 AND user_id = $1)`
	assignedToUser = principalsOfUser + ` u CROSS JOIN account_assignments x WHERE x.principal_id = u.id`
	betweenBounds  = ` AND x.account_id > $3 AND x.account_id <= $4`

	// namedAccounts selects, of accounts a, those in $6 assignments of the
	// user, and namedOrAsked the others too.
	namedAccounts = `a.id IN (SELECT x.account_id FROM ` + assignedToUser + betweenBounds + ` LIMIT CAST($6 AS BIGINT))`
	namedOrAsked  = `a.id > $3 AND a.id <= $4 AND (` + namedAccounts + ` OR CASE WHEN ` + manyInAccount + ` THEN ` + askUser + ` ELSE ` + askAccount + ` END)`
	askUser       = `(` + assignedIn + `$1 LIMIT 1) IS NOT NULL OR EXISTS (
		SELECT 1 FROM directory_memberships m WHERE m.store_id = $2 AND m.user_id = $1 AND ` + assignedIn + `m.group_id LIMIT 1) IS NOT NULL))`
	assignedIn = `(SELECT x.account_id FROM account_assignments x WHERE x.account_id = a.id AND x.principal_id = `
	askAccount = `EXISTS (SELECT 1 FROM provisioned_permission_sets p WHERE p.account_id = a.id AND ` + setIsAssigned + `)`

	// inManyGroups tells whether the user is in many groups, manyInAccount
	// whether an account a has many assignments, and setIsAssigned whether the
	// user has one of those of a provisioned permission set p.
	inManyGroups  = `EXISTS (SELECT 1 FROM directory_memberships WHERE store_id = $2 AND user_id = $1 LIMIT 1 OFFSET 16)`
	manyInAccount = `EXISTS (SELECT 1 FROM provisioned_permission_sets p CROSS JOIN account_assignments x
		WHERE p.account_id = a.id AND x.permission_set_id = p.permission_set_id AND x.account_id = p.account_id LIMIT 1 OFFSET 64)`
	setIsAssigned = `(SELECT x.account_id FROM account_assignments x
		WHERE x.permission_set_id = p.permission_set_id AND x.account_id = p.account_id AND (x.principal_id = $1 OR (
			SELECT m.group_id FROM directory_memberships m
			WHERE m.store_id = $2 AND m.user_id = $1 AND m.group_id = x.principal_id) IS NOT NULL) LIMIT 1) IS NOT NULL`
)

// allAccounts is above the id of every account.
const allAccounts = "~"

// accessBounds say when a user's assignments are many.
type accessBounds struct {
	// few is how many are read, at most, without looking at windows.
	few int
	// thin is how many are read, at most, for each account of a window.
	thin int
	// growth is by how much a window is larger than the one before it, in
	// which there was too little for the page.
	growth int
}

func usualBounds() accessBounds { return accessBounds{few: 200, thin: 3, growth: 4} }

// accountsOfUser calls each with the first accounts after an id that a user may
// use, at most limit of them, in the order of their ids. selection selects from
// account a, up to its WHERE; its own arguments begin with $7.
func (t *Tx) accountsOfUser(b accessBounds, selection string, in instance.Instance, userID, after string, limit int, each func(scan func(...any) error) error, args ...any) error {
	for size := limit; limit > 0; size *= b.growth {
		w, err := t.accessWindow(b, in, userID, after, size)
		if err != nil {
			return err
		}
		err = t.rows(selection+w.where+` AND a.state = 'ACTIVE' ORDER BY a.id LIMIT CAST($5 AS BIGINT)`,
			append([]any{userID, in.IdentityStoreID, after, w.end, limit, w.read}, args...),
			func(scan func(...any) error) error {
				limit--
				return each(scan)
			})
		if err != nil || w.end == allAccounts {
			return err
		}
		after = w.end
	}
	return nil
}

// accessWindow is some accounts in a row.
type accessWindow struct {
	end   string // the last of them
	where string // selects those that the user may use
	read  int    // how many assignments are read for that, at most
}

// accessWindow returns a window of size accounts after one, or of all that
// follow.
func (t *Tx) accessWindow(b accessBounds, in instance.Instance, userID, after string, size int) (accessWindow, error) {
	w := accessWindow{end: allAccounts, where: namedAccounts, read: b.few}
	many, err := t.assignedMoreThan(b.few, in, userID, after, allAccounts)
	if err != nil || !many {
		return w, err
	}
	w.read = b.thin * size
	_, err = t.row(`SELECT id FROM account WHERE id > $1 ORDER BY id LIMIT 1 OFFSET CAST($2 AS BIGINT)`, []any{after, size - 1}, &w.end)
	if err == nil {
		many, err = t.assignedMoreThan(w.read, in, userID, after, w.end)
	}
	if many {
		w.where = namedOrAsked
	}
	return w, err
}

// assignedMoreThan reports whether the user and the user's groups have more
// than n assignments in the accounts after one and up to another.
func (t *Tx) assignedMoreThan(n int, in instance.Instance, userID, after, end string) (more bool, err error) {
	_, err = t.row(`SELECT EXISTS (SELECT 1 FROM `+assignedToUser+betweenBounds+` LIMIT 1 OFFSET CAST($5 AS BIGINT))`,
		[]any{userID, in.IdentityStoreID, after, end, n}, &more)
	return more, err
}

// AccountsOfUser is part of assignment.AccessReader.
func (t *Tx) AccountsOfUser(in instance.Instance, userID, after string, limit int) (list []assignment.Account, err error) {
	err = t.accountsOfUser(usualBounds(), `SELECT a.id, a.name, a.email FROM account a WHERE `, in, userID, after, limit,
		func(scan func(...any) error) error {
			var a assignment.Account
			err := scan(&a.ID, &a.Name, &a.Email)
			list = append(list, a)
			return err
		})
	return list, err
}
