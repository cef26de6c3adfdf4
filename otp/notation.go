package otp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time as people write it: "30s", "5m", "168h". None is
// negative.
type Duration time.Duration

// UnmarshalText reads it.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf(`%q is no duration: write "30s", "5m" or "24h"`, text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes it, without seconds and minutes that are zero.
func (d Duration) MarshalText() ([]byte, error) {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return []byte(s), nil
}

// UnmarshalText reads a rule, "3/5m": at most three in any five minutes.
func (r *Rule) UnmarshalText(text []byte) error {
	count, window, _ := strings.Cut(string(text), "/")
	n, err := strconv.Atoi(count)
	var d Duration
	if err != nil || n < 1 || d.UnmarshalText([]byte(window)) != nil || d < Duration(time.Second) {
		return fmt.Errorf(`%q is no limit: write "3/5m" for three in five minutes`, text)
	}
	*r = Rule{Count: n, Window: time.Duration(d)}
	return nil
}

// MarshalText writes the rule.
func (r Rule) MarshalText() ([]byte, error) {
	window, err := Duration(r.Window).MarshalText()
	return fmt.Appendf(nil, "%d/%s", r.Count, window), err
}

// UnmarshalText reads a conversion, "20/1h/10%": shut for an hour if of twenty or
// more in an hour fewer than a tenth verified.
func (c *Conversion) UnmarshalText(text []byte) error {
	at := max(bytes.LastIndexByte(text, '/'), 0)
	sends, share := text[:at], strings.TrimPrefix(string(text[at:]), "/")
	var r Rule
	percent, err := strconv.Atoi(strings.TrimSuffix(share, "%"))
	if err != nil || !strings.HasSuffix(share, "%") || percent < 1 || percent > 100 || r.UnmarshalText(sends) != nil {
		return fmt.Errorf(`%q is no limit: write "20/1h/10%%" for an hour's pause if of 20 or more in an hour fewer than 10 %% verified`, text)
	}
	*c = Conversion{Sends: r.Count, Window: r.Window, Percent: percent}
	return nil
}

// MarshalText writes the conversion.
func (c Conversion) MarshalText() ([]byte, error) {
	sends, err := Rule{Count: c.Sends, Window: c.Window}.MarshalText()
	return fmt.Appendf(sends, "/%d%%", c.Percent), err
}

// Network is the addresses of a network as people write them: "10.0.0.0/8", or
// "10.0.0.7" for one address.
type Network struct{ netip.Prefix }

// UnmarshalText reads it.
func (n *Network) UnmarshalText(text []byte) error {
	if a, err := netip.ParseAddr(string(text)); err == nil && a.Zone() == "" {
		n.Prefix = netip.PrefixFrom(a, a.BitLen())
		return nil
	}
	p, err := netip.ParsePrefix(string(text))
	if err != nil || p != p.Masked() {
		return fmt.Errorf(`%q is no network: write "10.0.0.0/8" or "192.168.1.7"`, text)
	}
	n.Prefix = p
	return nil
}

// Prefixes returns networks in the words of the standard library.
func Prefixes(list []Network) []netip.Prefix {
	all := make([]netip.Prefix, len(list))
	for i, n := range list {
		all[i] = n.Prefix
	}
	return all
}

// Digest is the SHA-256 of a key of an app, written "sha256:" and 64 hex digits.
type Digest [sha256.Size]byte

// DigestOf returns the digest of a key.
func DigestOf(key string) Digest { return sha256.Sum256([]byte(key)) }

// UnmarshalText reads it.
func (d *Digest) UnmarshalText(text []byte) error {
	hexed, ok := strings.CutPrefix(string(text), "sha256:")
	if n, err := hex.Decode(d[:], []byte(hexed[:min(len(hexed), 2*len(d))])); !ok || err != nil || n != len(d) || len(hexed) != 2*n {
		// The value may be a key itself, so it must not be shown.
		return errors.New(`a key is given by its digest, "sha256:" and 64 hex digits: ` + "`pinferry key new APP` makes both")
	}
	return nil
}

// String writes it.
func (d Digest) String() string { return "sha256:" + hex.EncodeToString(d[:]) }

// MarshalText writes it.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
