package app

import (
	"sync"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
)

// What a person's pages may ask for: a portal with a thousand accounts that is
// opened a few times in a row, but not a program that runs on a cookie.
const (
	portalBurst  = 200
	portalPeriod = 50 * time.Millisecond // between two requests, in the long run
	// portalPeople is how many people are told apart; the rest share one
	// allowance.
	portalPeople = 10_000
)

// pace slows down whoever asks for more than a burst at once and one request
// in a period after that. Each node counts for itself.
type pace[K comparable] struct {
	now    func() time.Time
	burst  int
	period time.Duration
	room   int // how many askers are told apart

	mu sync.Mutex
	// due is when an asker's next request would come if it kept to the period.
	due   map[K]time.Time
	swept time.Time // when askers were last forgotten for want of room
}

func newPace[K comparable](now func() time.Time, burst int, period time.Duration, room int) *pace[K] {
	return &pace[K]{now: now, burst: burst, period: period, room: room, due: make(map[K]time.Time)}
}

// take is a fault.Throttled when a request of who has to wait.
func (p *pace[K]) take(who K) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	who = p.known(who, now)
	due := p.due[who]
	if due.Before(now) {
		due = now
	}
	allowance := time.Duration(p.burst) * p.period
	if ahead := due.Sub(now); ahead > allowance {
		e := fault.New(fault.Throttled, "slow_down", "Too many requests. Wait a moment and try again.")
		e.RetryAfter = ahead - allowance
		return e
	}
	p.due[who] = due.Add(p.period)
	return nil
}

// known is under which asker a request counts: who or, where there is no room
// for another, the zero K, for all the rest.
func (p *pace[K]) known(who K, now time.Time) K {
	if _, known := p.due[who]; known || len(p.due) < p.room {
		return who
	}
	if now.Sub(p.swept) >= time.Second {
		p.swept = now
		for other, due := range p.due {
			if due.Before(now) {
				delete(p.due, other)
			}
		}
	}
	if len(p.due) < p.room {
		return who
	}
	var rest K
	return rest
}
