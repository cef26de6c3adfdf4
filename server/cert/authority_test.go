package cert_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/cert"
)

// TestAuthorityIsBound signs with the authority's own key what it may vouch for
// and what it may not, as a thief of the key would.
func TestAuthorityIsBound(t *testing.T) {
	_, root, key := newAuthority(t, "Box1.lan.")
	if !root.IsCA || !root.MaxPathLenZero || !root.PermittedDNSDomainsCritical || root.NotAfter.Before(begun.Std().AddDate(19, 0, 0)) {
		t.Errorf("got %+v", root)
	}
	for name, good := range map[string]bool{
		"box1.lan": true, "box1": true, "box1.local": true, "localhost": true, "192.168.1.5": true, "10.0.0.1": true, "172.31.255.1": true,
		"169.254.3.4": true, "127.0.0.1": true, "::1": true, "fd00::5": true, "fe80::1": true,
		"bank.example": false, "other.local": false, "box11": false, "lan": false, "local": false, "8.8.8.8": false, "172.32.0.1": false,
		"192.169.0.1": false, "::2": false, "2001:db8::1": false,
	} {
		template := &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
		if a, err := netip.ParseAddr(name); err == nil {
			template.IPAddresses = []net.IP{a.AsSlice()}
		} else {
			template.DNSNames = []string{name}
		}
		leaf, _ := sign(t, template, root, key)
		if err := verify(root, leaf, name, begun); (err == nil) != good {
			t.Errorf("%s: got %v", name, err)
		}
		if said, ok := openssl(t, root, leaf); ok && strings.Contains(said, ": OK") != good {
			t.Errorf("%s: openssl says %s", name, said)
		}
	}
	usable := &x509.Certificate{DNSNames: []string{"box1"}}
	below, second := sign(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, root, key)
	leaf, _ := sign(t, usable, below, second)
	if err := verify(root, leaf, "box1", begun, below); err == nil {
		t.Error("an authority below the authority is believed")
	}
	mail, _ := sign(t, &x509.Certificate{EmailAddresses: []string{"chief@bank.example"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}, root, key)
	options := x509.VerifyOptions{Roots: x509.NewCertPool(), CurrentTime: begun.Std(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}
	options.Roots.AddCert(root)
	if _, err := mail.Verify(options); err == nil {
		t.Error("it vouches for senders of mail")
	}
}

// openssl asks another judge, where there is one.
func openssl(t *testing.T, root, leaf *x509.Certificate) (said string, ok bool) {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		return "", false
	}
	dir := t.TempDir()
	for name, c := range map[string]*x509.Certificate{"root.pem": root, "leaf.pem": leaf} {
		write(t, filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	out, _ := exec.Command(path, "verify", "-x509_strict", "-purpose", "sslserver", "-attime", strconv.FormatInt(begun.Std().Unix(), 10),
		"-CAfile", filepath.Join(dir, "root.pem"), filepath.Join(dir, "leaf.pem")).CombinedOutput()
	return string(out), true
}

// TestAuthorityOfEachBox finds two boxes of one name told apart, and one that is
// the same after a restart.
func TestAuthorityOfEachBox(t *testing.T) {
	first, root, _ := newAuthority(t, "box1")
	second, _, _ := newAuthority(t, "box1")
	if first.Name() == second.Name() || first.Fingerprint() == second.Fingerprint() {
		t.Errorf("both are %s, %s", first.Name(), first.Fingerprint())
	}
	if len(first.Fingerprint()) != 95 || first.Until() != otp.TimeOf(root.NotAfter) {
		t.Errorf("got %s, %v", first.Fingerprint(), first.Until())
	}
	if _, long, _ := newAuthority(t, strings.Repeat("a", 63)+"."+strings.Repeat("b", 63)); len(long.Subject.CommonName) > 64 {
		t.Errorf("a subject of %d letters", len(long.Subject.CommonName))
	}
}

// TestDamagedAuthority reads files that are none, or not whole.
func TestDamagedAuthority(t *testing.T) {
	file, err := cert.NewAuthority([]string{"localhost"}, begun)
	if err != nil {
		t.Fatal(err)
	}
	other, err := cert.NewAuthority([]string{"localhost"}, begun)
	if err != nil {
		t.Fatal(err)
	}
	split := bytes.Index(file, []byte("-----BEGIN PRIVATE"))
	otherSplit := bytes.Index(other, []byte("-----BEGIN PRIVATE"))
	leaf, key := sign(t, &x509.Certificate{DNSNames: []string{"localhost"}}, nil, nil)
	dir := t.TempDir()
	writePair(t, dir+"/c", dir+"/k", leaf, key)
	for name, content := range map[string][]byte{
		"Nothing": nil, "Text": []byte("an authority"), "NoKey": file[:split], "NoCertificate": file[split:],
		"CutShort": file[:len(file)-40], "OthersKey": append(bytes.Clone(file[:split]), other[otherSplit:]...),
		"NoAuthority": append(read(t, dir+"/c"), read(t, dir+"/k")...), "Flipped": bytes.Replace(file, []byte("MII"), []byte("MIJ"), 1),
	} {
		if a, err := cert.ParseAuthority(content); err == nil || a != nil {
			t.Errorf("%s: got %v, %v", name, a, err)
		}
	}
}

func TestNames(t *testing.T) {
	for host, want := range map[string]string{
		"pi": "pi pi.local localhost", "raspberrypi": "raspberrypi raspberrypi.local localhost", "Box1.Home.Arpa.": "box1.home.arpa box1 box1.local localhost",
		"box1.local": "box1.local box1 localhost", "localhost": "localhost", "": "localhost", "(none)": "localhost", "a b": "localhost",
		"localhost.localdomain": "localhost.localdomain localhost", "-x": "localhost", "x_y": "localhost",
		// For these an authority would be one for a part of the internet.
		"dev": "dev.local localhost", "box": "box.local localhost", "box.shop.example": "box.shop.example box.local localhost",
		"ch": "ch.local localhost", "ck": "ck.local localhost", "xn--p1ai": "xn--p1ai.local localhost", "com": "com.local localhost",
	} {
		if got := strings.Join(cert.Names(host), " "); got != want {
			t.Errorf("%q: got %q, want %q", host, got, want)
		}
	}
}
