package cert

import (
	_ "embed" // for domains.txt
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// hostForm is the form of a host name.
var hostForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Names returns the names under which a machine of this host name is found in
// its network: the name itself, its first label, that under .local, and
// localhost. It is never empty.
func Names(host string) []string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	label, _, _ := strings.Cut(host, ".")
	var names []string
	for _, name := range []string{host, label, label + ".local", "localhost"} {
		if len(name) <= 253 && hostForm.MatchString(name) && name != "localhost.local" && !public(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// domains are the top-level domains in ASCII letters, one a line: the rules of one
// label in the Public Suffix List, as golang.org/x/net v0.58.0 has it. The library itself has ten times their weight.
//
//go:embed domains.txt
var domains string

// public tells a top-level domain. A machine may be called "dev" or "box", and an
// authority for that name would be one for each host below that domain of the
// internet.
func public(name string) bool {
	return strings.HasPrefix(name, "xn--") && !strings.Contains(name, ".") || strings.Contains("\n"+domains, "\n"+name+"\n")
}

// Addresses returns the addresses of this machine, IPv4 unmapped, without zones.
func Addresses() ([]netip.Addr, error) {
	networks, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var all []netip.Addr
	for _, network := range networks {
		if prefix, err := netip.ParsePrefix(network.String()); err == nil {
			all = append(all, prefix.Addr().Unmap().WithZone(""))
		}
	}
	return all, nil
}
