package relay

import (
	"net/netip"
	"slices"
)

// What is no public address although it looks like one. IPv4 is open but for
// these (RFC 6890 and its registry); of IPv6 only 2000::/3 is open at all, which
// shuts loopback, link-local, unique local, multicast and the translations of
// IPv4 that lie outside of it.
var (
	closedIPv4 = networks(
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
		"192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
	)
	globalIPv6 = netip.MustParsePrefix("2000::/3")
	// Teredo and 6to4 carry an IPv4 address that nobody would check.
	closedIPv6 = networks("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)

func networks(list ...string) (all []netip.Prefix) {
	for _, s := range list {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

// public tells whether an address, unmapped, is one of the public network.
func public(a netip.Addr) bool {
	closed := closedIPv4
	if a.Is6() {
		if !globalIPv6.Contains(a) {
			return false
		}
		closed = closedIPv6
	}
	return a.IsValid() && !slices.ContainsFunc(closed, func(p netip.Prefix) bool { return p.Contains(a) })
}
