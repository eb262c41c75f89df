package store

import (
	"time"

	portal "github.com/atrium-iam/atrium/internal/session"
)

var _ portal.Tx = (*Tx)(nil)

const portalSessionColumns = `id, store_id, user_id, created_at, expires_at, source_ip, user_agent, mfa_at, password_at, factor`

// PortalSession is part of session.Reader.
func (t *Tx) PortalSession(id string) (portal.Session, bool, error) {
	return t.portalSession(`id = $1`, id)
}

// PortalSessionByToken is part of session.Reader.
func (t *Tx) PortalSessionByToken(hash portal.TokenHash) (portal.Session, bool, error) {
	return t.portalSession(`token_hash = $1`, hash[:])
}

func (t *Tx) portalSession(where string, arg any) (portal.Session, bool, error) {
	list, err := t.portalSessions(where, arg)
	if err != nil || len(list) == 0 {
		return portal.Session{}, false, err
	}
	return list[0], true, nil
}

// PortalSessionsOfUser is part of session.Reader.
func (t *Tx) PortalSessionsOfUser(storeID, userID, after string, limit int) ([]portal.Session, error) {
	return t.portalSessions(`store_id = $1 AND user_id = $2 AND id > $3 ORDER BY id LIMIT CAST($4 AS BIGINT)`, storeID, userID, after, limit)
}

func (t *Tx) portalSessions(where string, args ...any) (list []portal.Session, err error) {
	err = t.rows(`SELECT `+portalSessionColumns+` FROM portal_sessions WHERE `+where, args, func(scan func(...any) error) error {
		var s portal.Session
		var created, expires, mfa, password int64
		err := scan(&s.ID, &s.StoreID, &s.UserID, &created, &expires, &s.Client.IP, &s.Client.UserAgent, &mfa, &password, &s.Factor)
		s.MFAAt, s.PasswordAt = millis(mfa), millis(password)
		s.CreatedAt, s.ExpiresAt = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC()
		list = append(list, s)
		return err
	})
	return list, err
}

// InsertPortalSession is part of session.Tx.
func (t *Tx) InsertPortalSession(s portal.Session, hash portal.TokenHash) error {
	_, err := t.exec(`INSERT INTO portal_sessions (id, token_hash, store_id, user_id, created_at, expires_at, source_ip, user_agent, mfa_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		s.ID, hash[:], s.StoreID, s.UserID, s.CreatedAt.UnixMilli(), s.ExpiresAt.UnixMilli(), s.Client.IP, s.Client.UserAgent, unixMillis(s.MFAAt))
	return err
}

// SetPortalSessionMFA is part of session.Tx.
func (t *Tx) SetPortalSessionMFA(id string, at time.Time) (bool, error) {
	n, err := t.exec(`UPDATE portal_sessions SET mfa_at = $2 WHERE id = $1`, id, unixMillis(at))
	return n == 1, err
}

// SetPortalSessionPassword is part of session.Tx.
func (t *Tx) SetPortalSessionPassword(id string, at time.Time) (bool, error) {
	n, err := t.exec(`UPDATE portal_sessions SET password_at = $2 WHERE id = $1`, id, unixMillis(at))
	return n == 1, err
}

// SetPortalSessionFactor is part of session.Tx.
func (t *Tx) SetPortalSessionFactor(id, factor string) error {
	_, err := t.exec(`UPDATE portal_sessions SET factor = $2 WHERE id = $1`, id, factor)
	return err
}

// ReplacePortalSessionToken is part of session.Tx.
func (t *Tx) ReplacePortalSessionToken(id string, old, renewed portal.TokenHash) (bool, error) {
	n, err := t.exec(`UPDATE portal_sessions SET token_hash = $3 WHERE id = $1 AND token_hash = $2`, id, old[:], renewed[:])
	return n == 1, err
}

// DeletePortalSession is part of session.Tx.
func (t *Tx) DeletePortalSession(id string) (bool, error) {
	n, err := t.exec(`DELETE FROM portal_sessions WHERE id = $1`, id)
	return n == 1, err
}

// DeletePortalSessionsOfUser is part of session.Tx.
func (t *Tx) DeletePortalSessionsOfUser(storeID, userID string) (int64, error) {
	return t.exec(`DELETE FROM portal_sessions WHERE store_id = $1 AND user_id = $2`, storeID, userID)
}

// DeleteOtherPortalSessions is part of session.Tx.
func (t *Tx) DeleteOtherPortalSessions(s portal.Session) (int64, error) {
	for _, table := range []string{"token_families", "authorization_codes", "device_authorizations"} {
		if _, err := t.exec(`DELETE FROM `+table+` WHERE session_id = $1`, s.ID); err != nil {
			return 0, err
		}
	}
	return t.exec(`DELETE FROM portal_sessions WHERE store_id = $1 AND user_id = $2 AND id <> $3`, s.StoreID, s.UserID, s.ID)
}

// DeleteExpiredPortalSessions deletes at most limit sessions that have
// expired, and returns how many.
func (t *Tx) DeleteExpiredPortalSessions(now time.Time, limit int) (int64, error) {
	return t.exec(`DELETE FROM portal_sessions WHERE id IN (
		SELECT id FROM portal_sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT CAST($2 AS BIGINT))`, now.UnixMilli(), limit)
}
