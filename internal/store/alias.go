package store

import "github.com/atrium-iam/atrium/internal/instance"

var _ instance.AliasTx = (*Tx)(nil)

// PortalAlias is part of instance.AliasReader.
func (t *Tx) PortalAlias(storeID string) (alias string, found bool, err error) {
	found, err = t.row(`SELECT alias FROM portal_aliases WHERE store_id = $1`, []any{storeID}, &alias)
	return alias, found, err
}

// InsertPortalAlias is part of instance.AliasTx.
func (t *Tx) InsertPortalAlias(storeID, alias string) (bool, error) {
	n, err := t.exec(`INSERT INTO portal_aliases (alias, store_id) VALUES ($1, $2) ON CONFLICT (alias) DO NOTHING`, alias, storeID)
	return n == 1, err
}

// InstanceByAlias is part of instance.PortalReader.
func (t *Tx) InstanceByAlias(alias string) (instance.Instance, bool, error) {
	return t.instance(`identity_store_id = (SELECT store_id FROM portal_aliases WHERE alias = $1)`, alias)
}
