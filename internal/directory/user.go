package directory

import (
	"errors"
	"slices"

	"github.com/atrium-iam/atrium/internal/ident"
)

// Status says whether a user may sign in.
type Status string

// The statuses of a user.
const (
	Enabled  Status = "ENABLED"
	Disabled Status = "DISABLED"
)

// User is a person in an identity store.
type User struct {
	StoreID string
	ID      string
	Attributes
	ExternalIDs []ExternalID
	Status      Status
	Record
}

// NameKey is the key under which the user's name is unique in the store.
func (u *User) NameKey() string { return Key(u.UserName) }

// EmailKey is the key under which the user's e-mail address is unique in the
// store; "" when the user has none.
func (u *User) EmailKey() string { return Key(u.Email()) }

// NewUser is what a user is created from.
type NewUser struct {
	Attributes
	ExternalIDs []ExternalID // at most 10
}

// CreateUser adds a user to a store. userName, displayName, name.givenName
// and name.familyName are required. The user name and the e-mail address are
// unique in the store, whatever their case, and external ids per issuer.
func CreateUser(tx UserTx, ids ident.Source, by Stamp, storeID string, in NewUser) (User, error) {
	if err := in.Attributes.check(); err != nil {
		return User{}, err
	}
	if err := checkExternalIDs(in.ExternalIDs); err != nil {
		return User{}, err
	}
	u := User{
		StoreID: storeID, ID: newID(ids, storeID, by.At), Attributes: in.Attributes,
		ExternalIDs: slices.Clone(in.ExternalIDs), Status: Enabled, Record: by.created(),
	}
	inserted, err := tx.InsertDirectoryUser(u)
	if err != nil {
		return User{}, err
	}
	if !inserted {
		return User{}, takenUser(tx, u)
	}
	for _, id := range u.ExternalIDs {
		inserted, err := tx.InsertDirectoryUserExternalID(storeID, u.ID, id)
		if err != nil {
			return User{}, err
		}
		if !inserted {
			return User{}, duplicate(resourceUser, "Duplicate ExternalId")
		}
	}
	return u, nil
}

// takenUser says which unique attribute of u belongs to another user. It is
// an internal error when none does.
func takenUser(tx UserReader, u User) error {
	id, found, err := tx.DirectoryUserIDByName(u.StoreID, u.NameKey())
	if err != nil {
		return err
	}
	if found && id != u.ID {
		return duplicate(resourceUser, "Duplicate UserName")
	}
	if u.Email() != "" {
		id, found, err = tx.DirectoryUserIDByEmail(u.StoreID, u.EmailKey())
		if err != nil {
			return err
		}
		if found && id != u.ID {
			return duplicate(resourceUser, "Duplicate Email")
		}
	}
	return errors.New("directory: a user was refused, though no unique attribute is taken")
}

// UserByID returns a user, or a fault.NotFound.
func UserByID(tx UserReader, storeID, userID string) (User, error) {
	u, found, err := tx.DirectoryUser(storeID, userID)
	if err == nil && !found {
		err = notFound(resourceUser, userID)
	}
	return u, err
}

// UserExists returns a fault.NotFound when the store has no such user.
func UserExists(tx UserReader, storeID, userID string) error {
	found, err := tx.DirectoryUserExists(storeID, userID)
	if err == nil && !found {
		err = notFound(resourceUser, userID)
	}
	return err
}

// UserIDByAttribute finds a user by a unique attribute: userName or
// emails.value. The case of the value does not matter.
func UserIDByAttribute(tx UserReader, storeID, path string, value any) (string, error) {
	attribute, key, err := uniqueValue(path, value, "userName", "emails.value")
	if err != nil {
		return "", err
	}
	find := tx.DirectoryUserIDByName
	if attribute != "userName" {
		find = tx.DirectoryUserIDByEmail
	}
	id, found, err := find(storeID, key)
	if err == nil && !found {
		err = notFound(resourceUser, "")
	}
	return id, err
}

// UserIDByExternalID finds a user by an identifier of an external provider.
func UserIDByExternalID(tx UserReader, storeID string, external ExternalID) (string, error) {
	id, found, err := tx.DirectoryUserIDByExternalID(storeID, external)
	if err == nil && !found {
		err = notFound(resourceUser, "")
	}
	return id, err
}

// ListUsers returns at most limit users after the user id after, in the order
// of creation, and the id to go on after; "" when there are no more.
func ListUsers(tx UserReader, storeID string, filter Filter, after string, limit int) ([]User, string, error) {
	if filter == (Filter{}) {
		users, err := tx.DirectoryUsers(storeID, after, limit+1)
		return page(users, limit, func(u User) string { return u.ID }, err)
	}
	key, err := filter.key("UserName")
	if err != nil {
		return nil, "", err
	}
	id, found, err := tx.DirectoryUserIDByName(storeID, key)
	if err != nil || !found {
		return nil, "", err
	}
	u, found, err := tx.DirectoryUser(storeID, id)
	if err != nil || !found {
		return nil, "", err
	}
	return []User{u}, "", nil
}

// UpdateUser applies operations to a user, in their order and all or none,
// and returns the user before and after.
func UpdateUser(tx UserTx, by Stamp, storeID, userID string, operations []Operation) (before, after User, err error) {
	if before, err = UserByID(tx, storeID, userID); err != nil {
		return before, after, err
	}
	after = before
	if after.Attributes, err = before.Attributes.with(operations); err != nil {
		return before, after, err
	}
	if err = claimUser(tx, before, after); err != nil {
		return before, after, err
	}
	after, err = storeUser(tx, by, after)
	return before, after, err
}

// claimUser checks that the unique attributes that after has and before had
// not are free.
func claimUser(tx UserReader, before, after User) error {
	free := func(find func(storeID, key string) (string, bool, error), key, message string) error {
		id, found, err := find(after.StoreID, key)
		if err == nil && found && id != after.ID {
			err = duplicate(resourceUser, "%s", message)
		}
		return err
	}
	if before.NameKey() != after.NameKey() {
		if err := free(tx.DirectoryUserIDByName, after.NameKey(), "Duplicate UserName"); err != nil {
			return err
		}
	}
	if key := after.EmailKey(); key != "" && key != before.EmailKey() {
		return free(tx.DirectoryUserIDByEmail, key, "Duplicate Email")
	}
	return nil
}

func storeUser(tx UserTx, by Stamp, u User) (User, error) {
	u.touch(by)
	stored, err := tx.UpdateDirectoryUser(u)
	if err == nil && !stored {
		err = concurrent(resourceUser)
	}
	return u, err
}

// EnableUser lets a user sign in again. changed is false when the user was
// enabled.
func EnableUser(tx UserTx, by Stamp, storeID, userID string) (u User, changed bool, err error) {
	if u, changed, err = setStatus(tx, by, storeID, userID, Enabled); changed {
		// A sign-in that ran beside DisableUser may have left a session.
		_, err = tx.DeletePortalSessionsOfUser(storeID, userID)
	}
	return u, changed, err
}

// DisableUser keeps a user from signing in and ends what the user is signed in
// to: the access portal, the logins there and the sessions in accounts. Nothing
// of it comes back when the user is enabled again. changed is false when the
// user was disabled.
func DisableUser(tx UserTx, by Stamp, storeID, userID string) (u User, changed bool, err error) {
	u, changed, err = setStatus(tx, by, storeID, userID, Disabled)
	if !changed {
		return u, changed, err
	}
	if err := tx.RevokeUser(userID); err != nil {
		return u, changed, err
	}
	_, err = tx.DeletePortalSessionsOfUser(storeID, userID)
	return u, changed, err
}

func setStatus(tx UserTx, by Stamp, storeID, userID string, status Status) (User, bool, error) {
	u, err := UserByID(tx, storeID, userID)
	if err != nil || u.Status == status {
		return u, false, err
	}
	u.Status = status
	u, err = storeUser(tx, by, u)
	return u, err == nil, err
}

// DeleteUser deletes a user and the user's memberships, and returns both: the
// user and the ids of the groups the user was in. The user's sessions end.
func DeleteUser(tx Tx, storeID, userID string) (User, []string, error) {
	u, err := UserByID(tx, storeID, userID)
	if err != nil {
		return User{}, nil, err
	}
	groups, err := tx.DirectoryGroupIDsOfUser(storeID, userID)
	if err != nil {
		return User{}, nil, err
	}
	if err := tx.RevokeUser(userID); err != nil {
		return User{}, nil, err
	}
	if _, err := tx.DeleteDirectoryUser(storeID, userID); err != nil {
		return User{}, nil, err
	}
	return u, groups, nil
}
