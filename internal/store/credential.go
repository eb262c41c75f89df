package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/atrium-iam/atrium/internal/credential"
)

var _ credential.Tx = (*Tx)(nil)

// PasswordOf is part of credential.Reader.
func (t *Tx) PasswordOf(storeID, userID string) (credential.Password, bool, error) {
	p := credential.Password{StoreID: storeID, UserID: userID}
	var earlier []byte
	var changed int64
	found, err := t.row(`SELECT hash, earlier, one_time, barred, changed_at, version FROM passwords
		WHERE store_id = $1 AND user_id = $2`, []any{storeID, userID}, &p.Hash, &earlier, &p.OneTime, &p.Barred, &changed, &p.Version)
	if err != nil || !found {
		return credential.Password{}, false, err
	}
	p.ChangedAt = time.UnixMilli(changed).UTC()
	if err := json.Unmarshal(earlier, &p.Earlier); err != nil {
		return p, false, fmt.Errorf("store: earlier passwords of user %s: %w", userID, err)
	}
	return p, true, nil
}

// InsertPassword is part of credential.Tx.
func (t *Tx) InsertPassword(p credential.Password) error {
	earlier, err := json.Marshal(p.Earlier)
	if err != nil {
		return fmt.Errorf("store: earlier passwords of user %s: %w", p.UserID, err)
	}
	_, err = t.exec(`INSERT INTO passwords (store_id, user_id, hash, earlier, one_time, barred, changed_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.StoreID, p.UserID, p.Hash, string(earlier), p.OneTime, p.Barred, p.ChangedAt.UnixMilli(), p.Version)
	return err
}

// UpdatePassword is part of credential.Tx.
func (t *Tx) UpdatePassword(p credential.Password) (bool, error) {
	earlier, err := json.Marshal(p.Earlier)
	if err != nil {
		return false, fmt.Errorf("store: earlier passwords of user %s: %w", p.UserID, err)
	}
	n, err := t.exec(`UPDATE passwords SET hash = $1, earlier = $2, one_time = $3, barred = $4, changed_at = $5, version = $6
		WHERE store_id = $7 AND user_id = $8 AND version = $9`,
		p.Hash, string(earlier), p.OneTime, p.Barred, p.ChangedAt.UnixMilli(), p.Version, p.StoreID, p.UserID, p.Version-1)
	return n == 1, err
}

// HoldPassword is part of credential.Tx.
func (t *Tx) HoldPassword(storeID, userID string, version int64) (bool, error) {
	// A change of the row, though to nothing else, collides with every other.
	n, err := t.exec(`UPDATE passwords SET version = version WHERE store_id = $1 AND user_id = $2 AND version = $3`,
		storeID, userID, version)
	return n == 1, err
}
