package outbound

import (
	"net/netip"
	"strings"
)

// network is a range of addresses that are not reached, and why.
type network struct {
	netip.Prefix
	why string
}

func networks(why string, prefixes ...string) (out []network) {
	for _, p := range prefixes {
		out = append(out, network{netip.MustParsePrefix(p), why})
	}
	return out
}

// never are the networks that nothing is reached in, whoever asks for it.
func never() (out []network) {
	out = append(out, networks("clouds hand credentials to their machines there",
		"169.254.0.0/16", "fe80::/10", // link-local: EC2's, Azure's, Google's, Oracle's, DigitalOcean's
		"fd00:ec2::/32", "fd20:ce::254/128", // EC2's and Google's in IPv6
		"100.100.100.200/32", "192.0.0.192/32", "168.63.129.16/32", // Alibaba's, Oracle's older one, Azure's
	)...)
	return append(out, networks("it is not the address of one machine",
		"0.0.0.0/8", "::/128", "224.0.0.0/4", "ff00::/8", "255.255.255.255/32",
	)...)
}

// private are the networks that only the operator's own destinations are in.
func private() (out []network) {
	out = append(out, networks("it is this machine", "127.0.0.0/8", "::1/128")...)
	out = append(out, networks("it is in a private network",
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10",
	)...)
	return append(out, networks("it is reserved",
		"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16",
	)...)
}

// check tells whether a connection may be made to an address.
func (d Destination) check(kind, address string) error {
	refuse := func(why string) error { return &Refused{address, why} }
	if !strings.HasPrefix(kind, "tcp") {
		return refuse("connections are made by TCP only")
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return refuse("it is no address")
	}
	for _, addr := range meant(to.Addr()) {
		for _, n := range never() {
			if n.Contains(addr) {
				return refuse(n.why)
			}
		}
		if d == Configured {
			continue
		}
		for _, n := range private() {
			if n.Contains(addr) {
				return refuse(n.why)
			}
		}
	}
	return nil
}

// meant are the addresses that one may lead to: itself, and the IPv4 address
// within it that a gateway may make of it.
func meant(addr netip.Addr) []netip.Addr {
	addr = addr.Unmap().WithZone("")
	out := []netip.Addr{addr}
	if addr.Is4() {
		return out
	}
	b := addr.As16()
	within := func(prefix string, at int) {
		if netip.MustParsePrefix(prefix).Contains(addr) {
			out = append(out, netip.AddrFrom4([4]byte(b[at:at+4])))
		}
	}
	within("64:ff9b::/96", 12)   // NAT64
	within("64:ff9b:1::/48", 12) // NAT64 of a network's own
	within("2002::/16", 2)       // 6to4
	if netip.MustParsePrefix("::/96").Contains(addr) && !addr.IsUnspecified() && !addr.IsLoopback() {
		within("::/96", 12) // IPv4 in IPv6, as it was written once
	}
	return out
}
