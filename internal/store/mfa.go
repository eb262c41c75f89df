package store

import (
	"time"

	"github.com/atrium-iam/atrium/internal/mfa"
)

var _ mfa.ResetTx = (*Tx)(nil)

// MfaDevices is part of mfa.Reader.
func (t *Tx) MfaDevices(storeID, userID string) (list []mfa.Record, err error) {
	err = t.rows(`SELECT id, name, type, handle, secret, last_step, suspect, created_at, last_used_at, version
		FROM mfa_devices WHERE store_id = $1 AND user_id = $2 ORDER BY created_at, id`, []any{storeID, userID},
		func(scan func(...any) error) error {
			var r mfa.Record
			var created, used int64
			err := scan(&r.ID, &r.Name, &r.Type, &r.Handle, &r.Secret, &r.LastStep, &r.Suspect, &created, &used, &r.Version)
			r.StoreID, r.UserID = storeID, userID
			r.CreatedAt, r.LastUsedAt = millis(created), millis(used)
			list = append(list, r)
			return err
		})
	return list, err
}

// InsertMfaDevice is part of mfa.Tx.
func (t *Tx) InsertMfaDevice(r mfa.Record) error {
	_, err := t.exec(`INSERT INTO mfa_devices
		(store_id, user_id, id, name, type, handle, secret, last_step, suspect, created_at, last_used_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		r.StoreID, r.UserID, r.ID, r.Name, string(r.Type), r.Handle, r.Secret, r.LastStep, r.Suspect,
		unixMillis(r.CreatedAt), unixMillis(r.LastUsedAt), r.Version)
	return err
}

// UpdateMfaDevice is part of mfa.Tx.
func (t *Tx) UpdateMfaDevice(r mfa.Record) (bool, error) {
	n, err := t.exec(`UPDATE mfa_devices SET name = $1, secret = $2, last_step = $3, suspect = $4, last_used_at = $5, version = $6
		WHERE store_id = $7 AND user_id = $8 AND id = $9 AND version = $10`,
		r.Name, r.Secret, r.LastStep, r.Suspect, unixMillis(r.LastUsedAt), r.Version, r.StoreID, r.UserID, r.ID, r.Version-1)
	return n == 1, err
}

// DeleteMfaDevice is part of mfa.Tx.
func (t *Tx) DeleteMfaDevice(storeID, userID, id string) (bool, error) {
	n, err := t.exec(`DELETE FROM mfa_devices WHERE store_id = $1 AND user_id = $2 AND id = $3`, storeID, userID, id)
	return n == 1, err
}

// HoldDirectoryUser is part of mfa.Tx.
func (t *Tx) HoldDirectoryUser(storeID, userID string) (bool, error) {
	// A change of the row, though to nothing else, collides with every other.
	n, err := t.exec(`UPDATE directory_users SET version = version WHERE store_id = $1 AND user_id = $2`, storeID, userID)
	return n == 1, err
}

// MfaChallenge is part of mfa.ChallengeTx.
func (t *Tx) MfaChallenge(holder string, p mfa.Purpose) (mfa.Challenge, bool, error) {
	c := mfa.Challenge{Holder: holder, Purpose: p}
	var expires int64
	found, err := t.row(`SELECT user_id, data, expires_at FROM mfa_challenges WHERE holder = $1 AND purpose = $2`,
		[]any{holder, string(p)}, &c.UserID, &c.Data, &expires)
	c.ExpiresAt = millis(expires)
	return c, found, err
}

// PutMfaChallenge is part of mfa.ChallengeTx.
func (t *Tx) PutMfaChallenge(c mfa.Challenge) error {
	_, err := t.exec(`INSERT INTO mfa_challenges (holder, purpose, user_id, data, expires_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (holder, purpose) DO UPDATE SET user_id = excluded.user_id, data = excluded.data, expires_at = excluded.expires_at`,
		c.Holder, string(c.Purpose), c.UserID, c.Data, unixMillis(c.ExpiresAt))
	return err
}

// DeleteMfaChallenge is part of mfa.ChallengeTx.
func (t *Tx) DeleteMfaChallenge(holder string, p mfa.Purpose) (bool, error) {
	n, err := t.exec(`DELETE FROM mfa_challenges WHERE holder = $1 AND purpose = $2`, holder, string(p))
	return n == 1, err
}

// DeleteExpiredMfaChallenges deletes at most limit challenges that can be
// answered no more, and returns how many.
func (t *Tx) DeleteExpiredMfaChallenges(now time.Time, limit int) (int64, error) {
	return t.exec(`DELETE FROM mfa_challenges WHERE (holder, purpose) IN (
		SELECT holder, purpose FROM mfa_challenges WHERE expires_at <= $1 ORDER BY expires_at LIMIT CAST($2 AS BIGINT))`, now.UnixMilli(), limit)
}

// TrustedBrowsers is part of mfa.BrowserTx.
func (t *Tx) TrustedBrowsers(storeID, userID string) (list []mfa.Browser, err error) {
	err = t.rows(`SELECT id, family, network, created_at, expires_at FROM trusted_browsers
		WHERE store_id = $1 AND user_id = $2 ORDER BY created_at, id`, []any{storeID, userID},
		func(scan func(...any) error) error {
			b := mfa.Browser{StoreID: storeID, UserID: userID}
			var created, expires int64
			err := scan(&b.ID, &b.Family, &b.Network, &created, &expires)
			b.CreatedAt, b.ExpiresAt = millis(created), millis(expires)
			list = append(list, b)
			return err
		})
	return list, err
}

// InsertTrustedBrowser is part of mfa.BrowserTx.
func (t *Tx) InsertTrustedBrowser(b mfa.Browser) error {
	_, err := t.exec(`INSERT INTO trusted_browsers (store_id, user_id, id, family, network, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		b.StoreID, b.UserID, b.ID, b.Family, b.Network, unixMillis(b.CreatedAt), unixMillis(b.ExpiresAt))
	return err
}

// DeleteTrustedBrowser is part of mfa.BrowserTx.
func (t *Tx) DeleteTrustedBrowser(storeID, userID, id string) (bool, error) {
	n, err := t.exec(`DELETE FROM trusted_browsers WHERE store_id = $1 AND user_id = $2 AND id = $3`, storeID, userID, id)
	return n == 1, err
}

// DeleteTrustedBrowsers is part of mfa.BrowserTx.
func (t *Tx) DeleteTrustedBrowsers(storeID, userID string) (int64, error) {
	return t.exec(`DELETE FROM trusted_browsers WHERE store_id = $1 AND user_id = $2`, storeID, userID)
}

// DeleteExpiredTrustedBrowsers deletes at most limit browsers that are trusted
// no more, and returns how many.
func (t *Tx) DeleteExpiredTrustedBrowsers(now time.Time, limit int) (int64, error) {
	return t.exec(`DELETE FROM trusted_browsers WHERE (store_id, user_id, id) IN (
		SELECT store_id, user_id, id FROM trusted_browsers WHERE expires_at <= $1 ORDER BY expires_at LIMIT CAST($2 AS BIGINT))`, now.UnixMilli(), limit)
}

// DeleteFactors deletes everything that belongs to the second factors of a
// person.
func (t *Tx) DeleteFactors(storeID, userID string) error {
	for _, table := range []string{"mfa_devices", "trusted_browsers"} {
		if _, err := t.exec(`DELETE FROM `+table+` WHERE store_id = $1 AND user_id = $2`, storeID, userID); err != nil {
			return err
		}
	}
	_, err := t.exec(`DELETE FROM mfa_challenges WHERE user_id = $1`, userID)
	return err
}
