package console_test

import (
	"net/netip"
	"testing"

	"github.com/pinferry/pinferry/server/console"
)

// TestSettings writes every kind of value that a config file has, and leaves out
// what may be and is zero.
func TestSettings(t *testing.T) {
	type shop struct {
		ID       string            `toml:"id"`
		Sessions *bool             `toml:"sessions,omitempty"`
		Texts    map[string]string `toml:"texts,omitempty"`
		Ports    []int             `toml:"ports"`
	}
	type server struct {
		Listen string         `toml:"listen"`
		Key    string         `toml:"tls_key,omitempty"`
		Low    float64        `toml:"low"`
		Trust  []netip.Prefix `toml:"trusted_proxies"`
	}
	no := false
	got := console.Settings(struct {
		Server server `toml:"server"`
		Apps   []shop `toml:"app,omitempty"`
		Empty  []shop `toml:"empty,omitempty"`
	}{
		Server: server{Listen: ":7467", Low: 2.5, Trust: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
		Apps:   []shop{{ID: "one", Sessions: &no, Texts: map[string]string{"fr": "é", "de": "a \"b\"\n"}, Ports: []int{1, 2}}, {ID: "two"}},
	})
	const want = `[server]
listen = ":7467"
low = 2.5
trusted_proxies = ["10.0.0.0/8"]

[[app]]
id = "one"
sessions = false
texts = { "de" = "a \"b\"\u000A", "fr" = "é" }
ports = [1, 2]

[[app]]
id = "two"
ports = []

`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
