package store

import (
	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/instance"
)

// The accounts that a user may use are found in one of two ways. From the
// user's side: by reading the assignments of the user and of the user's
// groups. That is little for most people; but somebody in hundreds of groups
// has tens of thousands, and each page would read them all. So where there are
// many, accounts are taken a window at a time, in the order of their ids, and
// where there are many within the window too, from the accounts' side: by
// asking for each account whether there is an assignment. Where there are many
// the first questions already find one.
//
// In all of these queries $1 is the user, $2 the identity store, and accounts
// are those after $3, up to and with $4.
const (
	// principalsOfUser are the ids under which a user has assignments.
	principalsOfUser = `(SELECT CAST($1 AS TEXT) AS id UNION ALL
		SELECT group_id FROM directory_memberships WHERE store_id = $2 AND user_id = $1)`
	// assignedToUser joins these with their assignments. CROSS JOIN makes
	// SQLite begin with what stands first.
	assignedToUser = principalsOfUser + ` u CROSS JOIN account_assignments x WHERE x.principal_id = u.id`
	betweenBounds  = ` AND x.account_id > $3 AND x.account_id <= $4`

	// fromUser and fromAccounts select accounts a from either side. The latter
	// asks in scalar subqueries, which no planner turns into a join that reads
	// all of the assignments.
	fromUser     = `a.id IN (SELECT x.account_id FROM ` + assignedToUser + betweenBounds + `)`
	fromAccounts = `a.id > $3 AND a.id <= $4 AND (` + assignedIn + `$1 LIMIT 1) IS NOT NULL OR EXISTS (
		SELECT 1 FROM directory_memberships m
		WHERE m.store_id = $2 AND m.user_id = $1 AND ` + assignedIn + `m.group_id LIMIT 1) IS NOT NULL))`
	assignedIn = `(SELECT x.account_id FROM account_assignments x WHERE x.account_id = a.id AND x.principal_id = `
)

// allAccounts is above the id of every account.
const allAccounts = "~"

// accessBounds say when a user's assignments are many.
type accessBounds struct {
	// few is up to how many assignments are read to find one page.
	few int
	// thin is up to how many are read for each account of a window.
	thin int
	// growth is by how much a window is larger than the one before it, in
	// which there was too little for the page.
	growth int
}

func usualBounds() accessBounds { return accessBounds{few: 400, thin: 8, growth: 4} }

// accountsOfUser calls each with the first accounts after an id that a user may
// use, at most limit of them, in the order of their ids. selection selects from
// account a, up to its WHERE; its own arguments begin with $6.
func (t *Tx) accountsOfUser(b accessBounds, selection string, in instance.Instance, userID, after string, limit int, each func(scan func(...any) error) error, args ...any) error {
	for window := limit; limit > 0; window *= b.growth {
		side, end, err := t.accountWindow(b, in, userID, after, window)
		if err != nil {
			return err
		}
		err = t.rows(selection+side+` AND a.state = 'ACTIVE' ORDER BY a.id LIMIT CAST($5 AS BIGINT)`,
			append([]any{userID, in.IdentityStoreID, after, end, limit}, args...),
			func(scan func(...any) error) error {
				limit--
				return each(scan)
			})
		if err != nil || end == allAccounts {
			return err
		}
		after = end
	}
	return nil
}

// accountWindow chooses where the next window of accounts ends and from which
// side the user's are found in it.
func (t *Tx) accountWindow(b accessBounds, in instance.Instance, userID, after string, size int) (side, end string, err error) {
	many, err := t.assignedMoreThan(b.few, in, userID, after, allAccounts)
	if err != nil || !many {
		return fromUser, allAccounts, err
	}
	found, err := t.row(`SELECT id FROM account WHERE id > $1 ORDER BY id LIMIT 1 OFFSET CAST($2 AS BIGINT)`, []any{after, size - 1}, &end)
	if !found {
		end = allAccounts
	}
	if err == nil {
		many, err = t.assignedMoreThan(b.thin*size, in, userID, after, end)
	}
	if many {
		return fromAccounts, end, err
	}
	return fromUser, end, err
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
