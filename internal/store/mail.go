package store

import (
	"time"

	"github.com/atrium-iam/atrium/internal/mail"
)

var (
	_ mail.Tx      = (*Tx)(nil)
	_ mail.QueueTx = (*Tx)(nil)
)

const letterColumns = `id, kind, store_id, user_id, recipient, sealed, created_at, expires_at, due_at, tries, version`

// InsertLetter is part of mail.Tx.
func (t *Tx) InsertLetter(l mail.Stored) error {
	_, err := t.exec(`INSERT INTO mail_outbox (`+letterColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		l.ID, string(l.Kind), l.StoreID, l.UserID, l.To, l.Sealed, l.CreatedAt.UnixMilli(), l.ExpiresAt.UnixMilli(),
		l.DueAt.UnixMilli(), l.Tries, l.Version)
	return err
}

// DueLetters is part of mail.QueueTx.
func (t *Tx) DueLetters(now time.Time, limit int) (list []mail.Stored, err error) {
	err = t.rows(`SELECT `+letterColumns+` FROM mail_outbox WHERE due_at <= $1 ORDER BY due_at, id LIMIT CAST($2 AS BIGINT)`,
		[]any{now.UnixMilli(), limit}, func(scan func(...any) error) error {
			var l mail.Stored
			var created, expires, due int64
			err := scan(&l.ID, &l.Kind, &l.StoreID, &l.UserID, &l.To, &l.Sealed, &created, &expires, &due, &l.Tries, &l.Version)
			l.CreatedAt, l.ExpiresAt, l.DueAt = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC(), time.UnixMilli(due).UTC()
			list = append(list, l)
			return err
		})
	return list, err
}

// UpdateLetter is part of mail.QueueTx.
func (t *Tx) UpdateLetter(l mail.Stored) (bool, error) {
	n, err := t.exec(`UPDATE mail_outbox SET due_at = $1, tries = $2, version = $3 WHERE id = $4 AND version = $5`,
		l.DueAt.UnixMilli(), l.Tries, l.Version, l.ID, l.Version-1)
	return n == 1, err
}

// DeleteLetter is part of mail.QueueTx.
func (t *Tx) DeleteLetter(id string, version int64) (bool, error) {
	n, err := t.exec(`DELETE FROM mail_outbox WHERE id = $1 AND version = $2`, id, version)
	return n == 1, err
}
