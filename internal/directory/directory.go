// Package directory is the identity store: the people, the groups and the
// memberships of an IAM Identity Center instance, with AWS's rules for their
// attributes, their uniqueness and their changes.
//
// Functions take the small Tx interfaces declared here and return what they
// changed; they have no other effect. Every identifier is scoped by the
// identity store it belongs to. Whether that store exists is the caller's to
// know: a function asked about an unknown store finds it empty.
//
// Attributes are described once, in schema.go. The same table checks a new
// user, resolves the attribute paths of an update and reads documents.
package directory

import (
	"time"
)

// Stamp says who makes a change and when. It becomes CreatedBy and CreatedAt,
// or UpdatedBy and UpdatedAt.
type Stamp struct {
	At time.Time // UTC, whole milliseconds
	By string    // ARN of the caller
}

// Record is what every stored thing carries about its own history.
type Record struct {
	CreatedAt time.Time
	CreatedBy string
	UpdatedAt time.Time
	UpdatedBy string
	Version   int64 // 1 when created, one more with every change
}

func (s Stamp) created() Record {
	return Record{CreatedAt: s.At, CreatedBy: s.By, UpdatedAt: s.At, UpdatedBy: s.By, Version: 1}
}

func (r *Record) touch(s Stamp) {
	r.UpdatedAt, r.UpdatedBy, r.Version = s.At, s.By, r.Version+1
}

// ExternalID is an identifier that an external identity provider gave to a
// user or group. It is unique per issuer among users, and among groups; case
// matters.
type ExternalID struct {
	Issuer string `json:"issuer"` // 1-256 characters
	ID     string `json:"id"`     // 1-256 characters
}

// Filter restricts a listing to the one item whose attribute has a value.
// The zero Filter restricts nothing. AWS deprecates filters in favour of
// GetUserId and GetGroupId.
type Filter struct {
	Path  string // UserName for users, DisplayName for groups; case does not matter
	Value string
}

// Tx is everything the directory asks of a transaction.
type Tx interface {
	UserTx
	GroupTx
	MembershipTx
}

// UserReader reads users. Keys are those of Key; a missing user is not an
// error.
type UserReader interface {
	DirectoryUser(storeID, userID string) (User, bool, error)
	// DirectoryUserExists is DirectoryUser without reading the user.
	DirectoryUserExists(storeID, userID string) (bool, error)
	DirectoryUserIDByName(storeID, nameKey string) (string, bool, error)
	DirectoryUserIDByEmail(storeID, emailKey string) (string, bool, error)
	DirectoryUserIDByExternalID(storeID string, id ExternalID) (string, bool, error)
	// DirectoryUsers returns at most limit users whose ids follow after, in
	// the order of their ids.
	DirectoryUsers(storeID, after string, limit int) ([]User, error)
}

// UserTx reads and writes users.
type UserTx interface {
	UserReader
	// InsertDirectoryUser reports false, and stores nothing, when the user's
	// name or e-mail address is taken.
	InsertDirectoryUser(User) (bool, error)
	// InsertDirectoryUserExternalID reports false when the id is taken.
	InsertDirectoryUserExternalID(storeID, userID string, id ExternalID) (bool, error)
	// UpdateDirectoryUser stores u over the version before u.Version and
	// reports false when that is not what is stored.
	UpdateDirectoryUser(u User) (bool, error)
	// DeleteDirectoryUser deletes a user with memberships and external ids,
	// and reports whether there was one.
	DeleteDirectoryUser(storeID, userID string) (bool, error)
	// RevokeUser ends the sessions in accounts that a user has opened.
	RevokeUser(userID string) error
	// DeletePortalSessionsOfUser ends the user's sessions at the access portal,
	// with all logins, and returns how many there were.
	DeletePortalSessionsOfUser(storeID, userID string) (int64, error)
}

// GroupReader reads groups.
type GroupReader interface {
	DirectoryGroup(storeID, groupID string) (Group, bool, error)
	// DirectoryGroupExists is DirectoryGroup without reading the group.
	DirectoryGroupExists(storeID, groupID string) (bool, error)
	DirectoryGroupIDByName(storeID, nameKey string) (string, bool, error)
	DirectoryGroupIDByExternalID(storeID string, id ExternalID) (string, bool, error)
	// DirectoryGroups returns at most limit groups whose ids follow after, in
	// the order of their ids.
	DirectoryGroups(storeID, after string, limit int) ([]Group, error)
}

// GroupTx reads and writes groups, with the same contract as UserTx.
type GroupTx interface {
	GroupReader
	InsertDirectoryGroup(Group) (bool, error)
	InsertDirectoryGroupExternalID(storeID, groupID string, id ExternalID) (bool, error)
	UpdateDirectoryGroup(g Group) (bool, error)
	DeleteDirectoryGroup(storeID, groupID string) (bool, error)
	// RevokeGroup ends the sessions of those who lose access with a group,
	// which is still there: not of those who have another way to it.
	RevokeGroup(storeID, groupID string) error
}

// MembershipReader reads memberships.
type MembershipReader interface {
	DirectoryMembership(storeID, membershipID string) (Membership, bool, error)
	DirectoryMembershipOf(storeID, groupID, userID string) (Membership, bool, error)
	// DirectoryMemberships returns at most limit memberships of a group whose
	// users follow afterUser, in the order of the users' ids.
	DirectoryMemberships(storeID, groupID, afterUser string, limit int) ([]Membership, error)
	// DirectoryMembershipsOfUser returns at most limit memberships of a user
	// whose groups follow afterGroup, in the order of the groups' ids.
	DirectoryMembershipsOfUser(storeID, userID, afterGroup string, limit int) ([]Membership, error)
	// DirectoryGroupsAmong returns those of groupIDs that the user is in.
	DirectoryGroupsAmong(storeID, userID string, groupIDs []string) ([]string, error)
	// DirectoryGroupIDsOfUser returns the ids of all groups the user is in.
	DirectoryGroupIDsOfUser(storeID, userID string) ([]string, error)
	// DirectoryUserIDsOfGroup returns the ids of all members of the group.
	DirectoryUserIDsOfGroup(storeID, groupID string) ([]string, error)
}

// MembershipTx reads and writes memberships.
type MembershipTx interface {
	MembershipReader
	// InsertDirectoryMembership reports false when the user is in the group
	// already.
	InsertDirectoryMembership(Membership) (bool, error)
	DeleteDirectoryMembership(storeID, membershipID string) (bool, error)
	// RevokeMembership ends the sessions that a user loses by leaving a
	// group, whose member the user still is.
	RevokeMembership(storeID, groupID, userID string) error
}
