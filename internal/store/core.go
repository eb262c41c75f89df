package store

import (
	"context"
	"errors"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
)

// Meta returns a fact about the database as a whole.
func (t *Tx) Meta(name string) (value string, found bool, err error) {
	found, err = t.row(`SELECT value FROM meta WHERE name = $1`, []any{name}, &value)
	return value, found, err
}

// SetMeta stores a fact about the database as a whole.
func (t *Tx) SetMeta(name, value string) error {
	_, err := t.exec(`INSERT INTO meta (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// BumpChange raises the change counter and returns its new value. It is called
// in the transaction that takes an access away. All such transactions wait for
// each other, so that the counter's values commit in order.
func (t *Tx) BumpChange() (int64, error) {
	if _, err := t.exec(`UPDATE change_counter SET value = value + 1 WHERE id = 1`); err != nil {
		return 0, err
	}
	value, err := t.Change()
	if err != nil {
		return 0, err
	}
	t.change = value
	return value, t.announce()
}

// Change returns the change counter.
func (t *Tx) Change() (value int64, err error) {
	found, err := t.row(`SELECT value FROM change_counter WHERE id = 1`, nil, &value)
	if err == nil && !found {
		err = errors.New("store: the change counter is missing")
	}
	return value, err
}

// Change returns the change counter: it is higher than before when an access
// has been taken away since.
func (s *Store) Change(ctx context.Context) (value int64, err error) {
	err = s.View(ctx, func(tx *Tx) error {
		value, err = tx.Change()
		return err
	})
	return value, err
}

// HeardChange returns the highest value of the change counter that this
// process knows to be committed, without asking the database: by its own
// changes and, while Listen runs, by those of other nodes.
func (s *Store) HeardChange() int64 { return s.heard.Load() }

// hear notes a committed value of the change counter.
func (s *Store) hear(value int64) {
	for {
		known := s.heard.Load()
		if value <= known || s.heard.CompareAndSwap(known, value) {
			return
		}
	}
}

// IdempotentResponse returns what SaveIdempotentResponse stored for this token,
// which is the caller's, of an operation and account, unless it has expired.
func (t *Tx) IdempotentResponse(account, operation, token string) (requestHash, response []byte, found bool, err error) {
	found, err = t.row(`SELECT request_hash, response FROM idempotency
		WHERE account_id = $1 AND operation = $2 AND token = $3 AND expires_at > $4`,
		[]any{account, operation, token, t.now.UnixMilli()}, &requestHash, &response)
	return requestHash, response, found, err
}

// SaveIdempotentResponse stores the response to a request until expires. It is
// a fault.Conflict when the token has a response that has not expired.
func (t *Tx) SaveIdempotentResponse(account, operation, token string, requestHash, response []byte, expires time.Time) error {
	n, err := t.exec(`INSERT INTO idempotency (account_id, operation, token, request_hash, response, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (account_id, operation, token) DO UPDATE SET request_hash = excluded.request_hash,
			response = excluded.response, created_at = excluded.created_at, expires_at = excluded.expires_at
		WHERE idempotency.expires_at <= excluded.created_at`,
		account, operation, token, requestHash, response, t.now.UnixMilli(), expires.UnixMilli())
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "idempotency_token", "The idempotency token has already been used.")
	}
	return err
}

// DeleteExpiredResponses deletes at most limit idempotent responses that have
// expired and returns how many.
func (t *Tx) DeleteExpiredResponses(limit int) (int64, error) {
	return t.exec(`DELETE FROM idempotency WHERE (account_id, operation, token) IN (
		SELECT account_id, operation, token FROM idempotency WHERE expires_at <= $1 ORDER BY expires_at LIMIT CAST($2 AS BIGINT))`,
		t.now.UnixMilli(), limit)
}
