package directory

import (
	"errors"
	"slices"

	"github.com/atrium-iam/atrium/internal/ident"
)

// Group is a set of users.
type Group struct {
	StoreID     string
	ID          string
	DisplayName string // 1-1,024 characters, unique in the store whatever its case
	Description string // at most 1,024 characters, may be empty
	ExternalIDs []ExternalID
	Record
}

// NameKey is the key under which the group's name is unique in the store.
func (g *Group) NameKey() string { return Key(g.DisplayName) }

// NewGroup is what a group is created from.
type NewGroup struct {
	DisplayName string
	Description string
	ExternalIDs []ExternalID // at most 10
}

// CreateGroup adds a group to a store. The display name is required and
// unique, whatever its case; external ids are unique per issuer.
func CreateGroup(tx GroupTx, ids ident.Source, by Stamp, storeID string, in NewGroup) (Group, error) {
	g := Group{
		StoreID: storeID, ID: newID(ids, storeID, by.At), DisplayName: in.DisplayName, Description: in.Description,
		ExternalIDs: slices.Clone(in.ExternalIDs), Record: by.created(),
	}
	if err := g.check(); err != nil {
		return Group{}, err
	}
	if err := checkExternalIDs(g.ExternalIDs); err != nil {
		return Group{}, err
	}
	inserted, err := tx.InsertDirectoryGroup(g)
	if err != nil {
		return Group{}, err
	}
	if !inserted {
		return Group{}, takenGroup(tx, g)
	}
	for _, id := range g.ExternalIDs {
		inserted, err := tx.InsertDirectoryGroupExternalID(storeID, g.ID, id)
		if err != nil {
			return Group{}, err
		}
		if !inserted {
			return Group{}, duplicate(resourceGroup, "Duplicate ExternalId")
		}
	}
	return g, nil
}

// check checks the attributes of g.
func (g *Group) check() error {
	if g.DisplayName == "" {
		return missing("displayname")
	}
	if _, err := groupSchema.acceptObject("", g.document()); err != nil {
		return err
	}
	return checkReserved(g.DisplayName)
}

// document is the attributes of g by name.
func (g *Group) document() map[string]any {
	d := map[string]any{"displayName": g.DisplayName}
	if g.Description != "" {
		d["description"] = g.Description
	}
	return d
}

// takenGroup says that the name of g belongs to another group. It is an
// internal error when it does not.
func takenGroup(tx GroupReader, g Group) error {
	id, found, err := tx.DirectoryGroupIDByName(g.StoreID, g.NameKey())
	switch {
	case err != nil:
		return err
	case found && id != g.ID:
		return duplicate(resourceGroup, "Duplicate GroupDisplayName")
	}
	return errors.New("directory: a group was refused, though its name is free")
}

// GroupByID returns a group, or a fault.NotFound.
func GroupByID(tx GroupReader, storeID, groupID string) (Group, error) {
	g, found, err := tx.DirectoryGroup(storeID, groupID)
	if err == nil && !found {
		err = notFound(resourceGroup, groupID)
	}
	return g, err
}

// GroupExists returns a fault.NotFound when the store has no such group.
func GroupExists(tx GroupReader, storeID, groupID string) error {
	found, err := tx.DirectoryGroupExists(storeID, groupID)
	if err == nil && !found {
		err = notFound(resourceGroup, groupID)
	}
	return err
}

// GroupIDByAttribute finds a group by its unique attribute, displayName. The
// case of the value does not matter.
func GroupIDByAttribute(tx GroupReader, storeID, path string, value any) (string, error) {
	_, key, err := uniqueValue(path, value, "displayName")
	if err != nil {
		return "", err
	}
	id, found, err := tx.DirectoryGroupIDByName(storeID, key)
	if err == nil && !found {
		err = notFound(resourceGroup, "")
	}
	return id, err
}

// GroupIDByExternalID finds a group by an identifier of an external provider.
func GroupIDByExternalID(tx GroupReader, storeID string, external ExternalID) (string, error) {
	id, found, err := tx.DirectoryGroupIDByExternalID(storeID, external)
	if err == nil && !found {
		err = notFound(resourceGroup, "")
	}
	return id, err
}

// ListGroups returns at most limit groups after the group id after, in the
// order of creation, and the id to go on after; "" when there are no more.
func ListGroups(tx GroupReader, storeID string, filter Filter, after string, limit int) ([]Group, string, error) {
	if filter == (Filter{}) {
		groups, err := tx.DirectoryGroups(storeID, after, limit+1)
		return page(groups, limit, func(g Group) string { return g.ID }, err)
	}
	key, err := filter.key("DisplayName")
	if err != nil {
		return nil, "", err
	}
	id, found, err := tx.DirectoryGroupIDByName(storeID, key)
	if err != nil || !found {
		return nil, "", err
	}
	g, found, err := tx.DirectoryGroup(storeID, id)
	if err != nil || !found {
		return nil, "", err
	}
	return []Group{g}, "", nil
}

// UpdateGroup applies operations to a group, in their order and all or none,
// and returns the group before and after.
func UpdateGroup(tx GroupTx, by Stamp, storeID, groupID string, operations []Operation) (before, after Group, err error) {
	if before, err = GroupByID(tx, storeID, groupID); err != nil {
		return before, after, err
	}
	document := before.document()
	if err = apply(&groupSchema, document, operations); err != nil {
		return before, after, err
	}
	after = before
	after.DisplayName, _ = document["displayName"].(string)
	after.Description, _ = document["description"].(string)
	if err = after.check(); err != nil {
		return before, after, err
	}
	if before.NameKey() != after.NameKey() {
		if _, taken, err := tx.DirectoryGroupIDByName(storeID, after.NameKey()); err != nil {
			return before, after, err
		} else if taken {
			return before, after, duplicate(resourceGroup, "Duplicate GroupDisplayName")
		}
	}
	after.touch(by)
	stored, err := tx.UpdateDirectoryGroup(after)
	if err == nil && !stored {
		err = concurrent(resourceGroup)
	}
	return before, after, err
}

// DeleteGroup deletes a group and its memberships, and returns both: the
// group and the ids of the users who were in it. Whatever sessions only the
// group allowed end.
func DeleteGroup(tx Tx, storeID, groupID string) (Group, []string, error) {
	g, err := GroupByID(tx, storeID, groupID)
	if err != nil {
		return Group{}, nil, err
	}
	members, err := tx.DirectoryUserIDsOfGroup(storeID, groupID)
	if err != nil {
		return Group{}, nil, err
	}
	if err := tx.RevokeGroup(storeID, groupID); err != nil {
		return Group{}, nil, err
	}
	if _, err := tx.DeleteDirectoryGroup(storeID, groupID); err != nil {
		return Group{}, nil, err
	}
	return g, members, nil
}
