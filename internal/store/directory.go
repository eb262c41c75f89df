package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
)

var _ directory.Tx = (*Tx)(nil)

const userColumns = `user_id, status, attributes, external_ids, created_at, created_by, updated_at, updated_by, version`

// DirectoryUser is part of directory.UserReader.
func (t *Tx) DirectoryUser(storeID, userID string) (directory.User, bool, error) {
	users, err := t.directoryUsers(1, `SELECT `+userColumns+` FROM directory_users
		WHERE store_id = $1 AND user_id = $2`, storeID, userID)
	if err != nil || len(users) == 0 {
		return directory.User{}, false, err
	}
	return users[0], true, nil
}

// DirectoryUserExists is part of directory.UserReader.
func (t *Tx) DirectoryUserExists(storeID, userID string) (bool, error) {
	var one int
	return t.row(`SELECT 1 FROM directory_users WHERE store_id = $1 AND user_id = $2`, []any{storeID, userID}, &one)
}

// DirectoryUserIDByName is part of directory.UserReader.
func (t *Tx) DirectoryUserIDByName(storeID, nameKey string) (id string, found bool, err error) {
	found, err = t.row(`SELECT user_id FROM directory_users WHERE store_id = $1 AND user_name_key = $2`,
		[]any{storeID, nameKey}, &id)
	return id, found, err
}

// DirectoryUserIDByEmail is part of directory.UserReader.
func (t *Tx) DirectoryUserIDByEmail(storeID, emailKey string) (id string, found bool, err error) {
	// The last condition lets the planner use the partial index.
	found, err = t.row(`SELECT user_id FROM directory_users WHERE store_id = $1 AND email_key = $2 AND email_key <> ''`,
		[]any{storeID, emailKey}, &id)
	return id, found, err
}

// DirectoryUserIDByExternalID is part of directory.UserReader.
func (t *Tx) DirectoryUserIDByExternalID(storeID string, external directory.ExternalID) (id string, found bool, err error) {
	found, err = t.row(`SELECT user_id FROM directory_user_external_ids
		WHERE store_id = $1 AND issuer = $2 AND external_id = $3`, []any{storeID, external.Issuer, external.ID}, &id)
	return id, found, err
}

// DirectoryUsers is part of directory.UserReader.
func (t *Tx) DirectoryUsers(storeID, after string, limit int) ([]directory.User, error) {
	return t.directoryUsers(limit, `SELECT `+userColumns+` FROM directory_users
		WHERE store_id = $1 AND user_id > $2 ORDER BY user_id LIMIT CAST($3 AS BIGINT)`, storeID, after, limit)
}

// directoryUsers reads users of the store that is the query's first argument;
// there are at most limit.
func (t *Tx) directoryUsers(limit int, query string, storeID string, args ...any) (users []directory.User, err error) {
	// Lists are long: the variables that a row is read into serve for all.
	var id, status, attributes, externalIDs, createdBy, updatedBy string
	var created, updated, version int64
	columns := []any{&id, &status, &attributes, &externalIDs, &created, &createdBy, &updated, &updatedBy, &version}
	err = t.rows(query, append([]any{storeID}, args...), func(scan func(...any) error) error {
		if err := scan(columns...); err != nil {
			return err
		}
		if users == nil {
			users = make([]directory.User, 0, min(limit, 128))
		}
		users = append(users, directory.User{
			StoreID: storeID, ID: id, Status: directory.Status(status), Record: directory.Record{
				CreatedAt: time.UnixMilli(created).UTC(), CreatedBy: createdBy,
				UpdatedAt: time.UnixMilli(updated).UTC(), UpdatedBy: updatedBy, Version: version,
			},
		})
		u := &users[len(users)-1]
		if err := readAttributes(attributes, &u.Attributes); err != nil {
			return fmt.Errorf("store: attributes of user %s: %w", u.ID, err)
		}
		if u.ExternalIDs, err = readExternalIDs(externalIDs); err != nil {
			return fmt.Errorf("store: external ids of user %s: %w", u.ID, err)
		}
		return nil
	})
	return users, err
}

// InsertDirectoryUser is part of directory.UserTx.
func (t *Tx) InsertDirectoryUser(u directory.User) (bool, error) {
	attributes, err := json.Marshal(u.Attributes)
	if err != nil {
		return false, fmt.Errorf("store: attributes of user %s: %w", u.ID, err)
	}
	n, err := t.exec(`INSERT INTO directory_users (store_id, user_id, user_name_key, email_key, status, attributes, external_ids,
			created_at, created_by, updated_at, updated_by, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT DO NOTHING`,
		u.StoreID, u.ID, u.NameKey(), u.EmailKey(), string(u.Status), string(attributes), writeExternalIDs(u.ExternalIDs),
		u.CreatedAt.UnixMilli(), u.CreatedBy, u.UpdatedAt.UnixMilli(), u.UpdatedBy, u.Version)
	return n == 1, err
}

// InsertDirectoryUserExternalID is part of directory.UserTx.
func (t *Tx) InsertDirectoryUserExternalID(storeID, userID string, id directory.ExternalID) (bool, error) {
	n, err := t.exec(`INSERT INTO directory_user_external_ids (store_id, issuer, external_id, user_id)
		VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, storeID, id.Issuer, id.ID, userID)
	return n == 1, err
}

// UpdateDirectoryUser is part of directory.UserTx.
func (t *Tx) UpdateDirectoryUser(u directory.User) (bool, error) {
	attributes, err := json.Marshal(u.Attributes)
	if err != nil {
		return false, fmt.Errorf("store: attributes of user %s: %w", u.ID, err)
	}
	n, err := t.exec(`UPDATE directory_users SET user_name_key = $1, email_key = $2, status = $3, attributes = $4,
			updated_at = $5, updated_by = $6, version = $7
		WHERE store_id = $8 AND user_id = $9 AND version = $10`,
		u.NameKey(), u.EmailKey(), string(u.Status), string(attributes),
		u.UpdatedAt.UnixMilli(), u.UpdatedBy, u.Version, u.StoreID, u.ID, u.Version-1)
	return n == 1, err
}

// DeleteDirectoryUser is part of directory.UserTx.
func (t *Tx) DeleteDirectoryUser(storeID, userID string) (bool, error) {
	n, err := t.exec(`DELETE FROM directory_users WHERE store_id = $1 AND user_id = $2`, storeID, userID)
	return n == 1, err
}

func readExternalIDs(document string) (ids []directory.ExternalID, err error) {
	if document == "[]" {
		return nil, nil
	}
	return ids, json.Unmarshal([]byte(document), &ids)
}

func writeExternalIDs(ids []directory.ExternalID) string {
	if len(ids) == 0 {
		return "[]"
	}
	document, _ := json.Marshal(ids) // strings only: it cannot fail
	return string(document)
}
