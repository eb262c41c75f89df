// Package throttle slows down those who guess: each try counts against the
// account, the address and the network that it concerns, and after some free
// ones each has to wait longer than the one before.
//
// A try at one account is counted before it is looked at, so that a thousand
// of them at once are not all let through; one that was right is given back.
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

// Tries is what is known of a subject.
type Tries struct {
	Count        int64
	BlockedUntil time.Time
	ForgottenAt  time.Time
}

// Tx is what throttling needs of a transaction.
type Tx interface {
	// Throttle returns what is known of a subject, the zero Tries when nothing
	// is.
	Throttle(scope, key string) (Tries, error)
	PutThrottle(scope, key string, t Tries) error
	DeleteThrottle(scope, key string) error
	// DeleteThrottlesBelow deletes what is known of a key and of those that go on
	// after it with a space.
	DeleteThrottlesBelow(scope, key string) error
}

// Take counts a try against all subjects, which are distinct, before it is
// looked at. It is a fault.Throttled, and counts nothing, while one of them has
// to wait; RetryAfter then says how long.
func Take(tx Tx, now time.Time, subjects ...Subject) error {
	tries, err := read(tx, subjects)
	if err != nil {
		return err
	}
	if err := admit(now, tries); err != nil {
		return err
	}
	return count(tx, now, subjects, tries)
}

// Check is Take without counting: for subjects that many share, whose row
// would be a bottleneck if every try changed it. Count then counts those that
// were wrong.
func Check(tx Tx, now time.Time, subjects ...Subject) error {
	tries, err := read(tx, subjects)
	if err != nil {
		return err
	}
	return admit(now, tries)
}

// Count counts a try against all subjects, which are distinct.
func Count(tx Tx, now time.Time, subjects ...Subject) error {
	tries, err := read(tx, subjects)
	if err != nil {
		return err
	}
	return count(tx, now, subjects, tries)
}

// read returns what is known of each subject.
func read(tx Tx, subjects []Subject) ([]Tries, error) {
	all := make([]Tries, len(subjects))
	for i, s := range subjects {
		t, err := tx.Throttle(s.Limit.Scope, s.Key)
		if err != nil {
			return nil, err
		}
		all[i] = t
	}
	return all, nil
}

func admit(now time.Time, all []Tries) error {
	var wait time.Duration
	for _, t := range all {
		wait = max(wait, t.BlockedUntil.Sub(now))
	}
	if wait <= 0 {
		return nil
	}
	e := fault.New(fault.Throttled, "tries", "Too many tries. Wait a moment and try again.")
	e.RetryAfter = wait
	return e
}

// count counts a try against subjects of which tries are known.
func count(tx Tx, now time.Time, subjects []Subject, tries []Tries) error {
	for i, s := range subjects {
		t := tries[i]
		if !now.Before(t.ForgottenAt) {
			t = Tries{}
		}
		if err := tx.PutThrottle(s.Limit.Scope, s.Key, t.next(now, s.Limit)); err != nil {
			return err
		}
	}
	return nil
}

// next is what is known after one more try.
func (t Tries) next(now time.Time, l Limit) Tries {
	t.Count++
	t.ForgottenAt = now.Add(l.Forget)
	t.BlockedUntil = now.Add(l.delay(t.Count))
	return t
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
	t, err := tx.Throttle(s.Limit.Scope, s.Key)
	if err != nil || t.Count == 0 {
		return err
	}
	t.Count--
	t.BlockedUntil = now
	return tx.PutThrottle(s.Limit.Scope, s.Key, t)
}

// Clear forgets all tries against a subject.
func Clear(tx Tx, s Subject) error { return tx.DeleteThrottle(s.Limit.Scope, s.Key) }

// ClearAll is Clear also for the subjects whose key goes on after that of s with
// a space: parts of it, such as one network each.
func ClearAll(tx Tx, s Subject) error { return tx.DeleteThrottlesBelow(s.Limit.Scope, s.Key) }
