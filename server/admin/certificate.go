package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// Certificate is how the certificate of the box stands.
type Certificate struct {
	// Later tells that the box makes it when it starts, and no box runs.
	Later bool
	// Unread is why it cannot be looked at; nil if it can.
	Unread error
	// Names are the host names and addresses that it is for.
	Names []string
	// Until is when it ends.
	Until otp.Time
	// Trouble is why the box goes on with an older one; nil: it does not have to.
	Trouble error
	// Loose is the path of its key if everybody on the machine may read it.
	Loose string
	// Refused are names of the box that its own authority may not vouch for.
	Refused []string
	// Fingerprint is that of the box's own authority; "" where there is none.
	Fingerprint string
}

// endsSoon is how long before its end a certificate should have been replaced.
const endsSoon = 21 * 24 * time.Hour

func (f *Facts) certificate() Check {
	const name = "certificate"
	c := f.Certificate
	switch {
	case c == nil && f.Open:
		return Check{name, Amber, "The box speaks plain HTTP to its network, where others can read keys and codes.",
			`Set tls = "lan" in [server], or tls_cert and tls_key, and restart.`}
	case c == nil:
		return Check{Name: name, Level: Green, Text: "The box speaks plain HTTP, to this machine or its proxy only."}
	case c.Later:
		return Check{Name: name, Level: Green, Text: "The box makes its certificate when it starts."}
	case errors.Is(c.Unread, fs.ErrPermission):
		return Check{name, Amber, "The certificate is closed to this user.", "Run `sudo pinferry doctor`."}
	case c.Unread != nil:
		return Check{name, Red, "The certificate cannot be used: " + sentence(c.Unread),
			"Correct tls_cert and tls_key; `sudo pinferry config check` tells whether they are right."}
	}
	left := c.Until.Sub(otp.Time(f.Clock.Now))
	ends := c.Until.Std().Format(time.DateOnly)
	switch {
	case left <= 0:
		return Check{name, Red, "The certificate has ended on " + ends + ", and nobody believes it any more.", c.renewal()}
	case c.Trouble != nil && c.Fingerprint != "":
		return Check{name, Amber, "The box cannot renew its certificate, and the one until " + ends + " stays: " + sentence(c.Trouble),
			"Restart the box; if that does not help, send what `sudo pinferry support-bundle FILE` writes."}
	case c.Trouble != nil:
		return Check{name, Amber, "The newest certificate cannot be used, and the one until " + ends + " stays: " + sentence(c.Trouble),
			"Put both files right; the box takes them without a restart."}
	case left < endsSoon:
		return Check{name, Amber, fmt.Sprintf("The certificate ends in %s, on %s.", count(int(left/(24*time.Hour)), "day", "days"), ends), c.renewal()}
	case c.Loose != "":
		return Check{name, Amber, "Everybody on this machine may read " + c.Loose + ".", "Run `sudo chmod o= " + c.Loose + "`."}
	case len(c.Refused) > 0:
		return Check{name, Amber, "The box is called " + strings.Join(c.Refused, " and ") + " now, and its authority may not vouch for that.",
			"Use an older name or an address; or remove keys/lan.ca in the data directory, restart, and have every device trust the new authority."}
	}
	text := fmt.Sprintf("The certificate is for %s, until %s.", strings.Join(c.Names, ", "), ends)
	if c.Fingerprint != "" {
		text += " The fingerprint of its authority is " + c.Fingerprint + "."
	}
	return Check{Name: name, Level: Green, Text: text}
}

// renewal is what to do about a certificate that ends.
func (c *Certificate) renewal() string {
	if c.Fingerprint == "" {
		return "Replace the files of tls_cert and tls_key; the box takes the new ones without a restart."
	}
	return "Compare the clock with `pinferry clock status`; if that is right, remove keys/lan.ca in the data directory, restart, and have every device trust the new authority."
}
