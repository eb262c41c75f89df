package app

import (
	"net/netip"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func TestAdmission(t *testing.T) {
	now := storetest.Now()
	a := newAdmission(func() time.Time { return now })
	admitted := func(address string, n int) (count int) {
		for range n {
			err := a.admit("StartDeviceAuthorization", netip.MustParseAddr(address))
			if err == nil {
				count++
			} else if !fault.Is(err, fault.Throttled) {
				t.Fatal(err)
			}
		}
		return count
	}
	if got := admitted("203.0.113.9", 1000); got != admissionBurst+1 {
		t.Errorf("%d requests at once", got)
	}
	if got := admitted("203.0.113.10", 10); got != 10 {
		t.Errorf("a neighbour has %d of 10 requests", got)
	}
	now = now.Add(time.Second)
	if got := admitted("203.0.113.9", 1000); got != 20 {
		t.Errorf("%d requests in the second after that", got)
	}
	if got := admitted("127.0.0.1", 1000) + admitted("::1", 1000); got != 2000 {
		t.Errorf("%d requests of 2000 from the machine itself", got)
	}
	admitted("2001:db8::1", 1000)
	if got := admitted("2001:db8::ffff:ffff:ffff:ffff", 10); got != 0 {
		t.Errorf("%d requests from another address of a network", got)
	}
	if got := admitted("2001:db8:0:1::1", 10); got != 10 {
		t.Errorf("another network has %d of 10 requests", got)
	}
	for range 1000 {
		if err := a.admit("CreateToken", netip.MustParseAddr("203.0.113.9")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAdmissionIsBounded holds that many networks cost bounded memory and do
// not stand in the way of each other for long.
func TestAdmissionIsBounded(t *testing.T) {
	now := storetest.Now()
	a := newAdmission(func() time.Time { return now })
	address := netip.MustParseAddr("10.0.0.0")
	for range 3 * admissionNetworks {
		_ = a.admit("RegisterClient", address)
		address = address.Next()
	}
	if len(a.networks.due) > admissionNetworks+1 {
		t.Errorf("%d networks are remembered", len(a.networks.due))
	}
	now = now.Add(time.Hour)
	if err := a.admit("RegisterClient", netip.MustParseAddr("192.0.2.1")); err != nil {
		t.Error(err)
	}
	if len(a.networks.due) != 1 {
		t.Errorf("%d networks are remembered of those long gone", len(a.networks.due))
	}
}
