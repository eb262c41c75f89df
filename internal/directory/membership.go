package directory

import (
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
)

// Membership says that a user is in a group.
type Membership struct {
	StoreID string
	ID      string
	GroupID string
	UserID  string
	Record
}

// CreateMembership puts a user into a group. Group and user must exist and
// the user must not be in the group yet.
func CreateMembership(tx Tx, ids ident.Source, by Stamp, storeID, groupID, userID string) (Membership, error) {
	if err := GroupExists(tx, storeID, groupID); err != nil {
		return Membership{}, err
	}
	if err := UserExists(tx, storeID, userID); err != nil {
		return Membership{}, err
	}
	m := Membership{StoreID: storeID, ID: newID(ids, storeID, by.At), GroupID: groupID, UserID: userID, Record: by.created()}
	inserted, err := tx.InsertDirectoryMembership(m)
	if err == nil && !inserted {
		err = duplicate(resourceMembership, "Member and Group relationship already exists")
	}
	if err != nil {
		return Membership{}, err
	}
	return m, nil
}

// MembershipByID returns a membership, or a fault.NotFound.
func MembershipByID(tx MembershipReader, storeID, membershipID string) (Membership, error) {
	m, found, err := tx.DirectoryMembership(storeID, membershipID)
	if err == nil && !found {
		err = notFound(resourceMembership, membershipID)
	}
	return m, err
}

// MembershipOf returns the membership of a user in a group. The fault.NotFound
// says whether the group, the user or only the membership is missing.
func MembershipOf(tx Tx, storeID, groupID, userID string) (Membership, error) {
	m, found, err := tx.DirectoryMembershipOf(storeID, groupID, userID)
	if err != nil || found {
		return m, err
	}
	if err := GroupExists(tx, storeID, groupID); err != nil {
		return m, err
	}
	if err := UserExists(tx, storeID, userID); err != nil {
		return m, err
	}
	return m, notFound(resourceMembership, "")
}

// ListMemberships returns at most limit memberships of a group after the user
// id after, and the user id to go on after; "" when there are no more.
func ListMemberships(tx Tx, storeID, groupID, after string, limit int) ([]Membership, string, error) {
	found, err := tx.DirectoryMemberships(storeID, groupID, after, limit+1)
	if err == nil && len(found) == 0 {
		err = GroupExists(tx, storeID, groupID)
	}
	return page(found, limit, func(m Membership) string { return m.UserID }, err)
}

// ListMembershipsOfUser returns at most limit memberships of a user after the
// group id after, and the group id to go on after; "" when there are no more.
func ListMembershipsOfUser(tx Tx, storeID, userID, after string, limit int) ([]Membership, string, error) {
	found, err := tx.DirectoryMembershipsOfUser(storeID, userID, after, limit+1)
	if err == nil && len(found) == 0 {
		err = UserExists(tx, storeID, userID)
	}
	return page(found, limit, func(m Membership) string { return m.GroupID }, err)
}

// IsMemberInGroups reports for each of groupIDs (at most 100) whether the
// user is in it. A group that does not exist has no members.
func IsMemberInGroups(tx Tx, storeID, userID string, groupIDs []string) ([]bool, error) {
	among, err := tx.DirectoryGroupsAmong(storeID, userID, groupIDs)
	if err != nil {
		return nil, err
	}
	if len(among) == 0 {
		if err := UserExists(tx, storeID, userID); err != nil {
			return nil, err
		}
	}
	in := make(map[string]bool, len(among))
	for _, id := range among {
		in[id] = true
	}
	results := make([]bool, len(groupIDs))
	for i, id := range groupIDs {
		results[i] = in[id]
	}
	return results, nil
}

// GroupsOfUser returns the ids of all groups that a user is in; none when
// there is no such user.
func GroupsOfUser(tx MembershipReader, storeID, userID string) ([]string, error) {
	return tx.DirectoryGroupIDsOfUser(storeID, userID)
}

// UsersOfGroup returns the ids of all members of a group; none when there is
// no such group.
func UsersOfGroup(tx MembershipReader, storeID, groupID string) ([]string, error) {
	return tx.DirectoryUserIDsOfGroup(storeID, groupID)
}

// DeleteMembership takes a user out of a group and returns the membership
// that was. Whatever sessions only the membership allowed end.
func DeleteMembership(tx MembershipTx, storeID, membershipID string) (Membership, error) {
	m, err := MembershipByID(tx, storeID, membershipID)
	if err != nil {
		return Membership{}, err
	}
	if err := tx.RevokeMembership(storeID, m.GroupID, m.UserID); err != nil {
		return Membership{}, err
	}
	deleted, err := tx.DeleteDirectoryMembership(storeID, membershipID)
	if err == nil && !deleted {
		err = fault.New(fault.Internal, "", "directory: a membership vanished while it was deleted")
	}
	return m, err
}
