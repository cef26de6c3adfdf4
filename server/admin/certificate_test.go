package admin_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/admin"
)

// TestCertificate shows the doctor a certificate in every state.
func TestCertificate(t *testing.T) {
	const day = 24 * time.Hour
	now := otp.Time(well().Clock.Now)
	for name, test := range map[string]struct {
		make            func(*admin.Facts, *admin.Certificate)
		level           admin.Level
		says, fix, mute string
	}{
		"Well":       {func(*admin.Facts, *admin.Certificate) {}, admin.Green, "for box1, 192.168.1.5, until 2027-", "", "fingerprint"},
		"LAN":        {func(_ *admin.Facts, c *admin.Certificate) { c.Fingerprint = "3F:0A" }, admin.Green, "authority is 3F:0A", "", ""},
		"NoTLS":      {func(f *admin.Facts, _ *admin.Certificate) { f.Certificate = nil }, admin.Green, "plain HTTP, to this machine", "", ""},
		"Open":       {func(f *admin.Facts, _ *admin.Certificate) { f.Certificate, f.Open = nil, true }, admin.Amber, "plain HTTP to its network", `tls = "lan"`, ""},
		"NotStarted": {func(_ *admin.Facts, c *admin.Certificate) { *c = admin.Certificate{Later: true} }, admin.Green, "when it starts", "", ""},
		"Closed": {func(_ *admin.Facts, c *admin.Certificate) {
			*c = admin.Certificate{Unread: &fs.PathError{Err: fs.ErrPermission}}
		},
			admin.Amber, "closed to this user", "sudo pinferry doctor", ""},
		"NoPair": {func(_ *admin.Facts, c *admin.Certificate) { *c = admin.Certificate{Unread: errors.New("no PEM")} },
			admin.Red, "cannot be used: no PEM.", "tls_cert", ""},
		"EnoughLeft": {func(_ *admin.Facts, c *admin.Certificate) { c.Until = now.Add(22 * day) }, admin.Green, "until", "", ""},
		"EndsSoon":   {func(_ *admin.Facts, c *admin.Certificate) { c.Until = now.Add(20*day + 1) }, admin.Amber, "ends in 20 days", "without a restart", ""},
		"Ended":      {func(_ *admin.Facts, c *admin.Certificate) { c.Until = now }, admin.Red, "has ended", "tls_cert", ""},
		"EndedLAN": {func(_ *admin.Facts, c *admin.Certificate) { c.Until, c.Fingerprint = now, "3F:0A" },
			admin.Red, "has ended", "clock status", "tls_cert"},
		"Broken": {func(_ *admin.Facts, c *admin.Certificate) { c.Trouble = errors.New("key does not match") },
			admin.Amber, "cannot be used, and the one until", "without a restart", ""},
		"BrokenAndEnded": {func(_ *admin.Facts, c *admin.Certificate) { c.Trouble, c.Until = errors.New("key does not match"), now },
			admin.Red, "has ended", "", ""},
		"CannotRenew": {func(_ *admin.Facts, c *admin.Certificate) {
			c.Trouble, c.Fingerprint = errors.New("no interfaces"), "3F:0A"
		},
			admin.Amber, "cannot renew its certificate, and the one until", "Restart", "files"},
		"Loose":   {func(_ *admin.Facts, c *admin.Certificate) { c.Loose = "/etc/box.key" }, admin.Amber, "may read /etc/box.key", "chmod o= /etc/box.key", ""},
		"Renamed": {func(_ *admin.Facts, c *admin.Certificate) { c.Refused = []string{"till", "till.local"} }, admin.Amber, "till and till.local", "lan.ca", ""},
	} {
		f := well()
		f.Certificate = &admin.Certificate{Names: []string{"box1", "192.168.1.5"}, Until: now.Add(200 * day)}
		test.make(&f, f.Certificate)
		found := false
		for _, c := range f.Diagnose().Checks {
			if c.Name != "certificate" {
				continue
			}
			found = true
			if c.Level != test.level || !strings.Contains(c.Text, test.says) || !strings.Contains(c.Fix, test.fix) ||
				(test.level == admin.Green) != (c.Fix == "") || test.mute != "" && strings.Contains(c.Text+c.Fix, test.mute) {
				t.Errorf("%s: got %+v", name, c)
			}
		}
		if !found {
			t.Errorf("%s: the doctor says nothing", name)
		}
	}
}

// TestCertificateOfNoConfig: without a config nobody knows what the box will show,
// and plain HTTP is no good news then.
func TestCertificateOfNoConfig(t *testing.T) {
	f := well()
	f.Config, f.Certificate = errors.New("line 3"), nil
	for _, c := range f.Diagnose().Checks {
		if c.Name == "certificate" {
			t.Errorf("got %+v", c)
		}
	}
}
