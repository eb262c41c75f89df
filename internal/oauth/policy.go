package oauth

import (
	"net/netip"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/fault"
)

// MayAsk refuses a client at an address that the settings do not let ask for a
// code: a fault.Invalid, subject "unauthorized_client".
func MayAsk(s authsettings.Settings, from Requester) error {
	switch {
	case s.AllowsClient(address(from.IP)):
		return nil
	case s.DeviceGrant == authsettings.DeviceGrantDisabled:
		return invalid("unauthorized_client", "An administrator has turned off the authorization of devices. Sign in with a browser on the same machine.")
	default:
		return invalid("unauthorized_client", "The authorization of devices is not allowed from this network. Sign in with a browser on the same machine.")
	}
}

// MustType tells whether a person at an address has to type the code of d. A
// code in a link, which may be somebody else's, is not enough then: the
// settings ask for it always, or the client does not ask from where the person
// is. Who sends links to others does not share their address.
func (d Device) MustType(s authsettings.Settings, person netip.Addr) bool {
	return s.DeviceGrant == authsettings.DeviceGrantTyped || !sameAddress(address(d.Requester.IP), person.Unmap())
}

// address reads an address. One that cannot be read is the same as no other,
// and in no network.
func address(text string) netip.Addr {
	a, _ := netip.ParseAddr(text)
	return a.Unmap()
}

// hostBits is how long the part of an IPv6 address is that all of one machine's
// have in common.
const hostBits = 64

// sameAddress tells whether two addresses can be of one machine.
func sameAddress(a, b netip.Addr) bool {
	switch {
	case !a.IsValid() || !b.IsValid():
		return false
	case a.IsLoopback() && b.IsLoopback(), a == b:
		return true
	case a.Is4() || b.Is4():
		return false
	}
	network, err := a.Prefix(hostBits)
	return err == nil && network.Contains(b)
}

// mayBeApproved refuses a device that the settings do not let ask any more.
func mayBeApproved(tx DeviceTx, d Device) error {
	s, err := authsettings.Of(tx, d.StoreID)
	if err == nil && !s.AllowsClient(address(d.Requester.IP)) {
		err = fault.New(fault.NotFound, "user_code", "The code is not valid any more: an administrator does not allow it.")
	}
	return err
}
