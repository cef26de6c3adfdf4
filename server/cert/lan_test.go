package cert_test

import (
	"crypto/x509"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/cert"
	"github.com/rs/zerolog"
)

// TestLAN follows a box through its life in a network: each certificate is
// believed by who trusts the authority, under each name and address of the box, and
// none lasts longer than phones allow.
func TestLAN(t *testing.T) {
	authority, root, _ := newAuthority(t, "box1")
	now, log := &clock{at: begun}, &buffer{}
	at, failure := addresses("127.0.0.1", "192.168.1.5", "fd00::5", "2001:db8::5", "203.0.113.5"), error(nil)
	lan, err := cert.NewLAN(authority, cert.Names("box1"), now.now, cert.LANConfig{
		Addresses: func() ([]netip.Addr, error) { return at, failure }, Log: zerolog.New(log),
	})
	if err != nil {
		t.Fatal(err)
	}
	believed := func(names ...string) *x509.Certificate {
		t.Helper()
		leaf := lan.Current().Leaf
		for _, name := range names {
			if err := verify(root, leaf, name, now.now()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if life := leaf.NotAfter.Sub(leaf.NotBefore); life > 398*day || life < 300*day {
			t.Errorf("it lasts %s", life)
		}
		return leaf
	}
	first := believed("box1", "box1.local", "localhost", "127.0.0.1", "192.168.1.5", "fd00::5")
	if len(first.IPAddresses) != 3 {
		t.Errorf("it is for %v, and the authority may not vouch for all of them", first.IPAddresses)
	}
	now.pass(time.Hour)
	slices.Reverse(at)
	if believed("box1") != first {
		t.Error("another one, for the same addresses")
	}

	at = addresses("127.0.0.1", "10.1.2.3")
	if now.pass(time.Second); believed("192.168.1.5") != first {
		t.Error("the system is asked with each connection")
	}
	now.pass(time.Minute)
	second := believed("box1", "10.1.2.3")
	if verify(root, second, "192.168.1.5", now.now()) == nil || second.SerialNumber.Cmp(first.SerialNumber) == 0 {
		t.Error("the addresses have changed, and the certificate has not")
	}

	failure = errors.New("netlink is gone")
	now.pass(time.Minute)
	if s := lan.State(); believed("10.1.2.3") != second || s.Trouble == nil || !strings.Contains(s.Trouble.Error(), "netlink") {
		t.Errorf("without addresses: %+v", s)
	}
	for range 5 {
		now.pass(time.Minute)
		lan.Current()
	}
	if n := strings.Count(log.String(), "netlink"); n != 1 {
		t.Errorf("the log has it %d times: %s", n, log)
	}
	failure = nil
	if s := lan.State(); s.Trouble != nil || s.Fingerprint != authority.Fingerprint() || !slices.Equal(s.Names, []string{"box1", "box1.local", "localhost", "10.1.2.3", "127.0.0.1"}) {
		t.Errorf("got %+v", s)
	}

	now.pass(330 * day)
	if believed("box1") != second {
		t.Error("another one, long before its time")
	}
	now.pass(8 * day)
	third := believed("box1")
	if third == second {
		t.Error("it is nearly at its end, and there is no other")
	}
	// Devices whose clock is weeks off the box's believe it too.
	for _, off := range []time.Duration{-29 * day, 29 * day} {
		if err := verify(root, third, "box1", now.now().Add(off)); err != nil {
			t.Errorf("%s off: %v", off, err)
		}
	}
	now.pass(-338 * day) // box time was wrong, and has been put right
	if fourth := believed("box1"); fourth == third {
		t.Error("it begins in the future, and there is no other")
	}
}

// TestLANOfARenamedBox keeps the authority that devices trust already, and tells
// which name it cannot vouch for.
func TestLANOfARenamedBox(t *testing.T) {
	authority, root, _ := newAuthority(t, "box1")
	now := &clock{at: begun}
	lan, err := cert.NewLAN(authority, cert.Names("till"), now.now, cert.LANConfig{Addresses: func() ([]netip.Addr, error) {
		return addresses("192.168.1.5"), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if s := lan.State(); !slices.Equal(s.Refused, []string{"till", "till.local"}) || !slices.Equal(s.Names, []string{"localhost", "192.168.1.5"}) {
		t.Errorf("got %+v", s)
	}
	if err := verify(root, lan.Current().Leaf, "192.168.1.5", begun); err != nil {
		t.Errorf("a name too many has spoilt it: %v", err)
	}
}

// TestLANOfThisMachine asks the system itself.
func TestLANOfThisMachine(t *testing.T) {
	authority, root, _ := newAuthority(t, "box1")
	lan, err := cert.NewLAN(authority, cert.Names("box1"), (&clock{at: begun}).now, cert.LANConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(root, lan.Current().Leaf, "127.0.0.1", begun); err != nil {
		t.Error(err)
	}
}

// TestOpenLAN makes an authority once, keeps it, and does not replace one that it
// cannot read.
func TestOpenLAN(t *testing.T) {
	files := map[string][]byte{}
	keep := func(name string, create func() ([]byte, error)) (content []byte, err error) {
		if files[name] == nil {
			files[name], err = create()
		}
		return files[name], err
	}
	box := otp.NewClock(otp.ClockSource{Build: begun})
	var log buffer
	first, err := cert.OpenLAN("box1", box, keep, cert.LANConfig{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := cert.OpenLAN("", box, keep, cert.LANConfig{Log: zerolog.New(&log)})
	if err != nil || again.State().Fingerprint != first.State().Fingerprint || first.State().Fingerprint == "" {
		t.Errorf("the next start has %+v (%v), the first had %+v", again.State(), err, first.State())
	}
	if said := log.String(); !strings.Contains(said, "no name") || !strings.Contains(said, first.State().Fingerprint) {
		t.Errorf("it said %s", said)
	}
	files[cert.AuthorityFile] = []byte("half a file")
	if _, err := cert.OpenLAN("box1", box, keep, cert.LANConfig{}); err == nil || !strings.Contains(err.Error(), cert.AuthorityFile) || string(files[cert.AuthorityFile]) != "half a file" {
		t.Errorf("a broken file: %v", err)
	}
}
