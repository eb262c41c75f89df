package app

import (
	"net/netip"
	"sync"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
)

// What one network may ask for without proving anything, where each request
// leaves a row behind: bursts of a whole office that logs in, but not more
// than a database takes for ever.
const (
	admissionBurst  = 300
	admissionPeriod = 50 * time.Millisecond // between two requests, in the long run
	// admissionNetworks is how many networks are told apart; the rest share
	// one allowance.
	admissionNetworks = 10_000
)

// admission slows down networks that begin logins, or register clients, faster
// than people can log in. Each node counts for itself. Loopback is not
// limited: whoever is on the machine has other means.
type admission struct {
	now func() time.Time

	mu sync.Mutex
	// due is when a network's next request would come if it kept to
	// admissionPeriod.
	due   map[netip.Prefix]time.Time
	swept time.Time // when networks were last forgotten for want of room
}

func newAdmission(now func() time.Time) *admission {
	return &admission{now: now, due: make(map[netip.Prefix]time.Time)}
}

// admit is a fault.Throttled when a request has to wait.
func (a *admission) admit(operation string, from netip.Addr) error {
	if operation != "RegisterClient" && operation != "StartDeviceAuthorization" {
		return nil
	}
	return a.take(from)
}

// take is admit for any request.
func (a *admission) take(from netip.Addr) error {
	if from.IsLoopback() {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now, key := a.now(), a.network(from)
	due := a.due[key]
	if due.Before(now) {
		due = now
	}
	if ahead := due.Sub(now); ahead > admissionBurst*admissionPeriod {
		e := fault.New(fault.Throttled, "slow_down", "Too many requests come from your network. Wait a moment and try again.")
		e.RetryAfter = ahead - admissionBurst*admissionPeriod
		return e
	}
	a.due[key] = due.Add(admissionPeriod)
	return nil
}

// network is whom an address is counted for: itself or, as IPv6 gives everybody
// a network, that.
func (a *admission) network(from netip.Addr) netip.Prefix {
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	key, err := from.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // of no address
	}
	if _, known := a.due[key]; known || len(a.due) < admissionNetworks {
		return key
	}
	if now := a.now(); now.Sub(a.swept) >= time.Second {
		a.swept = now
		for other, due := range a.due {
			if due.Before(now) {
				delete(a.due, other)
			}
		}
	}
	if len(a.due) < admissionNetworks {
		return key
	}
	return netip.Prefix{}
}
