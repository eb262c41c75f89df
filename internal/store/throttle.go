package store

import (
	"time"

	"github.com/atrium-iam/atrium/internal/throttle"
)

var _ throttle.Tx = (*Tx)(nil)

// Throttle is part of throttle.Tx.
func (t *Tx) Throttle(scope, key string) (throttle.Tries, error) {
	var tries, blocked, forgotten int64
	found, err := t.row(`SELECT tries, blocked_until, forgotten_at FROM throttles WHERE scope = $1 AND subject = $2`,
		[]any{scope, key}, &tries, &blocked, &forgotten)
	if err != nil || !found {
		return throttle.Tries{}, err
	}
	return throttle.Tries{
		Count: tries, BlockedUntil: time.UnixMilli(blocked).UTC(), ForgottenAt: time.UnixMilli(forgotten).UTC(),
	}, nil
}

// PutThrottle is part of throttle.Tx.
func (t *Tx) PutThrottle(scope, key string, known throttle.Tries) error {
	_, err := t.exec(`INSERT INTO throttles (scope, subject, tries, blocked_until, forgotten_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (scope, subject) DO UPDATE SET tries = excluded.tries, blocked_until = excluded.blocked_until,
			forgotten_at = excluded.forgotten_at`,
		scope, key, known.Count, known.BlockedUntil.UnixMilli(), known.ForgottenAt.UnixMilli())
	return err
}

// DeleteThrottle is part of throttle.Tx.
func (t *Tx) DeleteThrottle(scope, key string) error {
	_, err := t.exec(`DELETE FROM throttles WHERE scope = $1 AND subject = $2`, scope, key)
	return err
}

// DeleteThrottlesBelow is part of throttle.Tx.
func (t *Tx) DeleteThrottlesBelow(scope, key string) error {
	// "!" comes after the space.
	_, err := t.exec(`DELETE FROM throttles WHERE scope = $1 AND (subject = $2 OR subject >= $3 AND subject < $4)`, scope, key, key+" ", key+"!")
	return err
}

// DeleteForgottenThrottles deletes at most limit counts that count no more,
// and returns how many.
func (t *Tx) DeleteForgottenThrottles(now time.Time, limit int) (int64, error) {
	return t.exec(`DELETE FROM throttles WHERE (scope, subject) IN (
		SELECT scope, subject FROM throttles WHERE forgotten_at <= $1 ORDER BY forgotten_at LIMIT CAST($2 AS BIGINT))`, now.UnixMilli(), limit)
}
