package store

import (
	"time"

	"github.com/atrium-iam/atrium/internal/signin"
)

var _ signin.Tx = (*Tx)(nil)

const signinAttemptColumns = `id, browser_hash, store_id, destination, user_name, user_id,
	password_verified_at, password_version, password_expired, created_at, expires_at, version,
	step, factor_verified_at, factor, trust, enroll, link_hash`

// SigninAttempt is part of signin.AttemptTx.
func (t *Tx) SigninAttempt(id string) (signin.Attempt, bool, error) {
	var a signin.Attempt
	var browser []byte
	var verified, created, expires, factorVerified int64
	found, err := t.row(`SELECT `+signinAttemptColumns+` FROM signin_attempts WHERE id = $1`, []any{id},
		&a.ID, &browser, &a.StoreID, &a.Destination, &a.UserName, &a.UserID,
		&verified, &a.PasswordVersion, &a.PasswordExpired, &created, &expires, &a.Version,
		&a.Step, &factorVerified, &a.Factor, &a.Trust, &a.Enroll, &a.Link)
	a.FactorVerifiedAt = millis(factorVerified)
	copy(a.Browser[:], browser)
	if verified != 0 {
		a.PasswordVerifiedAt = time.UnixMilli(verified).UTC()
	}
	a.CreatedAt, a.ExpiresAt = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC()
	return a, found, err
}

// InsertSigninAttempt is part of signin.AttemptTx.
func (t *Tx) InsertSigninAttempt(a signin.Attempt) error {
	_, err := t.exec(`INSERT INTO signin_attempts (`+signinAttemptColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		a.ID, a.Browser[:], a.StoreID, a.Destination, a.UserName, a.UserID,
		verifiedAt(a), a.PasswordVersion, a.PasswordExpired, a.CreatedAt.UnixMilli(), a.ExpiresAt.UnixMilli(), a.Version,
		int64(a.Step), unixMillis(a.FactorVerifiedAt), a.Factor, a.Trust, a.Enroll, a.Link)
	return err
}

// UpdateSigninAttempt is part of signin.AttemptTx.
func (t *Tx) UpdateSigninAttempt(a signin.Attempt) (bool, error) {
	n, err := t.exec(`UPDATE signin_attempts SET user_id = $1, password_verified_at = $2, password_version = $3,
			password_expired = $4, version = $5, step = $6, factor_verified_at = $7, factor = $8, trust = $9, enroll = $10
		WHERE id = $11 AND version = $12`,
		a.UserID, verifiedAt(a), a.PasswordVersion, a.PasswordExpired, a.Version,
		int64(a.Step), unixMillis(a.FactorVerifiedAt), a.Factor, a.Trust, a.Enroll, a.ID, a.Version-1)
	return n == 1, err
}

// verifiedAt is when an attempt's password was given, in milliseconds; 0 for
// not yet.
func verifiedAt(a signin.Attempt) int64 {
	if a.PasswordVerifiedAt.IsZero() {
		return 0
	}
	return a.PasswordVerifiedAt.UnixMilli()
}

// DeleteSigninAttempt is part of signin.AttemptTx.
func (t *Tx) DeleteSigninAttempt(id string) error {
	_, err := t.exec(`DELETE FROM signin_attempts WHERE id = $1`, id)
	return err
}

// DeleteExpiredSigninAttempts deletes at most limit attempts that can go on no
// more, and returns how many.
func (t *Tx) DeleteExpiredSigninAttempts(now time.Time, limit int) (int64, error) {
	return t.exec(`DELETE FROM signin_attempts WHERE id IN (
		SELECT id FROM signin_attempts WHERE expires_at <= $1 ORDER BY expires_at LIMIT CAST($2 AS BIGINT))`, now.UnixMilli(), limit)
}
