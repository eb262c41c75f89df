package store

import (
	"encoding/json"
	"fmt"

	"github.com/atrium-iam/atrium/internal/authsettings"
)

var _ authsettings.Tx = (*Tx)(nil)

// AuthSettings is part of authsettings.Reader.
func (t *Tx) AuthSettings(storeID string) (authsettings.Settings, bool, error) {
	var document string
	var version int64
	found, err := t.row(`SELECT document, version FROM auth_settings WHERE store_id = $1`, []any{storeID}, &document, &version)
	if err != nil || !found {
		return authsettings.Settings{}, false, err
	}
	s := authsettings.Default(storeID) // for what a later version of Atrium added
	if err := json.Unmarshal([]byte(document), &s); err != nil {
		return authsettings.Settings{}, false, fmt.Errorf("the settings of %s cannot be read: %w", storeID, err)
	}
	s.Version = version
	return s, true, nil
}

// PutAuthSettings is part of authsettings.Tx.
func (t *Tx) PutAuthSettings(s authsettings.Settings) (bool, error) {
	document, err := json.Marshal(s)
	if err != nil {
		return false, err
	}
	n, err := t.exec(`INSERT INTO auth_settings (store_id, document, version) VALUES ($1, $2, $3)
		ON CONFLICT (store_id) DO UPDATE SET document = EXCLUDED.document, version = EXCLUDED.version
		WHERE auth_settings.version = EXCLUDED.version - 1`, s.StoreID, string(document), s.Version)
	return n == 1, err
}
