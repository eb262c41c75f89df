package app

import (
	"net/netip"
	"time"
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
// than people can log in. Loopback is not limited: whoever is on the machine
// has other means.
type admission struct{ networks *pace[netip.Prefix] }

func newAdmission(now func() time.Time) *admission {
	return &admission{newPace[netip.Prefix](now, admissionBurst, admissionPeriod, admissionNetworks)}
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
	return a.networks.take(network(from))
}

// network is whom an address is counted for: itself or, as IPv6 gives everybody
// a network, that.
func network(from netip.Addr) netip.Prefix {
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	key, err := from.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // of no address
	}
	return key
}
