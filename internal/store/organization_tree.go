package store

import "github.com/atrium-iam/atrium/internal/organization"

const containerColumns = `organization_id, id, COALESCE(parent_id, ''), name, path, created_at`

func scanContainer(scan func(...any) error) (c organization.Container, err error) {
	var created int64
	err = scan(&c.OrganizationID, &c.ID, &c.ParentID, &c.Name, &c.Path, &created)
	c.Created = millis(created)
	return c, err
}

// ContainerByID is part of organization.TreeTx.
func (t *Tx) ContainerByID(orgID, id string) (c organization.Container, found bool, err error) {
	err = t.rows(`SELECT `+containerColumns+` FROM organization_container WHERE organization_id = $1 AND id = $2`,
		[]any{orgID, id}, func(scan func(...any) error) error {
			found = true
			c, err = scanContainer(scan)
			return err
		})
	return c, found && err == nil, err
}

// OrganizationalUnits is part of organization.TreeTx.
func (t *Tx) OrganizationalUnits(orgID, parentID, after string, limit int) (units []organization.Container, err error) {
	err = t.rows(`SELECT `+containerColumns+` FROM organization_container
		WHERE organization_id = $1 AND parent_id = $2 AND id > $3 ORDER BY id LIMIT CAST($4 AS BIGINT)`,
		[]any{orgID, parentID, after, limit}, func(scan func(...any) error) error {
			c, err := scanContainer(scan)
			units = append(units, c)
			return err
		})
	return units, err
}

// OrganizationalUnitNameTaken is part of organization.TreeTx.
func (t *Tx) OrganizationalUnitNameTaken(orgID, parentID, name string) (bool, error) {
	return t.exists(`SELECT 1 FROM organization_container WHERE organization_id = $1 AND parent_id = $2 AND name = $3`,
		orgID, parentID, name)
}

// CountOrganizationalUnits is part of organization.TreeTx.
func (t *Tx) CountOrganizationalUnits(orgID string) (n int, err error) {
	_, err = t.row(`SELECT COUNT(*) FROM organization_container WHERE organization_id = $1 AND parent_id IS NOT NULL`,
		[]any{orgID}, &n)
	return n, err
}

// InsertContainer is part of organization.TreeTx.
func (t *Tx) InsertContainer(c organization.Container) error {
	var parent any
	if !c.IsRoot() {
		parent = c.ParentID
	}
	_, err := t.exec(`INSERT INTO organization_container (organization_id, id, parent_id, name, path, created_at)
		VALUES ($1, $2, $3, $4, $5, $6)`, c.OrganizationID, c.ID, parent, c.Name, c.Path, unixMillis(c.Created))
	return err
}

// RenameOrganizationalUnit is part of organization.TreeTx.
func (t *Tx) RenameOrganizationalUnit(orgID, id, name string) error {
	_, err := t.exec(`UPDATE organization_container SET name = $3, version = version + 1
		WHERE organization_id = $1 AND id = $2`, orgID, id, name)
	return err
}

// DeleteOrganizationalUnit is part of organization.TreeTx.
func (t *Tx) DeleteOrganizationalUnit(orgID, id string) error {
	_, err := t.exec(`DELETE FROM organization_container WHERE organization_id = $1 AND id = $2`, orgID, id)
	return err
}

// OrganizationTags is part of organization.TagTx.
func (t *Tx) OrganizationTags(orgID, resourceID string) (tags []organization.Tag, err error) {
	err = t.rows(`SELECT key, value FROM organization_tag WHERE organization_id = $1 AND resource_id = $2 ORDER BY key`,
		[]any{orgID, resourceID}, func(scan func(...any) error) error {
			var tag organization.Tag
			err := scan(&tag.Key, &tag.Value)
			tags = append(tags, tag)
			return err
		})
	return tags, err
}

// PutOrganizationTag is part of organization.TagTx.
func (t *Tx) PutOrganizationTag(orgID, resourceID string, tag organization.Tag) error {
	_, err := t.exec(`INSERT INTO organization_tag (organization_id, resource_id, key, value) VALUES ($1, $2, $3, $4)
		ON CONFLICT (organization_id, resource_id, key) DO UPDATE SET value = excluded.value`,
		orgID, resourceID, tag.Key, tag.Value)
	return err
}

// DeleteOrganizationTag is part of organization.TagTx.
func (t *Tx) DeleteOrganizationTag(orgID, resourceID, key string) error {
	_, err := t.exec(`DELETE FROM organization_tag WHERE organization_id = $1 AND resource_id = $2 AND key = $3`,
		orgID, resourceID, key)
	return err
}

// DeleteOrganizationTags is part of organization.TagTx.
func (t *Tx) DeleteOrganizationTags(orgID, resourceID string) error {
	_, err := t.exec(`DELETE FROM organization_tag WHERE organization_id = $1 AND resource_id = $2`, orgID, resourceID)
	return err
}
