package store

import (
	"time"

	"github.com/atrium-iam/atrium/internal/maillink"
)

var _ maillink.Tx = (*Tx)(nil)

const mailLinkColumns = `token_hash, purpose, store_id, user_id, email_key, about, password_version, created_at, expires_at, used_at`

// InsertMailLink is part of maillink.Tx.
func (t *Tx) InsertMailLink(l maillink.Link) error {
	_, err := t.exec(`INSERT INTO mail_links (`+mailLinkColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)`,
		l.Hash[:], string(l.Purpose), l.StoreID, l.UserID, l.EmailKey, l.About, l.PasswordVersion, l.CreatedAt.UnixMilli(), l.ExpiresAt.UnixMilli())
	return err
}

// MailLink is part of maillink.Tx.
func (t *Tx) MailLink(hash maillink.TokenHash) (maillink.Link, bool, error) {
	l := maillink.Link{Hash: hash}
	var purpose string
	var stored []byte
	var created, expires, used int64
	found, err := t.row(`SELECT `+mailLinkColumns+` FROM mail_links WHERE token_hash = $1`, []any{hash[:]},
		&stored, &purpose, &l.StoreID, &l.UserID, &l.EmailKey, &l.About, &l.PasswordVersion, &created, &expires, &used)
	l.Purpose = maillink.Purpose(purpose)
	l.CreatedAt, l.ExpiresAt = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC()
	if used != 0 {
		l.UsedAt = time.UnixMilli(used).UTC()
	}
	return l, found, err
}

// UseMailLink is part of maillink.Tx.
func (t *Tx) UseMailLink(hash maillink.TokenHash, at time.Time) (bool, error) {
	n, err := t.exec(`UPDATE mail_links SET used_at = $1 WHERE token_hash = $2 AND used_at = 0`, at.UnixMilli(), hash[:])
	return n == 1, err
}

// NoteMailLinkReplay is part of maillink.Tx.
func (t *Tx) NoteMailLinkReplay(hash maillink.TokenHash, at time.Time) (bool, error) {
	n, err := t.exec(`UPDATE mail_links SET replayed_at = $1 WHERE token_hash = $2 AND replayed_at = 0`, at.UnixMilli(), hash[:])
	return n == 1, err
}

// UseMailLinksOfUser is part of maillink.Tx.
func (t *Tx) UseMailLinksOfUser(storeID, userID string, p maillink.Purpose, at time.Time) error {
	_, err := t.exec(`UPDATE mail_links SET used_at = $1 WHERE store_id = $2 AND user_id = $3 AND purpose = $4 AND used_at = 0`,
		at.UnixMilli(), storeID, userID, string(p))
	return err
}

// DeleteMailLinksOfUser is part of maillink.Tx.
func (t *Tx) DeleteMailLinksOfUser(storeID, userID string) error {
	if _, err := t.exec(`DELETE FROM mail_codes WHERE store_id = $1 AND user_id = $2`, storeID, userID); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM mail_links WHERE store_id = $1 AND user_id = $2`, storeID, userID)
	return err
}

// DeleteExpiredMailLinks deletes at most limit links that have expired, and
// returns how many.
func (t *Tx) DeleteExpiredMailLinks(now time.Time, limit int) (int64, error) {
	return t.exec(`DELETE FROM mail_links WHERE token_hash IN (
		SELECT token_hash FROM mail_links WHERE expires_at <= $1 ORDER BY expires_at LIMIT CAST($2 AS BIGINT))`, now.UnixMilli(), limit)
}

// PutMailCode is part of maillink.Tx.
func (t *Tx) PutMailCode(c maillink.Code) error {
	_, err := t.exec(`INSERT INTO mail_codes (subject, store_id, user_id, email_key, tag, tries, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (subject) DO UPDATE SET store_id = excluded.store_id, user_id = excluded.user_id, email_key = excluded.email_key,
			tag = excluded.tag, tries = excluded.tries, expires_at = excluded.expires_at`,
		c.Subject, c.StoreID, c.UserID, c.EmailKey, c.Tag, c.Tries, c.ExpiresAt.UnixMilli())
	return err
}

// MailCode is part of maillink.Tx.
func (t *Tx) MailCode(subject string) (maillink.Code, bool, error) {
	c := maillink.Code{Subject: subject}
	var expires int64
	found, err := t.row(`SELECT store_id, user_id, email_key, tag, tries, expires_at FROM mail_codes WHERE subject = $1`,
		[]any{subject}, &c.StoreID, &c.UserID, &c.EmailKey, &c.Tag, &c.Tries, &expires)
	c.ExpiresAt = time.UnixMilli(expires).UTC()
	return c, found, err
}

// DeleteMailCode is part of maillink.Tx.
func (t *Tx) DeleteMailCode(subject string) error {
	_, err := t.exec(`DELETE FROM mail_codes WHERE subject = $1`, subject)
	return err
}

// DeleteExpiredMailCodes deletes at most limit codes that have expired, and
// returns how many.
func (t *Tx) DeleteExpiredMailCodes(now time.Time, limit int) (int64, error) {
	return t.exec(`DELETE FROM mail_codes WHERE subject IN (
		SELECT subject FROM mail_codes WHERE expires_at <= $1 ORDER BY expires_at LIMIT CAST($2 AS BIGINT))`, now.UnixMilli(), limit)
}

// VerifiedEmail is part of maillink.Tx.
func (t *Tx) VerifiedEmail(storeID, userID string) (emailKey string, found bool, err error) {
	found, err = t.row(`SELECT email_key FROM verified_emails WHERE store_id = $1 AND user_id = $2`, []any{storeID, userID}, &emailKey)
	return emailKey, found, err
}

// PutVerifiedEmail is part of maillink.Tx.
func (t *Tx) PutVerifiedEmail(storeID, userID, emailKey string, at time.Time) error {
	_, err := t.exec(`INSERT INTO verified_emails (store_id, user_id, email_key, verified_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (store_id, user_id) DO UPDATE SET email_key = excluded.email_key, verified_at = excluded.verified_at`,
		storeID, userID, emailKey, at.UnixMilli())
	return err
}
