package store

import (
	"fmt"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
)

const groupColumns = `store_id, group_id, display_name, description, external_ids, created_at, created_by, updated_at, updated_by, version`

// DirectoryGroup is part of directory.GroupReader.
func (t *Tx) DirectoryGroup(storeID, groupID string) (directory.Group, bool, error) {
	groups, err := t.directoryGroups(`SELECT `+groupColumns+` FROM directory_groups
		WHERE store_id = $1 AND group_id = $2`, storeID, groupID)
	if err != nil || len(groups) == 0 {
		return directory.Group{}, false, err
	}
	return groups[0], true, nil
}

// DirectoryGroupExists is part of directory.GroupReader.
func (t *Tx) DirectoryGroupExists(storeID, groupID string) (bool, error) {
	var one int
	return t.row(`SELECT 1 FROM directory_groups WHERE store_id = $1 AND group_id = $2`, []any{storeID, groupID}, &one)
}

// DirectoryGroupIDByName is part of directory.GroupReader.
func (t *Tx) DirectoryGroupIDByName(storeID, nameKey string) (id string, found bool, err error) {
	found, err = t.row(`SELECT group_id FROM directory_groups WHERE store_id = $1 AND display_name_key = $2`,
		[]any{storeID, nameKey}, &id)
	return id, found, err
}

// DirectoryGroupIDByExternalID is part of directory.GroupReader.
func (t *Tx) DirectoryGroupIDByExternalID(storeID string, external directory.ExternalID) (id string, found bool, err error) {
	found, err = t.row(`SELECT group_id FROM directory_group_external_ids
		WHERE store_id = $1 AND issuer = $2 AND external_id = $3`, []any{storeID, external.Issuer, external.ID}, &id)
	return id, found, err
}

// DirectoryGroups is part of directory.GroupReader.
func (t *Tx) DirectoryGroups(storeID, after string, limit int) ([]directory.Group, error) {
	return t.directoryGroups(`SELECT `+groupColumns+` FROM directory_groups
		WHERE store_id = $1 AND group_id > $2 ORDER BY group_id LIMIT CAST($3 AS BIGINT)`, storeID, after, limit)
}

func (t *Tx) directoryGroups(query string, args ...any) (groups []directory.Group, err error) {
	err = t.rows(query, args, func(scan func(...any) error) error {
		var g directory.Group
		var externalIDs string
		var created, updated int64
		if err := scan(&g.StoreID, &g.ID, &g.DisplayName, &g.Description, &externalIDs,
			&created, &g.CreatedBy, &updated, &g.UpdatedBy, &g.Version); err != nil {
			return err
		}
		g.CreatedAt, g.UpdatedAt = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC()
		if g.ExternalIDs, err = readExternalIDs(externalIDs); err != nil {
			return fmt.Errorf("store: external ids of group %s: %w", g.ID, err)
		}
		groups = append(groups, g)
		return nil
	})
	return groups, err
}

// InsertDirectoryGroup is part of directory.GroupTx.
func (t *Tx) InsertDirectoryGroup(g directory.Group) (bool, error) {
	n, err := t.exec(`INSERT INTO directory_groups (store_id, group_id, display_name, display_name_key, description, external_ids,
			created_at, created_by, updated_at, updated_by, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT DO NOTHING`,
		g.StoreID, g.ID, g.DisplayName, g.NameKey(), g.Description, writeExternalIDs(g.ExternalIDs),
		g.CreatedAt.UnixMilli(), g.CreatedBy, g.UpdatedAt.UnixMilli(), g.UpdatedBy, g.Version)
	return n == 1, err
}

// InsertDirectoryGroupExternalID is part of directory.GroupTx.
func (t *Tx) InsertDirectoryGroupExternalID(storeID, groupID string, id directory.ExternalID) (bool, error) {
	n, err := t.exec(`INSERT INTO directory_group_external_ids (store_id, issuer, external_id, group_id)
		VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, storeID, id.Issuer, id.ID, groupID)
	return n == 1, err
}

// UpdateDirectoryGroup is part of directory.GroupTx.
func (t *Tx) UpdateDirectoryGroup(g directory.Group) (bool, error) {
	n, err := t.exec(`UPDATE directory_groups SET display_name = $1, display_name_key = $2, description = $3,
			updated_at = $4, updated_by = $5, version = $6
		WHERE store_id = $7 AND group_id = $8 AND version = $9`,
		g.DisplayName, g.NameKey(), g.Description,
		g.UpdatedAt.UnixMilli(), g.UpdatedBy, g.Version, g.StoreID, g.ID, g.Version-1)
	return n == 1, err
}

// DeleteDirectoryGroup is part of directory.GroupTx.
func (t *Tx) DeleteDirectoryGroup(storeID, groupID string) (bool, error) {
	n, err := t.exec(`DELETE FROM directory_groups WHERE store_id = $1 AND group_id = $2`, storeID, groupID)
	return n == 1, err
}
