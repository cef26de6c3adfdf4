package otp

import (
	"net/netip"
	"time"

	"github.com/pinferry/pinferry/otp/text"
)

// Mode says whether an app is real.
type Mode string

// The modes of an app.
const (
	Production Mode = "production"
	Test       Mode = "test" // test numbers and the null route are allowed
)

// ResendPolicy says what a resend does to the code.
type ResendPolicy string

// The policies.
const (
	ResendSame ResendPolicy = "same" // the same digits while half their life is left
	ResendNew  ResendPolicy = "new"  // always fresh digits
)

// App is an application that uses the box. It is defined in the config file
// only and does not change while the box runs.
type App struct {
	ID      string
	Aliases []string
	Name    string
	// Keys are the SHA-256 digests of the accepted keys, each the whole string
	// with its pk_ or sk_.
	Keys [][32]byte
	// Doors are the wire formats that are open: "native", ...
	Doors   []string
	Default bool
	Hosts   []string
	// Backends are addresses of the app's own servers: they carry many people,
	// so no per-address rule applies to them.
	Backends []netip.Prefix
	// SafePrefixes are beginnings of E.164 numbers (with +) that the rules for
	// blocks and for conversions never count.
	SafePrefixes []string
	Mode         Mode
	// TestNumbers gives fixed codes to numbers (E.164) in test mode; nothing is
	// sent to them. Once prepared, its keys are address keys.
	TestNumbers map[string]string
	CodeLength  int           // 6 to 10, default 6
	CodeTTL     time.Duration // 30 s to 10 min, default 5 min
	Resend      ResendPolicy  // default same
	// Sessions says whether a login opens a session; not every door can do
	// without.
	Sessions bool
	// Private says that no door tells who is registered but to who has proven
	// the number.
	Private     bool
	Countries   []string // ISO 3166 regions, or "*"; email addresses have none
	WebDomain   string
	AndroidHash string
	// Texts are message templates by locale; what is missing is the built-in
	// text of that locale.
	Texts   map[string]string
	Origins []string // of pages that may call with the app's publishable key
	// Redirects are the places that a person may be sent to after a login, each
	// matched as a whole; the first is the default.
	Redirects []string
	// Login opens the sign-in page of the box to the app, and its widget.
	Login bool
	// Options are names of placeholders that a start may fill (templateOptions)
	// in the app's own texts: {order}.
	Options []string
	// Inbound opens what the box receives to the app: the list, the events, and
	// the channel inbound. InboundSignIn lets that channel open sessions too,
	// though senders can be spoofed.
	Inbound, InboundSignIn bool
	// OptOut says what an opted-out number is spared of; default
	// [OptOutCodes].
	OptOut OptOutScope
	// Email lets codes go to email addresses too, if a route of the box carries
	// [ChannelEmail].
	Email bool
	// Captcha says when a start needs a solved captcha; default off.
	Captcha CaptchaPolicy
	// Events says that the app takes events.
	Events bool

	templates map[string]text.Template // by locale, once prepared
}
