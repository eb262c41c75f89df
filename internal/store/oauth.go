package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/oauth"
)

var (
	_ oauth.Tx              = (*Tx)(nil)
	_ instance.PortalReader = (*Tx)(nil)
)

// PortalInstance is part of instance.PortalReader.
func (t *Tx) PortalInstance() (instance.Instance, bool, error) {
	return t.instance(`TRUE ORDER BY (organization_id = ''), created_at, id LIMIT 1`)
}

// TokenFamily is part of oauth.FamilyReader.
func (t *Tx) TokenFamily(id string) (oauth.Family, bool, error) {
	list, err := t.tokenFamilies(`f.id = $1`, id)
	if err != nil || len(list) == 0 {
		return oauth.Family{}, false, err
	}
	return list[0], true, nil
}

// TokenFamiliesOfUser is part of oauth.FamilyReader.
func (t *Tx) TokenFamiliesOfUser(storeID, userID string, limit int) ([]oauth.Family, error) {
	return t.tokenFamilies(`f.store_id = $1 AND f.user_id = $2 ORDER BY f.created_at DESC, f.id LIMIT CAST($3 AS BIGINT)`, storeID, userID, limit)
}

func (t *Tx) tokenFamilies(where string, args ...any) (list []oauth.Family, err error) {
	err = t.rows(`SELECT f.id, f.client_id, f.client_name, f.session_id, f.store_id, f.user_id, f.scopes, f.created_at, f.expires_at,
			f.sequence, f.exchanges, i.id, i.owner_account_id, u.status, p.mfa_at
		FROM token_families f
		JOIN portal_sessions p ON p.id = f.session_id
		JOIN instances i ON i.identity_store_id = f.store_id
		JOIN directory_users u ON u.store_id = f.store_id AND u.user_id = f.user_id
		WHERE `+where, args, func(scan func(...any) error) error {
		var f oauth.Family
		var scopes, exchanges, status string
		var created, expires, mfa int64
		err := scan(&f.ID, &f.ClientID, &f.ClientName, &f.SessionID, &f.StoreID, &f.UserID, &scopes, &created, &expires,
			&f.Sequence, &exchanges, &f.InstanceID, &f.OwnerAccountID, &status, &mfa)
		if err != nil {
			return err
		}
		f.Scopes = strings.Fields(scopes)
		f.CreatedAt, f.ExpiresAt = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC()
		f.UserEnabled, f.MFAAt = status == "ENABLED", millis(mfa)
		f.Exchanges, err = decodeTimes(exchanges)
		list = append(list, f)
		return err
	})
	return list, err
}

// InsertTokenFamily is part of oauth.FamilyTx.
func (t *Tx) InsertTokenFamily(f oauth.Family) error {
	_, err := t.exec(`INSERT INTO token_families (id, client_id, client_name, session_id, store_id, user_id, scopes, created_at, expires_at, sequence, exchanges)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		f.ID, f.ClientID, f.ClientName, f.SessionID, f.StoreID, f.UserID, strings.Join(f.Scopes, " "),
		f.CreatedAt.UnixMilli(), f.ExpiresAt.UnixMilli(), f.Sequence, encodeTimes(f.Exchanges))
	return err
}

// UpdateTokenFamily is part of oauth.FamilyTx.
func (t *Tx) UpdateTokenFamily(f oauth.Family) error {
	_, err := t.exec(`UPDATE token_families SET sequence = $2, exchanges = $3 WHERE id = $1`, f.ID, f.Sequence, encodeTimes(f.Exchanges))
	return err
}

// DeleteTokenFamily is part of oauth.FamilyTx.
func (t *Tx) DeleteTokenFamily(id string) error {
	_, err := t.exec(`DELETE FROM token_families WHERE id = $1`, id)
	return err
}

// encodeTimes writes times as a JSON list of milliseconds.
func encodeTimes(times []time.Time) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, at := range times {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, at.UnixMilli())
	}
	b.WriteByte(']')
	return b.String()
}

func decodeTimes(text string) (times []time.Time, err error) {
	var millis []int64
	if err := json.Unmarshal([]byte(text), &millis); err != nil {
		return nil, fmt.Errorf("store: read a list of times: %w", err)
	}
	for _, ms := range millis {
		times = append(times, time.UnixMilli(ms).UTC())
	}
	return times, nil
}

const deviceColumns = `code_hash, user_code, client_id, client_name, scopes, store_id, source_ip, user_agent, created_at, expires_at,
	status, session_id, family_id, next_poll_at`

// DeviceByCode is part of oauth.DeviceTx.
func (t *Tx) DeviceByCode(hash oauth.Hash) (oauth.Device, bool, error) {
	return t.device(`code_hash = $1`, hash[:])
}

// DeviceByUserCode is part of oauth.DeviceTx.
func (t *Tx) DeviceByUserCode(userCode string) (oauth.Device, bool, error) {
	return t.device(`user_code = $1`, userCode)
}

func (t *Tx) device(where string, arg any) (d oauth.Device, found bool, err error) {
	var hash []byte
	var scopes string
	var session *string
	var created, expires, next int64
	found, err = t.row(`SELECT `+deviceColumns+` FROM device_authorizations WHERE `+where, []any{arg},
		&hash, &d.UserCode, &d.ClientID, &d.ClientName, &scopes, &d.StoreID, &d.Requester.IP, &d.Requester.UserAgent, &created, &expires,
		&d.Status, &session, &d.FamilyID, &next)
	if err != nil || !found {
		return oauth.Device{}, false, err
	}
	copy(d.Code[:], hash)
	d.Scopes = strings.Fields(scopes)
	d.CreatedAt, d.ExpiresAt, d.NextPoll = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC(), time.UnixMilli(next).UTC()
	if session != nil {
		d.SessionID = *session
	}
	return d, true, nil
}

// InsertDevice is part of oauth.DeviceTx.
func (t *Tx) InsertDevice(d oauth.Device) (bool, error) {
	n, err := t.exec(`INSERT INTO device_authorizations (`+deviceColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULLIF($12, ''), $13, $14) ON CONFLICT (user_code) DO NOTHING`,
		d.Code[:], d.UserCode, d.ClientID, d.ClientName, strings.Join(d.Scopes, " "), d.StoreID, d.Requester.IP, d.Requester.UserAgent,
		d.CreatedAt.UnixMilli(), d.ExpiresAt.UnixMilli(), string(d.Status), d.SessionID, d.FamilyID, d.NextPoll.UnixMilli())
	return n == 1, err
}

// UpdateDevice is part of oauth.DeviceTx.
func (t *Tx) UpdateDevice(d oauth.Device) error {
	_, err := t.exec(`UPDATE device_authorizations SET status = $2, session_id = NULLIF($3, ''), family_id = $4, next_poll_at = $5
		WHERE code_hash = $1`, d.Code[:], string(d.Status), d.SessionID, d.FamilyID, d.NextPoll.UnixMilli())
	return err
}

// DeleteExpiredDevices deletes at most limit device authorizations that
// expired before a time and were not redeemed, and returns how many.
func (t *Tx) DeleteExpiredDevices(before time.Time, limit int) (int64, error) {
	return t.exec(`DELETE FROM device_authorizations WHERE code_hash IN (
		SELECT code_hash FROM device_authorizations WHERE status <> 'REDEEMED' AND expires_at <= $1 ORDER BY expires_at LIMIT CAST($2 AS BIGINT))`,
		before.UnixMilli(), limit)
}

// AuthorizationCode is part of oauth.CodeTx.
func (t *Tx) AuthorizationCode(hash oauth.Hash) (c oauth.Code, found bool, err error) {
	var scopes string
	var created, expires int64
	found, err = t.row(`SELECT client_id, redirect_uri, challenge, scopes, session_id, created_at, expires_at, family_id
		FROM authorization_codes WHERE code_hash = $1`, []any{hash[:]},
		&c.ClientID, &c.RedirectURI, &c.Challenge, &scopes, &c.SessionID, &created, &expires, &c.FamilyID)
	c.Code, c.Scopes = hash, strings.Fields(scopes)
	c.CreatedAt, c.ExpiresAt = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC()
	return c, found, err
}

// InsertAuthorizationCode is part of oauth.CodeTx.
func (t *Tx) InsertAuthorizationCode(c oauth.Code) error {
	_, err := t.exec(`INSERT INTO authorization_codes (code_hash, client_id, redirect_uri, challenge, scopes, session_id, created_at, expires_at, family_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		c.Code[:], c.ClientID, c.RedirectURI, c.Challenge, strings.Join(c.Scopes, " "), c.SessionID,
		c.CreatedAt.UnixMilli(), c.ExpiresAt.UnixMilli(), c.FamilyID)
	return err
}

// RedeemAuthorizationCode is part of oauth.CodeTx.
func (t *Tx) RedeemAuthorizationCode(hash oauth.Hash, familyID string) error {
	_, err := t.exec(`UPDATE authorization_codes SET family_id = $2 WHERE code_hash = $1`, hash[:], familyID)
	return err
}

// DeleteExpiredAuthorizationCodes deletes at most limit authorization codes
// that have expired and were not redeemed, and returns how many.
func (t *Tx) DeleteExpiredAuthorizationCodes(now time.Time, limit int) (int64, error) {
	return t.exec(`DELETE FROM authorization_codes WHERE code_hash IN (
		SELECT code_hash FROM authorization_codes WHERE family_id = '' AND expires_at <= $1 ORDER BY expires_at LIMIT CAST($2 AS BIGINT))`,
		now.UnixMilli(), limit)
}
