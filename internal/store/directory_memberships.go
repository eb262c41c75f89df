package store

import (
	"strconv"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
)

const membershipColumns = `store_id, membership_id, group_id, user_id, created_at, created_by`

// DirectoryMembership is part of directory.MembershipReader.
func (t *Tx) DirectoryMembership(storeID, membershipID string) (directory.Membership, bool, error) {
	return t.directoryMembership(`SELECT `+membershipColumns+` FROM directory_memberships
		WHERE store_id = $1 AND membership_id = $2`, storeID, membershipID)
}

// DirectoryMembershipOf is part of directory.MembershipReader.
func (t *Tx) DirectoryMembershipOf(storeID, groupID, userID string) (directory.Membership, bool, error) {
	return t.directoryMembership(`SELECT `+membershipColumns+` FROM directory_memberships
		WHERE store_id = $1 AND group_id = $2 AND user_id = $3`, storeID, groupID, userID)
}

// DirectoryMemberships is part of directory.MembershipReader.
func (t *Tx) DirectoryMemberships(storeID, groupID, afterUser string, limit int) ([]directory.Membership, error) {
	return t.directoryMemberships(`SELECT `+membershipColumns+` FROM directory_memberships
		WHERE store_id = $1 AND group_id = $2 AND user_id > $3 ORDER BY user_id LIMIT CAST($4 AS BIGINT)`, storeID, groupID, afterUser, limit)
}

// DirectoryMembershipsOfUser is part of directory.MembershipReader.
func (t *Tx) DirectoryMembershipsOfUser(storeID, userID, afterGroup string, limit int) ([]directory.Membership, error) {
	return t.directoryMemberships(`SELECT `+membershipColumns+` FROM directory_memberships
		WHERE store_id = $1 AND user_id = $2 AND group_id > $3 ORDER BY group_id LIMIT CAST($4 AS BIGINT)`, storeID, userID, afterGroup, limit)
}

func (t *Tx) directoryMembership(query string, args ...any) (directory.Membership, bool, error) {
	memberships, err := t.directoryMemberships(query, args...)
	if err != nil || len(memberships) == 0 {
		return directory.Membership{}, false, err
	}
	return memberships[0], true, nil
}

// directoryMemberships reads memberships. Nothing ever changes one, so that
// its update is its creation.
func (t *Tx) directoryMemberships(query string, args ...any) (memberships []directory.Membership, err error) {
	err = t.rows(query, args, func(scan func(...any) error) error {
		var m directory.Membership
		var created int64
		if err := scan(&m.StoreID, &m.ID, &m.GroupID, &m.UserID, &created, &m.CreatedBy); err != nil {
			return err
		}
		m.CreatedAt = time.UnixMilli(created).UTC()
		m.UpdatedAt, m.UpdatedBy, m.Version = m.CreatedAt, m.CreatedBy, 1
		memberships = append(memberships, m)
		return nil
	})
	return memberships, err
}

// DirectoryGroupsAmong is part of directory.MembershipReader.
func (t *Tx) DirectoryGroupsAmong(storeID, userID string, groupIDs []string) ([]string, error) {
	if len(groupIDs) == 0 {
		return nil, nil
	}
	// The list is padded to a power of two, so that there are few queries to
	// prepare.
	size := 1
	for size < len(groupIDs) {
		size *= 2
	}
	args := []any{storeID, userID}
	var marks strings.Builder
	for i := range size {
		args = append(args, groupIDs[min(i, len(groupIDs)-1)])
		if i > 0 {
			marks.WriteString(", ")
		}
		marks.WriteString("$" + strconv.Itoa(len(args)))
	}
	return t.strings(`SELECT group_id FROM directory_memberships
		WHERE store_id = $1 AND user_id = $2 AND group_id IN (`+marks.String()+`)`, args...)
}

// DirectoryGroupIDsOfUser is part of directory.MembershipReader.
func (t *Tx) DirectoryGroupIDsOfUser(storeID, userID string) ([]string, error) {
	return t.strings(`SELECT group_id FROM directory_memberships WHERE store_id = $1 AND user_id = $2 ORDER BY group_id`,
		storeID, userID)
}

// DirectoryUserIDsOfGroup is part of directory.MembershipReader.
func (t *Tx) DirectoryUserIDsOfGroup(storeID, groupID string) ([]string, error) {
	return t.strings(`SELECT user_id FROM directory_memberships WHERE store_id = $1 AND group_id = $2 ORDER BY user_id`,
		storeID, groupID)
}

// InsertDirectoryMembership is part of directory.MembershipTx.
func (t *Tx) InsertDirectoryMembership(m directory.Membership) (bool, error) {
	n, err := t.exec(`INSERT INTO directory_memberships (store_id, group_id, user_id, membership_id, created_at, created_by)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		m.StoreID, m.GroupID, m.UserID, m.ID, m.CreatedAt.UnixMilli(), m.CreatedBy)
	return n == 1, err
}

// DeleteDirectoryMembership is part of directory.MembershipTx.
func (t *Tx) DeleteDirectoryMembership(storeID, membershipID string) (bool, error) {
	n, err := t.exec(`DELETE FROM directory_memberships WHERE store_id = $1 AND membership_id = $2`, storeID, membershipID)
	return n == 1, err
}
