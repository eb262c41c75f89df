// Package throttle slows down those who guess: each try counts against the
// account, the address and the network that it concerns, and after some free
// ones each has to wait longer than the one before.
//
// A try is counted before it is looked at, so that a thousand of them at once
// are not all let through; one that was right is given back.
package throttle

import (
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
)

// Limit says how tries of one kind are slowed down.
type Limit struct {
	// Scope names the kind: "password/account".
	Scope string
	// Free tries cost nothing. After the next one the wait is First, and then
	// twice as long each time, up to Most.
	Free        int64
	First, Most time.Duration
	// Forget is after how long without tries everything is forgotten. Longer
	// than Most.
	Forget time.Duration
}

// Subject is what a try counts against.
type Subject struct {
	Limit Limit
	Key   string // at most 128 bytes
}

// Count is what is known of a subject.
type Count struct {
	Tries        int64
	BlockedUntil time.Time
	ForgottenAt  time.Time
}

// Tx is what throttling needs of a transaction.
type Tx interface {
	// Throttle returns the count of a subject, the zero Count when there is
	// none.
	Throttle(scope, key string) (Count, error)
	PutThrottle(scope, key string, c Count) error
	DeleteThrottle(scope, key string) error
}

// Take counts a try against all subjects. It is a fault.Throttled, and counts
// nothing, while one of them has to wait; RetryAfter then says how long.
func Take(tx Tx, now time.Time, subjects ...Subject) error {
	counts := make([]Count, len(subjects))
	var wait time.Duration
	for i, s := range subjects {
		c, err := tx.Throttle(s.Limit.Scope, s.Key)
		if err != nil {
			return err
		}
		if !now.Before(c.ForgottenAt) {
			c = Count{}
		}
		wait = max(wait, c.BlockedUntil.Sub(now))
		counts[i] = c
	}
	if wait > 0 {
		e := fault.New(fault.Throttled, "tries", "Too many tries. Wait a moment and try again.")
		e.RetryAfter = wait
		return e
	}
	for i, s := range subjects {
		if err := tx.PutThrottle(s.Limit.Scope, s.Key, counts[i].next(now, s.Limit)); err != nil {
			return err
		}
	}
	return nil
}

// next is the count after one more try.
func (c Count) next(now time.Time, l Limit) Count {
	c.Tries++
	c.ForgottenAt = now.Add(l.Forget)
	c.BlockedUntil = now.Add(l.delay(c.Tries))
	return c
}

// delay is how long to wait after so many tries.
func (l Limit) delay(tries int64) time.Duration {
	over := tries - l.Free
	if over <= 0 {
		return 0
	}
	delay := l.First
	for range min(over-1, 32) {
		if delay *= 2; delay >= l.Most {
			return l.Most
		}
	}
	return min(delay, l.Most)
}

// GiveBack takes back one try that turned out right, and the wait that it
// would have cost.
func GiveBack(tx Tx, now time.Time, s Subject) error {
	c, err := tx.Throttle(s.Limit.Scope, s.Key)
	if err != nil || c.Tries == 0 {
		return err
	}
	c.Tries--
	c.BlockedUntil = now
	return tx.PutThrottle(s.Limit.Scope, s.Key, c)
}

// Clear forgets all tries against a subject.
func Clear(tx Tx, s Subject) error { return tx.DeleteThrottle(s.Limit.Scope, s.Key) }
