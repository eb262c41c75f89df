package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/atrium-iam/atrium/internal/instance"
)

var _ instance.Tx = (*Tx)(nil)

const instanceColumns = `id, identity_store_id, owner_account_id, organization_id, region, name, created_at, version`

// InstanceByID finds the instance id.
func (t *Tx) InstanceByID(id string) (instance.Instance, bool, error) {
	if t.err == nil && id != "" && id == t.known.ID {
		return t.known, true, nil
	}
	return t.instance(`id = $1`, id)
}

// InstanceByIdentityStore finds the instance whose directory is storeID.
func (t *Tx) InstanceByIdentityStore(storeID string) (instance.Instance, bool, error) {
	if t.err == nil && storeID != "" && storeID == t.known.IdentityStoreID {
		return t.known, true, nil
	}
	return t.instance(`identity_store_id = $1`, storeID)
}

// InstanceOfOrganization finds the instance of the organization.
func (t *Tx) InstanceOfOrganization(organizationID string) (instance.Instance, bool, error) {
	// Without the cast SQLite would compile this anew each time, to see whether
	// the index without '' serves the value.
	return t.instance(`organization_id = CAST($1 AS TEXT) AND organization_id <> ''`, organizationID)
}

// InstanceOfAccount finds the account instance that accountID owns.
func (t *Tx) InstanceOfAccount(accountID string) (instance.Instance, bool, error) {
	return t.instance(`owner_account_id = $1 AND organization_id = ''`, accountID)
}

func (t *Tx) instance(where string, args ...any) (i instance.Instance, found bool, err error) {
	var created int64
	found, err = t.row(`SELECT `+instanceColumns+` FROM instances WHERE `+where, args,
		&i.ID, &i.IdentityStoreID, &i.OwnerAccountID, &i.OrganizationID, &i.Region, &i.Name, &created, &i.Version)
	i.CreatedAt = time.UnixMilli(created).UTC()
	if found {
		t.known = i
	}
	return i, found, err
}

// InsertInstance stores a new instance.
func (t *Tx) InsertInstance(i instance.Instance) error {
	_, err := t.exec(`INSERT INTO instances (`+instanceColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		i.ID, i.IdentityStoreID, i.OwnerAccountID, i.OrganizationID, i.Region, i.Name, i.CreatedAt.UnixMilli(), i.Version)
	return err
}

// UpdateInstance stores the instance's name and version.
func (t *Tx) UpdateInstance(i instance.Instance) error {
	_, err := t.exec(`UPDATE instances SET name = $2, version = $3 WHERE id = $1`, i.ID, i.Name, i.Version)
	return err
}

// DeleteInstance deletes the instance with its permission sets, tags and
// requests, and its users and groups. It is a fault.Conflict while a permission
// set is provisioned.
func (t *Tx) DeleteInstance(i instance.Instance) error {
	if _, err := t.exec(`DELETE FROM instances WHERE id = $1`, i.ID); err != nil {
		return err
	}
	if _, err := t.exec(`DELETE FROM directory_groups WHERE store_id = $1`, i.IdentityStoreID); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM directory_users WHERE store_id = $1`, i.IdentityStoreID)
	return err
}

// AccessControlAttributes returns the attributes for access control, and
// whether they are enabled.
func (t *Tx) AccessControlAttributes(instanceID string) (attributes []instance.AccessControlAttribute, enabled bool, err error) {
	var text string
	enabled, err = t.row(`SELECT attributes FROM access_control_configurations WHERE instance_id = $1`, []any{instanceID}, &text)
	if err != nil || !enabled {
		return nil, false, err
	}
	if err := json.Unmarshal([]byte(text), &attributes); err != nil {
		return nil, false, fmt.Errorf("store: access control attributes of %s: %w", instanceID, err)
	}
	return attributes, true, nil
}

// PutAccessControlAttributes stores the attributes for access control, which
// enables them.
func (t *Tx) PutAccessControlAttributes(instanceID string, attributes []instance.AccessControlAttribute) error {
	text, err := json.Marshal(attributes)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO access_control_configurations (instance_id, attributes) VALUES ($1, $2)
		ON CONFLICT (instance_id) DO UPDATE SET attributes = excluded.attributes`, instanceID, string(text))
	return err
}

// DeleteAccessControlAttributes disables the attributes for access control.
func (t *Tx) DeleteAccessControlAttributes(instanceID string) error {
	_, err := t.exec(`DELETE FROM access_control_configurations WHERE instance_id = $1`, instanceID)
	return err
}

// ResourceTags returns the resource's tags from after a key.
func (t *Tx) ResourceTags(resourceARN, after string, limit int) (tags []instance.Tag, err error) {
	err = t.rows(`SELECT key, value FROM resource_tags WHERE resource_arn = $1 AND key > $2 ORDER BY key LIMIT CAST($3 AS BIGINT)`,
		[]any{resourceARN, after, limit}, func(scan func(...any) error) error {
			var tag instance.Tag
			err := scan(&tag.Key, &tag.Value)
			tags = append(tags, tag)
			return err
		})
	return tags, err
}

// CountResourceTags counts the resource's tags.
func (t *Tx) CountResourceTags(resourceARN string) (n int, err error) {
	_, err = t.row(`SELECT COUNT(*) FROM resource_tags WHERE resource_arn = $1`, []any{resourceARN}, &n)
	return n, err
}

// PutResourceTag stores a tag, in place of one with the same key.
func (t *Tx) PutResourceTag(instanceID, resourceARN string, tag instance.Tag) error {
	_, err := t.exec(`INSERT INTO resource_tags (resource_arn, key, value, instance_id) VALUES ($1, $2, $3, $4)
		ON CONFLICT (resource_arn, key) DO UPDATE SET value = excluded.value`, resourceARN, tag.Key, tag.Value, instanceID)
	return err
}

// DeleteResourceTag deletes the tag with the key, if there is one.
func (t *Tx) DeleteResourceTag(resourceARN, key string) error {
	_, err := t.exec(`DELETE FROM resource_tags WHERE resource_arn = $1 AND key = $2`, resourceARN, key)
	return err
}
