// Command pinferry issues and verifies one-time passwords by SMS through a GSM
// modem on the customer's premises.
//
// This file is the only one that knows every room, and it only wires. What the
// box decides is decided in otp, and what a command does stands in the room that
// it does it to. In this order:
//
//   - program: the table of commands
//   - config: the file, section by section, how it is loaded, and what each room
//     is given of it
//   - daemon: what is opened in which order, what runs, and the orderly way down
//   - the commands that are the box
//   - what the doctor goes by
//   - the commands that ask a box, and those that need none
//   - build and log
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime/debug"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pelletier/go-toml/v2"
	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/kv"
	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/relay"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/text"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/admin"
	"github.com/pinferry/pinferry/server/captcha"
	"github.com/pinferry/pinferry/server/cert"
	"github.com/pinferry/pinferry/server/console"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web"
	"github.com/pinferry/pinferry/systemd"
)

// version and buildDate (Unix seconds) are set by the linker; a plain `go
// build` leaves them to the build information. See [thisBuild].
var version, buildDate string

// The exit codes of every command.
const (
	exitOK       = console.OK
	exitFailed   = console.Failed
	exitUsage    = console.Usage
	exitNotReady = console.NotReady
	exitRefused  = console.Refused
)

func main() {
	p := &program{
		environ: os.Environ(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		signals: func() <-chan os.Signal {
			c := make(chan os.Signal, 2)
			signal.Notify(c, syscall.SIGINT, syscall.SIGTERM)
			return c
		},
	}
	os.Exit(p.run(os.Args[1:]))
}

// program is one invocation as a value, so that a test can be the terminal.
type program struct {
	environ        []string
	stdin          io.Reader
	stdout, stderr io.Writer
	// signals begins to catch SIGINT and SIGTERM. Only the commands with an
	// orderly way down call it; the others die of a signal as usual.
	signals func() <-chan os.Signal
	// opened, if set, is called with the daemon as soon as it listens: a test's
	// way to its address.
	opened func(*daemon)
	// host is the machine; the zero Host is the one that this runs on.
	host systemd.Host
}

// run carries out one command line and returns its exit code.
func (p *program) run(args []string) int { return p.commands().Run(p.terminal(), args) }

func (p *program) terminal() console.Terminal {
	return console.Terminal{Environ: p.environ, Stdin: p.stdin, Stdout: p.stdout, Stderr: p.stderr, Signals: p.signals}
}

// commands are what the program does. Those of console ask a running box.
func (p *program) commands() console.Table {
	return console.Table{
		console.New("serve", "", "run the box", p.serve),
		console.New("demo", "", "run a throw-away box with a pretended modem and handset", p.demo),
		console.New("doctor", "", "say what is wrong with the box, and what to do", p.doctor),
		console.New("send", "TO TEXT", "send a message and tell how far it came", console.Send),
		console.New("verify", "TO", "send a code, ask for it and check it", console.Verify),
		console.New("modem list", "", "list the modems of the box, or without one those that are plugged in", p.modemList),
		console.New("modem status", "", "show every modem, its SIM and its network", console.ModemStatus),
		console.New("modem at", "ROUTE QUESTION", "ask a modem a question that changes nothing, such as AT+CSQ", console.ModemAt),
		console.New("modem ussd", "ROUTE CODE", "dial a code such as *100# and show what the network answers", console.ModemUSSD),
		console.New("modem pin", "ROUTE", "enter the PIN once more that the SIM has refused", console.ModemPIN),
		console.New("modem reset", "ROUTE", "start a modem anew", console.ModemReset),
		console.New("key new", "APP", "make a pair of keys for an app", p.keyNew),
		console.New("key rotate", "APP", "make the next key that signs the tokens of an app", p.keyRotate),
		console.New("user ls", "", "list the users of an app", console.UserList),
		console.New("user show", "USER", "show a user", console.UserShow),
		console.New("user block", "USER", "disable a user, which ends all its sessions", console.UserBlock),
		console.New("user unblock", "USER", "enable a user again", console.UserUnblock),
		console.New("user rm", "USER", "forget a user", console.UserRemove),
		console.New("verifications ls", "", "list the verifications, the newest first", console.VerificationList),
		console.New("verifications show", "ID", "show how far a verification came, step by step", console.VerificationShow),
		console.New("messages ls", "", "list the messages, the newest first", console.MessageList),
		console.New("messages show", "ID", "show what became of a message, step by step", console.MessageShow),
		console.New("limits ls", "", "list what the limits hold up now", console.LimitList),
		console.New("limits show", "SUBJECT", "say why a number or an address is refused, or that it is not", console.LimitShow),
		console.New("limits lift", "SUBJECT", "let a number or an address through again", console.LimitLift),
		console.New("simulate", "", "be a GSM modem on a pseudo-terminal", p.simulate),
		console.New("backup", "[FILE]", "write a backup of the running box (- is stdout)", p.backup),
		console.New("restore", "FILE", "read a backup into an empty box (- is stdin)", p.restore),
		console.New("admin setup", "", "show the secret that sets the administrator's first password", console.AdminSetup),
		console.New("admin reset", "", "forget the administrator's password and sign-ins", console.AdminReset),
		console.New("clock status", "", "show box time and the wall clock", console.ClockStatus),
		console.New("clock accept", "", "step box time to the wall clock; live codes die", console.ClockAccept),
		console.New("opt-out ls", "", "list the numbers that have texted STOP", console.OptOutList),
		console.New("opt-out lift", "NUMBER", "send to a number again, if its holder asks for it", console.OptOutLift),
		console.New("webhook ls", "", "list the events that the servers of apps did not take", console.WebhookList),
		console.New("webhook replay", "[EVENT]", "deliver such an event anew, or with --all all of them", console.WebhookReplay),
		console.New("config check", "", "check the config file", p.configCheck),
		console.New("config show", "", "show the settings in force", p.configShow),
		console.New("version", "", "show the version", p.showVersion),
		console.New("support-bundle", "FILE", "collect what a helper needs to see, without numbers, codes and keys (- is stdout)", p.supportBundle),
		console.New("completion", "SHELL", "print what completes these commands in bash, zsh or fish", p.completion),
		{Name: "man", Summary: "print the manual page", Hidden: true, Run: p.manual},
	}
}

// The config file. Every section's zero value is never used: [defaults] comes
// first, then the file, the environment and the flags.

const defaultConfig = "/etc/pinferry/pinferry.toml"

// config is the file, section by section. The law of its names is the sample
// that ships with the unit.
type config struct {
	Server  serverSection  `toml:"server"`
	Storage storageSection `toml:"storage"`
	Modems  []modemSection `toml:"modem,omitempty"`
	Relays  []relaySection `toml:"relay,omitempty"`
	Routes  routesSection  `toml:"routes"`
	Apps    []appSection   `toml:"app,omitempty"`
	Limits  limitsSection  `toml:"limits"`
	Admin   adminSection   `toml:"admin"`
}

// adminSection is the operators' page.
type adminSection struct {
	Enabled bool   `toml:"enabled"`
	App     string `toml:"app,omitempty"` // whose codes are the second factor
}

type serverSection struct {
	Listen         string   `toml:"listen"`
	TLS            string   `toml:"tls"`
	TLSCert        string   `toml:"tls_cert,omitempty"`
	TLSKey         string   `toml:"tls_key,omitempty"`
	TrustedProxies []prefix `toml:"trusted_proxies"`
	Monitors       []prefix `toml:"monitors"`
}

// The ways to a certificate, as tls in [server] names them. Files that are named
// need no such word.
const (
	tlsLAN   = "lan"
	tlsFiles = "files"
)

// open tells whether whoever shares a network with the box can read what it says.
func (s serverSection) open() bool {
	host, _, err := net.SplitHostPort(s.Listen)
	a, bad := netip.ParseAddr(host)
	closed := err != nil || host == "localhost" || bad == nil && a.IsLoopback()
	return !closed && s.TLS == "" && s.TLSCert == "" && len(s.TrustedProxies) == 0
}

type storageSection struct {
	Dir    string   `toml:"dir"`
	Gather duration `toml:"gather"`
	Keep   duration `toml:"keep"`
}

type modemSection struct {
	Name    string `toml:"name"`
	Device  string `toml:"device"`
	PINFile string `toml:"pin_file,omitempty"`
	SMSC    string `toml:"smsc,omitempty"`
	Bearer  string `toml:"bearer,omitempty"`
	Number  string `toml:"number,omitempty"` // of the SIM, which people text to
	Roaming bool   `toml:"roaming"`
	// DailyCap is how many messages it may carry in 24 hours; 0 is no cap.
	DailyCap int `toml:"daily_cap,omitempty"`
	// Balance is the USSD code that the operator answers with the SIM's credit.
	Balance      string   `toml:"balance,omitempty"`
	BalanceEvery duration `toml:"balance_every,omitempty"`
	BalanceLow   float64  `toml:"balance_low,omitempty"`
}

// modem returns the modem as its room knows it, without the box around it and
// without its PIN.
func (m modemSection) modem() modem.Config {
	return modem.Config{
		SMSC: m.SMSC, Bearer: m.Bearer, Roaming: m.Roaming, Device: m.Device,
		Balance: modem.Balance{Code: m.Balance, Every: time.Duration(m.BalanceEvery), Low: m.BalanceLow},
	}
}

// relaySection is [relay.Config] as it is written.
type relaySection struct {
	Name              string            `toml:"name"`
	Kind              string            `toml:"kind"`
	URL               string            `toml:"url,omitempty"`
	From              string            `toml:"from,omitempty"`
	User              string            `toml:"user,omitempty"`
	SecretFile        string            `toml:"secret_file,omitempty"`
	CallbackFile      string            `toml:"callback_file,omitempty"`
	PublicURL         string            `toml:"public_url,omitempty"`
	Timeout           duration          `toml:"timeout,omitempty"`
	DailyCap          int               `toml:"daily_cap,omitempty"`
	Allow             []prefix          `toml:"allow,omitempty"`
	Insecure          bool              `toml:"insecure,omitempty"`
	CAFile            string            `toml:"ca_file,omitempty"`
	Template          string            `toml:"template,omitempty"`
	Language          string            `toml:"language,omitempty"`
	Subject           string            `toml:"subject,omitempty"`
	Method            string            `toml:"method,omitempty"`
	Headers           map[string]string `toml:"headers,omitempty"`
	Body              string            `toml:"body,omitempty"`
	ContentType       string            `toml:"content_type,omitempty"`
	SuccessStatus     []int             `toml:"success_status,omitempty"`
	SuccessField      string            `toml:"success_field,omitempty"`
	SuccessValues     []string          `toml:"success_values,omitempty"`
	Reference         string            `toml:"reference,omitempty"`
	IdempotencyHeader string            `toml:"idempotency_header,omitempty"`
}

type routesSection struct {
	Order []string `toml:"order"`
}

// appSection is [otp.App] as it is written. What is left out is its default.
type appSection struct {
	ID           string            `toml:"id"`
	Aliases      []string          `toml:"aliases,omitempty"`
	Name         string            `toml:"name,omitempty"`
	Keys         []digest          `toml:"keys,omitempty"`
	Doors        []string          `toml:"doors,omitempty"`
	Default      bool              `toml:"default,omitempty"`
	Hosts        []string          `toml:"hosts,omitempty"`
	Backends     []prefix          `toml:"backends,omitempty"`
	SafePrefixes []string          `toml:"safe_prefixes,omitempty"`
	Mode         otp.Mode          `toml:"mode,omitempty"`
	TestNumbers  map[string]string `toml:"test_numbers,omitempty"`
	CodeLength   int               `toml:"code_length,omitempty"`
	CodeTTL      duration          `toml:"code_ttl,omitempty"`
	Resend       otp.ResendPolicy  `toml:"resend,omitempty"`
	Sessions     *bool             `toml:"sessions,omitempty"`
	Private      bool              `toml:"private,omitempty"`
	Countries    []string          `toml:"countries,omitempty"`
	WebDomain    string            `toml:"web_domain,omitempty"`
	AndroidHash  string            `toml:"android_hash,omitempty"`
	Texts        map[string]string `toml:"texts,omitempty"`
	Origins      []string          `toml:"origins,omitempty"`
	Redirects    []string          `toml:"redirects,omitempty"`
	Login        bool              `toml:"login,omitempty"`
	Options      []string          `toml:"template_options,omitempty"`
	Inbound      bool              `toml:"inbound,omitempty"`
	// InboundSignIn trusts the sender of an SMS with a session.
	InboundSignIn bool            `toml:"inbound_sign_in,omitempty"`
	Email         bool            `toml:"email,omitempty"`
	OptOut        otp.OptOutScope `toml:"opt_out,omitempty"`
	// Captcha says when a start needs one, and the rest whose it is.
	Captcha           otp.CaptchaPolicy `toml:"captcha,omitempty"`
	CaptchaKind       string            `toml:"captcha_kind,omitempty"`
	CaptchaWork       int               `toml:"captcha_work,omitempty"`
	CaptchaSiteKey    string            `toml:"captcha_site_key,omitempty"`
	CaptchaSecretFile string            `toml:"captcha_secret_file,omitempty"`
	CaptchaRemoteIP   bool              `toml:"captcha_remote_ip,omitempty"`
	Webhook           string            `toml:"webhook,omitempty"`
	WebhookSecret     string            `toml:"webhook_secret_file,omitempty"`
	// WebhookAllow lists networks of one's own that the webhook may be in.
	WebhookAllow    []prefix `toml:"webhook_allow,omitempty"`
	WebhookInsecure bool     `toml:"webhook_insecure,omitempty"`
}

// limitsSection has the fields of [otp.Limits] that may be configured, under
// the same names. An empty list lifts a rule.
type limitsSection struct {
	SendsPerPhone        []otp.Rule `toml:"sends_per_phone"`
	SendsPerAddressPhone []otp.Rule `toml:"sends_per_address_phone"`
	SendsPerAddress      []otp.Rule `toml:"sends_per_address"`
	SendsPerBlock        []otp.Rule `toml:"sends_per_block"`
	SendsPerLargeBlock   []otp.Rule `toml:"sends_per_large_block"`
	SendsPerCountry      []otp.Rule `toml:"sends_per_country"`
	SendsPerBox          []otp.Rule `toml:"sends_per_box"`
	Backoff              []duration `toml:"backoff"`
	TriesPerPhone        []otp.Rule `toml:"tries_per_phone"`
	TriesPerAddressPhone []otp.Rule `toml:"tries_per_address_phone"`
	TriesPerAddress      []otp.Rule `toml:"tries_per_address"`
	TriesReserve         []otp.Rule `toml:"tries_reserve"`
	RefusalsPerAddress   []otp.Rule `toml:"refusals_per_address"`
	MessagesPerApp       []otp.Rule `toml:"messages_per_app"`

	ConversionPerBlock   []otp.Conversion `toml:"conversion_per_block"`
	ConversionPerCountry []otp.Conversion `toml:"conversion_per_country"`
}

func defaults() config {
	c := config{
		Server:  serverSection{Listen: "127.0.0.1:7467", TrustedProxies: []prefix{}, Monitors: []prefix{}},
		Storage: storageSection{Dir: "/var/lib/pinferry", Keep: duration(168 * time.Hour)},
		Routes:  routesSection{Order: []string{}},
		Admin:   adminSection{Enabled: true},
	}
	limits := otp.DefaultLimits()
	transfer(&c.Limits, &limits)
	return c
}

// transfer copies the lists of one struct into the fields of the same name of
// another, whose elements may have another type of the same shape.
func transfer(to, from any) {
	dst, src := reflect.ValueOf(to).Elem(), reflect.ValueOf(from).Elem()
	for i := range dst.NumField() {
		list := src.FieldByName(dst.Type().Field(i).Name)
		if !list.IsValid() {
			continue
		}
		field := dst.Field(i)
		field.Set(reflect.MakeSlice(field.Type(), list.Len(), list.Len()))
		for j := range list.Len() {
			field.Index(j).Set(list.Index(j).Convert(field.Type().Elem()))
		}
	}
}

// What the file writes as otp does.
type (
	duration = otp.Duration // "5m", "168h"
	prefix   = otp.Network  // "10.0.0.0/8", or "10.0.0.7" for one address
	digest   = otp.Digest   // "sha256:" and 64 hex digits
)

// digestOf returns the digest by which the box knows a key.
func digestOf(key string) digest { return otp.DigestOf(key) }

// options are the flags that stand above the file.
type options struct{ config, listen, dir string }

// withFile adds the flags that say where the config file and the data are.
func withFile(in *console.Invocation) *options {
	o := &options{}
	in.StringVar(&o.config, "config", "", "config `file` (default "+defaultConfig+")")
	in.StringVar(&o.dir, "dir", "", "the `directory` of the data")
	return o
}

// withOptions adds every flag that stands above the file.
func withOptions(in *console.Invocation) *options {
	o := withFile(in)
	in.StringVar(&o.listen, "listen", "", "listen on this `address`")
	return o
}

// dataDir is the directory of the data, also when the file cannot be used and
// pl is nil.
func (o *options) dataDir(pl *plan) string {
	if pl != nil {
		return pl.Storage.Dir
	}
	return cmp.Or(o.dir, defaults().Storage.Dir)
}

// load reads the file, lays environment and flags over it, and checks the
// whole.
func (p *program) load(o *options) (*plan, error) {
	c := defaults()
	path, missing := o.config, ""
	if path == "" {
		path = defaultConfig
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && o.config == "": // a box without a file runs, without apps
		missing = path
		c.Modems = []modemSection{{Name: "gsm0", Device: deviceAuto}}
	case err != nil:
		return nil, fmt.Errorf("read the config file: %w", err)
	default:
		at := func(line int) string { return fmt.Sprintf("%s:%d", path, line) }
		if err := decode(at, text, &c); err != nil {
			return nil, err
		}
	}
	if err := c.override(p.environ); err != nil {
		return nil, err
	}
	if o.listen != "" {
		c.Server.Listen = o.listen
	}
	if o.dir != "" { // as the shell means it, and not the service
		if c.Storage.Dir, err = filepath.Abs(o.dir); err != nil {
			return nil, fmt.Errorf("read --dir: %w", err)
		}
	}
	for _, a := range c.Apps {
		if slices.Contains(a.Keys, digestOf(demoPublishable)) || slices.Contains(a.Keys, digestOf(demoSecret)) {
			return nil, fmt.Errorf("%s: [[app]] %q: keys: the keys of the demo are public; make others by `pinferry key new %s`", path, a.ID, a.ID)
		}
	}
	checked, err := c.check()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	checked.missing = missing
	return checked, nil
}

// decode reads TOML into a pointer to a struct; at names a line of it. An
// unknown key is an error that names the nearest key there is.
func decode(at func(line int) string, source []byte, into any) error {
	err := toml.NewDecoder(bytes.NewReader(source)).DisallowUnknownFields().Decode(into)
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch {
	case errors.As(err, &unknown):
		var all []error
		for _, e := range unknown.Errors {
			line, _ := e.Position()
			key := e.Key()
			section, name := key[:len(key)-1], key[len(key)-1]
			hint := ""
			if known := keysOf(reflect.TypeOf(into).Elem(), section); len(known) > 0 {
				near, _ := text.Nearest(name, known)
				hint = fmt.Sprintf("; did you mean %q?", near)
			}
			all = append(all, fmt.Errorf("%s: unknown key %q%s", at(line), strings.Join(key, "."), hint))
		}
		return errors.Join(all...)
	case errors.As(err, &wrong):
		line, _ := wrong.Position()
		// The library goes on to name the field of our struct.
		words, _, _ := strings.Cut(strings.TrimPrefix(wrong.Error(), "toml: "), " into struct field")
		words = strings.Replace(words, "cannot decode TOML ", "this key takes no ", 1)
		if strings.HasSuffix(words, "at start of value") {
			words += "; a text stands in quotes"
		}
		if key := strings.Join(wrong.Key(), "."); key != "" {
			words = key + ": " + words
		}
		return fmt.Errorf("%s: %s", at(line), words)
	}
	return err
}

// keysOf returns the keys that a section of the file may have.
func keysOf(t reflect.Type, section []string) (keys []string) {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("toml"), ",")
		if len(section) > 0 && section[0] == key {
			return keysOf(t.Field(i).Type, section[1:])
		}
		keys = append(keys, key)
	}
	if len(section) > 0 {
		return nil
	}
	return keys
}

// override lays PINFERRY_SERVER_LISTEN and its like over the file. A list is
// given with commas.
func (c *config) override(environ []string) error {
	sections := map[string]any{
		"SERVER": &c.Server, "STORAGE": &c.Storage, "ROUTES": &c.Routes, "LIMITS": &c.Limits,
	}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		ours, ok := strings.CutPrefix(name, "PINFERRY_")
		section, key, _ := strings.Cut(ours, "_")
		into, known := sections[section]
		if !ok || !known {
			continue
		}
		key = strings.ToLower(key)
		given := console.Quote(value)
		if isList(reflect.TypeOf(into).Elem(), key) {
			given = ""
			for _, one := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
				given += console.Quote(one) + ", "
			}
			given = "[" + given + "]"
		}
		text := []byte(console.Quote(key) + " = " + given)
		if err := decode(func(int) string { return "environment " + name }, text, into); err != nil {
			return err
		}
	}
	return nil
}

func isList(section reflect.Type, key string) bool {
	for i := range section.NumField() {
		if tag, _, _ := strings.Cut(section.Field(i).Tag.Get("toml"), ","); tag == key {
			return section.Field(i).Type.Kind() == reflect.Slice
		}
	}
	return false
}

// shareable is the config without what is nobody else's business, beyond what
// can be told by its look: credentials in addresses, in headers and in bodies,
// and the codes of test numbers.
func (c config) shareable() config {
	c.Relays, c.Apps = slices.Clone(c.Relays), slices.Clone(c.Apps)
	for i := range c.Relays {
		r := &c.Relays[i]
		r.URL, r.PublicURL = console.Origin(r.URL), console.Origin(r.PublicURL)
		for _, secret := range []*string{&r.User, &r.Body} {
			if *secret != "" {
				*secret = console.Removed
			}
		}
		headers := map[string]string{}
		for name := range r.Headers {
			headers[name] = console.Removed
		}
		r.Headers = headers
	}
	for i := range c.Apps {
		c.Apps[i].Webhook, c.Apps[i].TestNumbers = console.Origin(c.Apps[i].Webhook), nil
	}
	return c
}

// What the rooms are given of the config, once it is found to be right.

// plan is a config that has been checked, with what the rooms are given.
type plan struct {
	config
	apps    *otp.Apps
	limits  otp.Limits
	missing string // the usual config file, which is not there; "" if it is
}

// nameForm is the form of an app's id and of a modem's name.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// check refuses every value that could not work, naming its key.
func (c config) check() (*plan, error) {
	host, port, err := net.SplitHostPort(c.Server.Listen)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n > 65535 {
		return nil, fmt.Errorf(`[server] listen = %q: write an address and a port, "127.0.0.1:7467"`, c.Server.Listen)
	} else if _, err := netip.ParseAddr(host); host != "" && host != "localhost" && err != nil {
		return nil, fmt.Errorf(`[server] listen = %q: give the address as digits, "127.0.0.1:7467", or leave it out for every address`, c.Server.Listen)
	}
	if err := c.Server.check(); err != nil {
		return nil, err
	}
	if !filepath.IsAbs(c.Storage.Dir) {
		return nil, fmt.Errorf("[storage] dir = %q: write an absolute path", c.Storage.Dir)
	}
	if c.Storage.Gather > duration(time.Second) {
		return nil, fmt.Errorf("[storage] gather = %q: at most 1s, or every answer waits", time.Duration(c.Storage.Gather))
	}
	if c.Storage.Keep != duration(168*time.Hour) {
		return nil, errors.New(`[storage] keep: this build keeps messages for "168h"; remove the key`)
	}
	for i := range c.Modems {
		if c.Modems[i].Device == "" {
			c.Modems[i].Device = deviceAuto
		}
	}
	if err := c.checkRoutes(); err != nil {
		return nil, err
	}
	apps := make([]otp.App, len(c.Apps))
	for i, a := range c.Apps {
		apps[i] = a.app()
	}
	pl := &plan{config: c, limits: otp.DefaultLimits()}
	transfer(&pl.limits, &c.Limits)
	pl.limits.SendsPerRoute = c.caps()
	if pl.apps, err = otp.NewApps(apps, modem.Segments); err != nil {
		return nil, err
	}
	if err := server.CheckApps(pl.apps); err != nil {
		return nil, err
	}
	for _, a := range c.Apps {
		if err := a.checkCaptcha(); err != nil {
			return nil, fmt.Errorf("[[app]] %q: %w", a.ID, err)
		}
	}
	for _, t := range c.targets() {
		if err := t.Check(); err != nil {
			return nil, fmt.Errorf("[[app]] %q: %w", t.App, err)
		}
	}
	if err := pl.limits.Validate(pl.apps); err != nil {
		return nil, err
	}
	if _, ok := pl.apps.ByID(c.Admin.App); c.Admin.App != "" && !ok {
		return nil, fmt.Errorf("[admin] app = %q: there is no such app in the config file", c.Admin.App)
	}
	return pl, nil
}

// check refuses settings of TLS of which one contradicts another.
func (s serverSection) check() error {
	switch {
	case (s.TLSCert == "") != (s.TLSKey == ""):
		return errors.New("[server] tls_cert, tls_key: a certificate needs its key; name both files, or neither")
	case s.TLS == tlsLAN && s.TLSCert != "":
		return errors.New(`[server] tls = "lan" makes certificates, and tls_cert, tls_key name your own: take one of the two away`)
	case s.TLS == tlsFiles && s.TLSCert == "":
		return errors.New(`[server] tls = "files": name the files in tls_cert and tls_key`)
	case s.TLS != "" && s.TLS != tlsLAN && s.TLS != tlsFiles:
		return fmt.Errorf(`[server] tls = %q: say "lan" for certificates that the box makes, "files" for those in tls_cert and tls_key, or "" for plain HTTP`, s.TLS)
	}
	return nil
}

// caps are the daily caps of the routes that have one.
func (c config) caps() map[string][]otp.Rule {
	all := map[string][]otp.Rule{}
	add := func(name string, most int) {
		if most > 0 {
			all[name] = []otp.Rule{{Count: most, Window: 24 * time.Hour}}
		}
	}
	for _, m := range c.Modems {
		add(m.Name, m.DailyCap)
	}
	for _, r := range c.Relays {
		add(r.Name, r.DailyCap)
	}
	return all
}

// checkRoutes checks the modems and relays, their order, and that no real code
// can go where no handset is.
func (c config) checkRoutes() error {
	var names []string
	call := func(section string, i int, name string) error {
		if !nameForm.MatchString(name) {
			return fmt.Errorf("[[%s]] number %d: name = %q: use 1 to 64 of A-Z a-z 0-9 _ -", section, i+1, name)
		}
		if slices.Contains(names, name) {
			return fmt.Errorf("[[%s]] name = %q is used twice: give each modem and relay its own", section, name)
		}
		names = append(names, name)
		return nil
	}
	for i, m := range c.Modems {
		if err := call("modem", i, m.Name); err != nil {
			return err
		}
		if err := m.check(); err != nil {
			return fmt.Errorf("[[modem]] %s: %w", m.Name, err)
		}
		for _, a := range c.Apps {
			if m.Device == deviceNull && a.Mode != otp.Test {
				return fmt.Errorf(`[[modem]] %s: device = "null" reaches no handset and app %q is in production: put the app in mode = "test" or remove the modem`, m.Name, a.ID)
			}
		}
	}
	for i, r := range c.Relays {
		if err := call("relay", i, r.Name); err != nil {
			return err
		}
		if r.DailyCap < 0 {
			return fmt.Errorf("[[relay]] %s: daily_cap = %d: write how many messages it may carry in 24 hours, or leave it out", r.Name, r.DailyCap)
		}
		settings := r.relay()
		if err := settings.Check(); err != nil {
			return fmt.Errorf("[[relay]] %s: %w", r.Name, err)
		}
	}
	for i, name := range c.Routes.Order {
		if !slices.Contains(names, name) {
			return fmt.Errorf("[routes] order names %q, and no [[modem]] or [[relay]] is called so", name)
		}
		if slices.Contains(c.Routes.Order[:i], name) {
			return fmt.Errorf("[routes] order names %q twice", name)
		}
	}
	if len(c.Routes.Order) > 0 && len(c.Routes.Order) < len(names) {
		i := slices.IndexFunc(names, func(n string) bool { return !slices.Contains(c.Routes.Order, n) })
		return fmt.Errorf("[routes] order leaves out %q, which would never be used: add it, or remove its section", names[i])
	}
	return nil
}

// relay returns the relay as its room knows it, without the box around it.
func (r relaySection) relay() relay.Config {
	return relay.Config{
		Kind: r.Kind, URL: r.URL, From: r.From, User: r.User, SecretFile: r.SecretFile, CallbackFile: r.CallbackFile,
		PublicURL: r.PublicURL, Timeout: time.Duration(r.Timeout), Allow: otp.Prefixes(r.Allow), Insecure: r.Insecure, CAFile: r.CAFile,
		Template: r.Template, Language: r.Language, Subject: r.Subject,
		Webhook: relay.Webhook{
			Method: r.Method, Headers: r.Headers, Body: r.Body, ContentType: r.ContentType, SuccessStatus: r.SuccessStatus,
			SuccessField: r.SuccessField, SuccessValues: r.SuccessValues, Reference: r.Reference, IdempotencyHeader: r.IdempotencyHeader,
		},
	}
}

// mails tells whether a relay carries email.
func (c config) mails() bool {
	return slices.ContainsFunc(c.Relays, func(r relaySection) bool {
		settings := r.relay()
		return settings.Channel() == otp.ChannelEmail
	})
}

// open reads the files of the relay and returns the route.
func (r relaySection) open(now func() otp.Time, log zerolog.Logger) (*relay.Relay, error) {
	settings := r.relay()
	settings.Now, settings.Log = now, log
	route, err := relay.New(r.Name, settings)
	if err != nil {
		return nil, fmt.Errorf("[[relay]] %s: %w", r.Name, err)
	}
	return route, nil
}

// Devices that are not a path.
const (
	deviceAuto      = "auto"
	deviceSimulator = "sim:"
	deviceNull      = "null"
)

var (
	smscDigits = regexp.MustCompile(`^\+?[0-9]{3,15}$`)
	ownNumber  = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
)

// imeiForm is how a stick is named by what stays when it is plugged in elsewhere.
var imeiForm = regexp.MustCompile(`^imei:[0-9]{15}$`)

func (m modemSection) check() error {
	switch {
	case m.Device == deviceAuto, m.Device == deviceSimulator, m.Device == deviceNull, filepath.IsAbs(m.Device):
	case imeiForm.MatchString(m.Device):
	default:
		return fmt.Errorf(`device = %q: write %q, "imei:" and the 15 digits of a modem, a path, %q or %q`, m.Device, deviceAuto, deviceSimulator, deviceNull)
	}
	switch {
	case m.PINFile != "" && !filepath.IsAbs(m.PINFile):
		return fmt.Errorf("pin_file = %q: write an absolute path", m.PINFile)
	case m.Balance == "" && (m.BalanceEvery != 0 || m.BalanceLow != 0):
		return errors.New(`balance_every, balance_low: give the code that tells the credit as well, balance = "*100#"`)
	case m.BalanceEvery != 0 && m.BalanceEvery < duration(time.Hour):
		return fmt.Errorf("balance_every = %q: at least 1h, for some operators charge for the question", time.Duration(m.BalanceEvery))
	case m.Number != "" && !ownNumber.MatchString(m.Number):
		return fmt.Errorf(`number = %q: write the SIM's own number in international form, "+41791234567"`, m.Number)
	case m.SMSC != "" && !smscDigits.MatchString(m.SMSC):
		return fmt.Errorf(`smsc = %q: write the number of the service centre, "+41794999000"`, m.SMSC)
	case m.DailyCap < 0:
		return fmt.Errorf("daily_cap = %d: write how many messages it may carry in 24 hours, or leave it out", m.DailyCap)
	}
	settings := m.modem()
	return settings.Validate()
}

// app returns the app as otp knows it; [otp.NewApps] checks it.
func (a appSection) app() otp.App {
	app := otp.App{
		ID: a.ID, Aliases: a.Aliases, Name: a.Name, Doors: a.Doors, Default: a.Default, Hosts: a.Hosts,
		Backends: otp.Prefixes(a.Backends), SafePrefixes: a.SafePrefixes, Mode: a.Mode, TestNumbers: a.TestNumbers,
		CodeLength: a.CodeLength, CodeTTL: time.Duration(a.CodeTTL), Resend: a.Resend,
		Sessions: a.Sessions == nil || *a.Sessions, Private: a.Private, Countries: a.Countries,
		WebDomain: a.WebDomain, AndroidHash: a.AndroidHash, Texts: a.Texts, Origins: a.Origins,
		Redirects: a.Redirects, Login: a.Login, Options: a.Options, Inbound: a.Inbound, InboundSignIn: a.InboundSignIn,
		OptOut: a.OptOut, Email: a.Email, Events: a.Webhook != "", Captcha: a.Captcha,
	}
	for _, d := range a.Keys {
		app.Keys = append(app.Keys, d)
	}
	return app
}

// ownCaptcha tells whether the box makes the app's captchas itself.
func (a appSection) ownCaptcha() bool { return a.CaptchaKind == "" || a.CaptchaKind == captcha.Own }

// captcha returns the service of the app's captchas as its room knows it.
func (a appSection) captcha() relay.CaptchaConfig {
	c := relay.CaptchaConfig{
		App: a.ID, Kind: a.CaptchaKind, SiteKey: a.CaptchaSiteKey, SecretFile: a.CaptchaSecretFile, RemoteIP: a.CaptchaRemoteIP,
	}
	for _, host := range a.Hosts {
		name, _, _ := strings.Cut(host, ":")
		c.Hosts = append(c.Hosts, name)
	}
	for _, origin := range a.Origins {
		if at, err := url.Parse(origin); err == nil && at.Hostname() != "" {
			c.Hosts = append(c.Hosts, at.Hostname())
		}
	}
	return c
}

// checkCaptcha refuses captchas that could not work, naming the key.
func (a appSection) checkCaptcha() error {
	if !a.ownCaptcha() {
		if a.CaptchaWork != 0 {
			return fmt.Errorf("captcha_work: it is for captcha_kind = %q", captcha.Own)
		}
		service := a.captcha()
		if err := service.Check(); err != nil {
			return fmt.Errorf("%w; captcha_kind = %q is the box's own", err, captcha.Own)
		}
		if a.Login && len(a.Redirects) > 0 && a.Captcha != "" && a.Captcha != otp.CaptchaOff {
			return fmt.Errorf("captcha_kind: the sign-in page loads nothing from outside the box, so with login = true it is %q; or take redirects away and have the widget alone", captcha.Own)
		}
		return nil
	}
	switch {
	case a.CaptchaSiteKey != "" || a.CaptchaSecretFile != "" || a.CaptchaRemoteIP:
		return fmt.Errorf("captcha_site_key, captcha_secret_file, captcha_remote_ip: they are for a captcha_kind of %s", strings.Join(relay.CaptchaKinds(), ", "))
	case a.CaptchaWork != 0 && (a.CaptchaWork < captcha.MinWork || a.CaptchaWork > captcha.MaxWork):
		return fmt.Errorf("captcha_work = %d: use %d to %d; a phone takes about a second for %d", a.CaptchaWork, captcha.MinWork, captcha.MaxWork, captcha.DefaultWork)
	}
	return nil
}

// targets are where the events of the apps go that want any.
func (c config) targets() (all []relay.Target) {
	for _, a := range c.Apps {
		if a.Webhook != "" {
			all = append(all, relay.Target{
				App: a.ID, URL: a.Webhook, SecretFile: a.WebhookSecret,
				Egress: relay.EgressConfig{Allow: otp.Prefixes(a.WebhookAllow), Insecure: a.WebhookInsecure},
			})
		}
	}
	return all
}

// The box, from its opening to its end.

// daemon is a box that runs: every room, opened and wired.
type daemon struct {
	log    zerolog.Logger
	notify *systemd.Notifier
	db     *kv.DB
	box    *otp.Box
	outbox *otp.Outbox
	server *server.Server
	// relays are those of the routes that are relays, by name. Nothing changes
	// them once the routes are open.
	relays map[string]*relay.Relay
	// modems are those of the routes that are modems, by name, as relays are.
	modems map[string]*modem.Gateway
	// captchas are those of the apps that a service judges, by app id.
	captchas map[string]*relay.Captcha
	// secret is that by which the operators' first password is set; "" once it is.
	secret string
	// pretended is the built-in simulator, and handset its own; nil without one.
	pretended *simulator.Modem
	handset   *simulator.Handset
	// certificate tells how what the server shows by TLS stands; nil without TLS.
	certificate func() cert.State

	// The outbox and its routes run until stopOutbox. What they may need on
	// their way down, simulators and the upkeep of the database, runs until
	// stopRest.
	stopOutbox, stopRest context.CancelFunc
	rest                 sync.WaitGroup
	outboxDone           chan struct{}
	ended                chan error // a part that ended by itself
}

// place is where a daemon stands on its machine.
type place struct {
	socket string
	env    func(string) string
	demo   bool
}

// openDaemon opens the rooms in the order in which they need one another. It
// listens before it looks for a network: the first answer must not wait for a
// modem.
func openDaemon(pl *plan, at place, log zerolog.Logger) (d *daemon, err error) {
	ctx, stop := context.WithCancel(context.Background())
	d = &daemon{
		log: log, notify: systemd.New(at.env), stopRest: stop, stopOutbox: func() {},
		outboxDone: make(chan struct{}), ended: make(chan error, 3), relays: map[string]*relay.Relay{},
		modems: map[string]*modem.Gateway{}, captchas: map[string]*relay.Captcha{},
	}
	defer func() {
		if err != nil {
			close(d.outboxDone)
			err = errors.Join(err, d.close())
		}
	}()
	clock := otp.NewClock(otp.ClockSource{
		Suspended: systemd.Suspended(), Build: thisBuild().date,
		Boot: func() otp.Boot {
			id, elapsed := systemd.Boot()
			return otp.Boot{ID: id, Elapsed: elapsed}
		},
	})
	if err := d.openStore(ctx, pl, at, clock); err != nil {
		return d, err
	}
	set := metrics.NewSet()
	d.box.Apps, d.box.Limits, d.box.Metrics = pl.apps, pl.limits, otp.NewMetrics(set)
	routes, err := d.openRoutes(ctx, pl, set)
	if err != nil {
		return d, err
	}
	if err := d.openEvents(ctx, pl, set); err != nil {
		return d, err
	}
	d.outbox = otp.NewOutbox(d.box, routes)
	d.measure(set)
	verifications, directory := otp.NewVerifications(d.box, d.outbox), otp.NewDirectory(d.box)
	operators := otp.NewOperators(d.box, verifications, admin.NewPasswords(), pl.Admin.App)
	if err := d.openOffice(ctx, operators); err != nil {
		return d, err
	}
	mint, err := token.Open(token.Config{
		Dir: kv.KeysDir(pl.Storage.Dir), Apps: pl.apps.All(), Needs: server.Algorithms, Sessions: directory,
		Seal: d.box.Keys.Seal, Now: clock.Now, Build: clock.Build(), Log: log,
	})
	if err != nil {
		return d, err
	}
	captchas, err := d.openCaptchas(pl, verifications)
	if err != nil {
		return d, err
	}
	settings := server.Config{
		Listen: pl.Server.Listen, Socket: at.socket, TrustedProxies: otp.Prefixes(pl.Server.TrustedProxies),
		Monitors: otp.Prefixes(pl.Server.Monitors),
		Apps:     pl.apps, Verifications: verifications, Outbox: d.outbox, Directory: directory, Mint: mint,
		Doors: server.Doors(verifications, directory, mint, pl.apps), Captcha: captchas, Seal: d.box.Keys.Seal,
		Log: log, Metrics: set, Causes: d.causes, Admin: d.actions(pl, clock.Now()),
	}
	if err := d.openTLS(pl, &settings); err != nil {
		return d, err
	}
	settings.Admin.Directory = directory
	if pl.Admin.Enabled {
		settings.Admin.Operators = operators
	}
	for _, r := range pl.Relays {
		if at, err := url.Parse(r.PublicURL); err == nil && at.Host != "" {
			settings.Hooks, settings.Hosts = d.hooks, append(settings.Hosts, at.Host)
		}
	}
	if at.demo {
		settings.Handset, settings.Text = d.arrivals, d.text
	}
	listener := server.New(settings)
	if err := listener.Open(); err != nil {
		return d, err
	}
	d.server = listener
	return d, nil
}

// openTLS gives the server what it shows of itself. The database is open, so that
// no other process makes the same authority.
func (d *daemon) openTLS(pl *plan, settings *server.Config) error {
	var err error
	switch {
	case pl.Server.TLSCert != "":
		var files *cert.Files
		if files, err = cert.NewFiles(pl.Server.TLSCert, pl.Server.TLSKey, d.box.Clock.Now, d.log); err == nil {
			settings.TLS, d.certificate = files, files.State
		}
	case pl.Server.TLS == tlsLAN:
		keep := func(name string, create func() ([]byte, error)) ([]byte, error) {
			return kv.KeyFile(pl.Storage.Dir, name, create)
		}
		host, _ := os.Hostname() // a host that tells no name is known by its addresses
		var lan *cert.LAN
		if lan, err = cert.OpenLAN(host, d.box.Clock, keep, cert.LANConfig{Log: d.log}); err == nil {
			settings.TLS, settings.Authority, d.certificate = lan, lan, lan.State
		}
	}
	if err != nil {
		return fmt.Errorf("[server] tls: %w", err)
	}
	return nil
}

// openStore opens the database and unlocks it with the box key.
func (d *daemon) openStore(ctx context.Context, pl *plan, at place, clock *otp.Clock) error {
	kv.TuneMemory()
	var err error
	d.db, err = kv.Open(kv.Config{
		Dir: pl.Storage.Dir, Gather: time.Duration(pl.Storage.Gather), Now: clock.Now,
		Log: d.log, Build: thisBuild().version,
	})
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; be the user that owns the directory, or name another by --dir or [storage] dir", err)
	} else if err != nil {
		return err
	}
	// The directory is locked now, so only one process can make its key.
	secret, err := kv.BoxKey(pl.Storage.Dir, systemd.Credential(at.env, "box.key"))
	if err != nil {
		return err
	}
	keys, err := otp.NewKeys(secret)
	if err != nil {
		return err
	}
	d.box = &otp.Box{
		Store: d.db, Clock: clock, Keys: keys, Log: d.log, Low: d.db.Low,
		Chart: otp.NewChart(d.db, clock), Feed: otp.NewFeed(),
	}
	replaced, err := d.box.Open(ctx, d.db.Lost())
	if err != nil {
		return fmt.Errorf("open the box: %w", err)
	}
	d.rest.Go(func() {
		if err := d.db.Run(ctx); err != nil {
			d.ended <- fmt.Errorf("keep the database: %w", err)
		}
	})
	switch {
	case d.db.Lost():
		d.log.Warn().Msg("the database was restored or has lost commits: no earlier code is valid")
	case replaced:
		d.log.Info().Msg("the box is new or has another key: no earlier code is valid")
	}
	return nil
}

// openEvents sets the queue of events going, and what delivers them.
func (d *daemon) openEvents(ctx context.Context, pl *plan, set *metrics.Set) error {
	d.box.Events, d.box.Numbers = otp.NewEvents(d.box), map[string]string{}
	for _, m := range pl.Modems {
		d.box.Numbers[m.Name] = m.Number
	}
	deliveries := func(app, result string) *metrics.Counter {
		return set.GetOrCreateCounter(fmt.Sprintf("pinferry_webhook_deliveries_total{app=%q,result=%q}", app, result))
	}
	for _, t := range pl.targets() {
		for _, result := range []string{"delivered", "failed", "dead"} {
			deliveries(t.App, result) // from zero on, so that a rate sees the first
		}
	}
	count := func(app, result string) { deliveries(app, result).Inc() }
	notifier, err := relay.NewNotifier(d.box.Events, pl.targets(), d.box.Clock.Now, count, d.log)
	if err != nil {
		return err
	}
	d.rest.Go(func() { notifier.Run(ctx) })
	return nil
}

// openCaptchas gives every app a judge of its captchas, and returns what hands
// them out.
func (d *daemon) openCaptchas(pl *plan, verifications *otp.Verifications) (*captcha.Door, error) {
	own := captcha.NewAltcha(d.box.Keys.Seal, d.box.Clock.Now)
	offers := map[string]captcha.Offer{}
	d.box.NoCaptcha, d.box.Provers = server.DoorsWithoutCaptcha(), map[string]otp.Prover{}
	for _, a := range pl.Apps {
		offers[a.ID] = captcha.Offer{Kind: a.CaptchaKind, SiteKey: a.CaptchaSiteKey, Work: a.CaptchaWork}
		d.box.Provers[a.ID] = own
		if a.ownCaptcha() {
			continue
		}
		settings := a.captcha()
		settings.Now, settings.Log = d.box.Clock.Now, d.log
		service, err := relay.NewCaptcha(settings)
		if err != nil {
			return nil, fmt.Errorf("[[app]] %q: %w", a.ID, err)
		}
		d.captchas[a.ID], d.box.Provers[a.ID] = service, service
	}
	return captcha.NewDoor(own, verifications, pl.apps, offers), nil
}

// openOffice opens what the operators have: their account, and the chart. It
// tells the setup secret while there is no password yet.
func (d *daemon) openOffice(ctx context.Context, operators *otp.Operators) error {
	if err := operators.Open(ctx); err != nil {
		return fmt.Errorf("open the operators' account: %w", err)
	}
	if err := d.box.Chart.Open(ctx); err != nil {
		return fmt.Errorf("open the chart: %w", err)
	}
	d.rest.Go(func() {
		if err := d.box.Chart.Run(ctx); err != nil {
			d.log.Error().Err(err).Msg("the chart is not written any more")
		}
	})
	if err := d.box.Feed.Recall(ctx, otp.NewDesk(d.box, d.outbox)); err != nil {
		d.log.Error().Err(err).Msg("the last messages cannot be read, so the operators' page shows none yet")
	}
	d.secret = operators.SetupSecret()
	return nil
}

// openRoutes makes the ways out, in the order in which they are tried.
func (d *daemon) openRoutes(ctx context.Context, pl *plan, set *metrics.Set) ([]otp.Route, error) {
	var routes []otp.Route
	finder := modem.NewFinder(modem.FinderConfig{Log: d.log})
	d.rest.Go(func() { finder.Watch(ctx) })
	for _, m := range pl.Modems {
		if m.Device == deviceNull {
			routes = append(routes, modem.NewNull(m.Name))
			continue
		}
		settings, err := d.settings(m, set)
		if err != nil {
			return nil, fmt.Errorf("[[modem]] %s: %w", m.Name, err)
		}
		var open func(context.Context) (modem.Port, error)
		settings.Dropped = func(why string) { d.box.Metrics.Dropped(m.Name, why) }
		if m.Device == deviceSimulator {
			d.log.Info().Str("route", m.Name).Msg("this modem is simulated: its messages reach no real handset")
			pretended := simulator.New(simulator.Config{Now: d.std, Log: d.log})
			pty, err := simulator.OpenPTY()
			if err != nil {
				return nil, fmt.Errorf("[[modem]] %s: open a pseudo-terminal: %w", m.Name, err)
			}
			d.rest.Go(func() { simulator.Run(ctx, pretended, pty) })
			d.pretended, d.handset, open, settings.Kind = pretended, pretended.Handset(), modem.OpenTTY(pty.Path()), "simulator"
		} else {
			search := finder.Seek(m.Name, m.Device)
			open, settings.Wake, settings.Reset = search.Open, search.Wake(), search.Reset
		}
		gateway := modem.New(m.Name, open, settings)
		d.modems[m.Name] = gateway
		routes = append(routes, gateway)
	}
	for _, r := range pl.Relays {
		route, err := r.open(d.box.Clock.Now, d.log)
		if err != nil {
			return nil, err
		}
		d.relays[r.Name] = route
		routes = append(routes, route)
	}
	if len(pl.Routes.Order) > 0 {
		sort.Slice(routes, func(i, j int) bool {
			return slices.Index(pl.Routes.Order, routes[i].Name()) < slices.Index(pl.Routes.Order, routes[j].Name())
		})
	}
	return routes, nil
}

// settings are what a modem is told of its config and of the box around it.
func (d *daemon) settings(m modemSection, set *metrics.Set) (modem.Config, error) {
	settings := m.modem()
	settings.Now, settings.Log = d.box.Clock.Now, d.log
	settings.Memory, settings.Seal = modem.NewMemory(d.db), d.box.Keys.Seal
	settings.Heard = func(at otp.Time) { d.box.Clock.Hear(m.Name, at) }
	recoveries := func(rung string) *metrics.Counter {
		return set.GetOrCreateCounter(fmt.Sprintf("pinferry_modem_recoveries_total{modem=%q,step=%q}", m.Name, rung))
	}
	for _, rung := range modem.Rungs() {
		recoveries(rung) // from zero on, so that a rate sees the first
	}
	settings.Climbed = func(rung string) { recoveries(rung).Inc() }
	var err error
	settings.PIN, err = modem.ReadPIN(m.PINFile)
	return settings, err
}

// hooks takes the reports of providers to the relay that they are for. Callers
// who prove nothing learn nothing, but that a relay is there which answers a
// challenge.
func (d *daemon) hooks(c *web.Call) error {
	name, token := relay.SplitHook(c.Param)
	to, known := d.relays[name]
	if echo, ok := to.Challenge(c.Query("hub.challenge")); ok && c.HTTP.IsGet() {
		c.HTTP.SetContentType("text/plain")
		c.HTTP.SetBodyString(echo)
		return nil
	}
	err := relay.ErrUnproven
	if known && c.HTTP.IsPost() {
		err = to.Callback(relay.Callback{
			Token: token, Target: string(c.HTTP.Request.Header.RequestURI()), Header: c.Header, Body: c.Body(),
		})
	}
	switch {
	case errors.Is(err, relay.ErrUnproven):
		return web.NoPath()
	case err != nil:
		return web.Invalid("The report cannot be read.")
	}
	return nil // 200 and no more: some take nothing else for an answer
}

// std is box time for rooms that know the standard library's.
func (d *daemon) std() time.Time { return d.box.Clock.Now().Std() }

// arrivals is what the virtual handset has received.
func (d *daemon) arrivals() (all []server.Arrival) {
	for _, m := range d.handset.Messages() {
		all = append(all, server.Arrival{To: m.To, Text: m.Text, At: otp.TimeOf(m.At)})
	}
	return all
}

// text has the virtual handset text the box.
func (d *daemon) text(from, text string) error { return d.pretended.Deliver(from, text) }

// causes tells /readyz what keeps the box from working, beyond apps and routes.
func (d *daemon) causes() (all []server.Cause) {
	if d.db.Low() {
		all = append(all, server.Cause{Code: string(otp.StorageLow), Detail: "Free some space on the disk of the data directory."})
	}
	return all
}

// actions are what the commands can ask of the daemon.
func (d *daemon) actions(pl *plan, started otp.Time) admin.Actions {
	return admin.Actions{
		Status: func(context.Context) (admin.Status, error) {
			return admin.Status{
				Version: thisBuild().version, Started: web.Time(started), Dir: pl.Storage.Dir,
				Free: d.db.Stats().Free, Low: d.db.Low(),
			}, nil
		},
		Clock: func(context.Context) (admin.Clock, error) {
			return admin.ClockOf(d.box.Clock, systemd.Synchronised()), nil
		},
		Modem: func(route string) (admin.Modem, bool) {
			g, ok := d.modems[route]
			return g, ok
		},
		AcceptClock: func(ctx context.Context) error { return d.box.Clock.Accept(ctx, d.db) },
		Backup:      d.db.Backup,
		OptOuts:     d.outbox,
		Events:      d.box.Events,
		Facts:       func(ctx context.Context) (admin.Facts, error) { return d.facts(ctx, pl) },
		Desk:        otp.NewDesk(d.box, d.outbox), Trail: otp.NewTrail(d.box), Chart: d.box.Chart, Feed: d.box.Feed,
		Outbox: d.outbox, Apps: pl.apps, Now: d.box.Clock.Now, Segments: modem.Segments, Units: modem.Units, Version: thisBuild().version,
	}
}

// measure registers what only the wiring can see.
func (d *daemon) measure(set *metrics.Set) {
	set.GetOrCreateGauge(fmt.Sprintf("pinferry_build_info{version=%q}", thisBuild().version), func() float64 { return 1 })
	set.GetOrCreateGauge("pinferry_db_bytes", func() float64 { return float64(d.db.Stats().Bytes) })
	set.GetOrCreateGauge("pinferry_clock_synced", func() float64 {
		return map[bool]float64{true: 1}[admin.ClockOf(d.box.Clock, systemd.Synchronised()).Synchronised]
	})
	set.GetOrCreateGauge("pinferry_disk_free_bytes", func() float64 { return float64(d.db.Stats().Free) })
}

// run serves until a signal, or until a part ends by itself, and takes the box
// down in order. A second signal ends it at once: the state on disk is as good
// as after a power cut, which it has to bear anyway.
func (d *daemon) run(signals <-chan os.Signal) error {
	d.start()
	var cause error
	select {
	case s := <-signals:
		d.log.Info().Str("signal", s.String()).Msg("stopping")
	case cause = <-d.ended:
		d.log.Error().Msg("stopping after a fault")
	}
	down := make(chan error, 1)
	go func() { down <- d.close() }()
	late := time.NewTimer(stopWithin)
	defer late.Stop()
	select {
	case err := <-down:
		return errors.Join(cause, err)
	case <-signals:
		return errors.Join(cause, errors.New("a second signal stopped the box at once"))
	case <-late.C:
		return errors.Join(cause, fmt.Errorf("the box did not stop within %s", stopWithin))
	}
}

// stopWithin bounds an orderly stop; a dialogue with a modem may take
// 30 s of it.
const stopWithin = 34 * time.Second

// start sets the parts going.
func (d *daemon) start() {
	ctx, stop := context.WithCancel(context.Background())
	d.stopOutbox = stop
	go func() {
		defer close(d.outboxDone)
		if err := d.outbox.Run(ctx); err != nil {
			d.ended <- fmt.Errorf("run the outbox: %w", err)
		}
	}()
	go func() {
		if err := d.server.Serve(); err != nil {
			d.ended <- fmt.Errorf("serve: %w", err)
		}
	}()
	if interval, ok := d.notify.Watchdog(); ok {
		d.rest.Go(func() { d.watch(interval) })
	}
	if err := d.notify.Ready(); err != nil {
		d.log.Warn().Err(err).Msg("the service manager does not listen")
	}
}

// watch beats the service manager's watchdog as long as the store writes.
func (d *daemon) watch(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-d.outboxDone:
			return
		case <-ticker.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), every)
		err := d.box.Beat(ctx)
		cancel()
		if otp.AsError(err) != nil && otp.AsError(err).Code == otp.StorageLow && !d.db.Stats().Failed {
			err = nil // the writer answered: a full disk is no reason to be restarted
		}
		if err == nil {
			err = d.notify.Beat()
		}
		if err != nil {
			d.log.Error().Err(err).Msg("no beat for the watchdog")
		}
	}
}

// close takes the box down in the order of R-102: nothing new is begun; the
// dialogue under way with a modem ends, while requests are still answered; then
// the listeners close, and the disk last.
func (d *daemon) close() error {
	var errs []error
	if err := d.notify.Stopping(); err != nil {
		errs = append(errs, err)
	}
	if d.outbox != nil {
		d.outbox.Stop()
	}
	d.stopOutbox()
	<-d.outboxDone
	d.stopRest()
	d.rest.Wait()
	if d.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		errs = append(errs, d.server.Shutdown(ctx))
		cancel()
	}
	if d.db != nil {
		errs = append(errs, d.db.Close())
	}
	return errors.Join(errs...)
}

// The commands that are the box.

func (p *program) serve(in *console.Invocation) error {
	o := withOptions(in)
	in.WithSocket()
	level := in.String("log-level", "info", "debug, info, warn or error")
	if err := in.Parse(); err != nil {
		return err
	}
	log, err := p.logger(*level)
	if err != nil {
		return err
	}
	pl, err := p.load(o)
	if err != nil {
		return err
	}
	if in.Socket == "" {
		in.Socket = in.Terminal.Socket()
		if err := console.OpenRunDir(filepath.Dir(in.Socket)); err != nil {
			return fmt.Errorf("make the directory of the admin socket: %w; name another by --socket", err)
		}
	}
	return p.live(pl, place{socket: in.Socket, env: in.Getenv}, log, func(d *daemon) {
		log.Info().Str("version", thisBuild().version).Str("url", d.server.URL()).Str("socket", in.Socket).
			Int("apps", len(pl.apps.All())).Int("routes", len(pl.Modems)+len(pl.Relays)).Msg("pinferry serves")
	})
}

// live opens a daemon, tells that it listens and runs it to its end.
func (p *program) live(pl *plan, at place, log zerolog.Logger, opened func(*daemon)) error {
	signals := p.signals()
	d, err := openDaemon(pl, at, log)
	if err != nil {
		return err
	}
	opened(d)
	if pl.Admin.Enabled && d.secret != "" {
		log.Warn().Str("page", d.server.URL()+"/admin/").Str("secret", d.secret).
			Msg("the administrator has no password yet: set it on the page with this secret, which is good once")
	}
	if p.opened != nil {
		p.opened(d)
	}
	return d.run(signals)
}

// The demo's app and keys. They are public, so no other box may accept them.
const demoPublishable, demoSecret = "pk_demo", "sk_demo"

// demoNumber is that of the pretended SIM.
const demoNumber = "+15550100002"

// demoAliases are ids of the demo's app in the form that the clients of other
// vendors insist on.
var demoAliases = []string{
	"P2demo0000000000000000000000",       // Descope: a project
	"demo0passage0app00000000",           // Passage: an app
	"6650de300000000000000000",           // SSOJet: a client
	"VAde300000000000000000000000000000", // Twilio: a service
}

func (p *program) demo(in *console.Invocation) error {
	listen := in.String("listen", "127.0.0.1:7467", "listen on this loopback `address`")
	in.WithSocket()
	level := in.String("log-level", "warn", "debug, info, warn or error")
	if err := in.Parse(); err != nil {
		return err
	}
	log, err := p.logger(*level)
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(*listen)
	if a, bad := netip.ParseAddr(host); err != nil || host != "localhost" && (bad != nil || !a.IsLoopback()) {
		return console.Fail(exitUsage, "demo: --listen %s: the keys of the demo are public, so it listens on a loopback address only", *listen)
	}
	dir, err := os.MkdirTemp("", "pinferry-demo-")
	if err != nil {
		return fmt.Errorf("make a throw-away directory: %w", err)
	}
	defer os.RemoveAll(dir)
	if in.Socket == "" {
		in.Socket = filepath.Join(dir, "admin.sock")
	}
	c := defaults()
	c.Server.Listen, c.Storage.Dir = *listen, filepath.Join(dir, "data")
	c.Modems = []modemSection{{Name: "gsm0", Device: deviceSimulator, Number: demoNumber}}
	c.Apps = []appSection{{
		ID: "demo", Name: "Demo", Keys: []digest{digestOf(demoPublishable), digestOf(demoSecret)},
		Aliases: demoAliases, Doors: server.DoorNames(), Countries: []string{"*"}, Inbound: true, InboundSignIn: true,
		Login: true, Redirects: server.DemoRedirects(port),
	}}
	pl, err := c.check()
	if err != nil {
		return err
	}
	pl.limits.Exempt = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	return p.live(pl, place{socket: in.Socket, env: in.Getenv, demo: true}, log, func(d *daemon) {
		p.banner(d.server.URL(), in.Socket)
		go d.handset.Watch(ctx, func(m simulator.SMS) {
			fmt.Fprintf(p.stdout, "\nSMS to %s\n  %s\n", m.To, strings.ReplaceAll(m.Text, "\n", "\n  "))
		})
	})
}

// banner prints the five lines that a newcomer needs.
func (p *program) banner(url, socket string) {
	const headers = `-H 'Authorization: Bearer ` + demoPublishable + `' -H 'Content-Type: application/json'`
	fmt.Fprintf(p.stdout, "pinferry demo at %s, commands by PINFERRY_SOCKET=%s; Ctrl-C ends it and leaves nothing\n", url, socket)
	fmt.Fprintf(p.stdout, "app demo with the keys %s (browsers) and %s (servers)\n", demoPublishable, demoSecret)
	fmt.Fprintf(p.stdout, "handset: every SMS appears below, and at %s/demo/handset\n", url)
	fmt.Fprintf(p.stdout, "curl -s %s/v1/verifications %s -d '{\"to\":\"+41791234567\"}'\n", url, headers)
	fmt.Fprintf(p.stdout, "curl -s %s/v1/verifications/$ID/check %s -d '{\"code\":\"'$CODE'\"}'\n", url, headers)
}

// What the doctor goes by: the facts of a box that runs, or what can be seen of
// it from outside.

// facts are what a diagnosis of this box goes by.
func (d *daemon) facts(ctx context.Context, pl *plan) (admin.Facts, error) {
	routes := d.outbox.Routes()
	if routes == nil {
		return admin.Facts{}, errors.New("the routes cannot be read")
	}
	backlogs, err := d.box.Events.Backlogs(ctx)
	if err != nil {
		return admin.Facts{}, err
	}
	servers := map[string]admin.Server{}
	for name, found := range relay.ProbeAll(ctx, d.relays) {
		servers[name] = admin.Server(found)
	}
	facts := admin.Facts{
		Running: true, Version: thisBuild().version, Apps: pl.apps.All(), Captchas: captchaFacts(pl, d.captchas), Ways: len(routes), Mails: pl.mails(), Routes: routes,
		NoFile: pl.missing, Servers: servers, Backlogs: backlogs,
		Clock: admin.ClockOf(d.box.Clock, systemd.Synchronised()), Disk: diskFact(pl.Storage.Dir), Open: pl.Server.open(), Machine: admin.Machine(systemd.Host{}.Look()),
	}
	if d.certificate != nil {
		facts.Certificate = certificateFact(d.certificate(), nil)
	}
	return facts, nil
}

func certificateFact(s cert.State, unread error) *admin.Certificate {
	return &admin.Certificate{
		Unread: unread, Names: s.Names, Until: s.Until, Trouble: s.Trouble, Loose: s.Loose, Refused: s.Refused, Fingerprint: s.Fingerprint,
	}
}

// look collects what is left to go by when no box runs: a plan, or why there is
// none, and the machine.
func (p *program) look(ctx context.Context, o *options) (facts admin.Facts, err error) {
	pl, broken := p.load(o)
	b := thisBuild()
	facts = admin.Facts{
		Version: b.version, Config: broken, Clock: admin.ClockOf(otp.NewClock(otp.ClockSource{Build: b.date}), systemd.Synchronised()),
		Disk: diskFact(o.dataDir(pl)), Machine: admin.Machine(p.host.Look()),
	}
	if broken != nil {
		return facts, nil
	}
	facts.NoFile = pl.missing
	facts.Apps, facts.Ways, facts.Mails, facts.Open = pl.apps.All(), len(pl.Modems)+len(pl.Relays), pl.mails(), pl.Server.open()
	switch {
	case pl.Server.TLSCert != "":
		facts.Certificate = certificateFact(cert.ReadFiles(pl.Server.TLSCert, pl.Server.TLSKey))
	case pl.Server.TLS == tlsLAN:
		facts.Certificate = &admin.Certificate{Later: true}
	}
	facts.Captchas = captchaFacts(pl, nil)
	finder := p.finder()
	var searches []*modem.Search
	for _, m := range pl.Modems {
		if m.Device != deviceSimulator && m.Device != deviceNull {
			searches = append(searches, finder.Seek(m.Name, m.Device))
		}
	}
	trials, err := finder.Try(ctx, searches)
	for _, t := range trials {
		facts.Ports = append(facts.Ports, admin.Port(t))
	}
	return facts, err
}

// captchaFacts are how the captchas stand of the apps that ask for some. judges
// are the services of a box that runs, by app id.
func captchaFacts(pl *plan, judges map[string]*relay.Captcha) (all []admin.Captcha) {
	for _, app := range pl.apps.All() {
		if app.Captcha == otp.CaptchaOff {
			continue
		}
		fact := admin.Captcha{App: app.ID, Uncovered: server.Uncovered(app)}
		if judge := judges[app.ID]; judge != nil {
			fact.Trouble = judge.Trouble()
		}
		all = append(all, fact)
	}
	return all
}

// finder looks for modems without a box.
func (p *program) finder() *modem.Finder {
	return modem.NewFinder(modem.FinderConfig{Root: p.host.Root})
}

func diskFact(dir string) admin.Disk {
	seen, err := kv.Look(dir)
	return admin.Disk{Dir: dir, Unread: err, Free: seen.Free, Low: seen.Low, Full: seen.Full, Loose: seen.Loose}
}

// The commands that ask a box that runs, or put one right that does not.

// repair does what --fix of the doctor promises, and tells what it did.
func (p *program) repair(o *options) (done []string, err error) {
	pl, _ := p.load(o)
	if dir := o.dataDir(pl); len(diskFact(dir).Loose) > 0 {
		if err := kv.Tighten(dir); err != nil {
			return nil, err
		}
		done = append(done, "nobody else may read the keys any more")
	}
	if m := p.host.Look(); m.Manager && !m.Rules {
		if err := p.host.InstallRules(); err != nil {
			return nil, err
		}
		done = append(done, "udev rules keep ModemManager from modems that are plugged in from now on")
	}
	return done, nil
}

func (p *program) doctor(in *console.Invocation) error {
	o := withFile(in)
	look := func(ctx context.Context) (admin.Facts, error) { return p.look(ctx, o) }
	return console.Doctor(in, look, func() ([]string, error) { return p.repair(o) })
}

func (p *program) modemList(in *console.Invocation) error {
	return console.ModemList(in, p.finder().Survey)
}

func (p *program) backup(in *console.Invocation) error {
	o := withFile(in)
	return console.Backup(in, func(passphrase string) ([]byte, error) {
		pl, err := p.load(o)
		if err != nil {
			return nil, err
		}
		keys, err := kv.LoadBundle(pl.Storage.Dir, systemd.Credential(in.Getenv, "box.key"))
		if err != nil {
			return nil, err
		}
		return keys.Seal(passphrase)
	})
}

func (p *program) restore(in *console.Invocation) error {
	o := withFile(in)
	return console.Restore(in, func(a console.Archive) error {
		pl, err := p.load(o)
		if err != nil {
			return err
		}
		var keys kv.Bundle
		if a.Keys != nil {
			if keys, err = kv.OpenBundle(a.Keys, a.Passphrase); err != nil {
				return err
			}
		}
		put := kv.Restore
		if a.Force {
			put = kv.Replace
		}
		switch err := put(pl.Storage.Dir, a.Database); {
		case errors.Is(err, kv.ErrLocked):
			return console.Fail(exitRefused, "%w; stop the daemon first", err)
		case errors.Is(err, kv.ErrPresent):
			return console.Fail(exitRefused, "%w; --force moves it aside", err)
		case err != nil:
			return err
		}
		if err := keys.Install(pl.Storage.Dir); err != nil {
			return fmt.Errorf("the database is restored, the keys are not: %w", err)
		}
		return nil
	})
}

func (p *program) supportBundle(in *console.Invocation) error {
	o := withFile(in)
	return console.SupportBundle(in, func(b *console.Bundle) {
		var text string
		pl, err := p.load(o)
		if err == nil {
			text = console.Settings(pl.config.shareable())
		}
		b.Text("config.toml", []byte(text), err)
		found, err := in.Diagnose(func(ctx context.Context) (admin.Facts, error) { return p.look(ctx, o) })
		b.JSON("doctor.json", found, err)
		b.JSON("version.json", thisBuild().shown(), nil)
		b.Progress.Say("reading the journal ...")
		lines, err := systemd.Journal(context.Background())
		b.Text("journal.txt", lines, err)
	})
}

// The commands that need no box.

func (p *program) simulate(in *console.Invocation) error {
	link := in.String("link", "", "also make this symbolic `link` to the tty")
	operator := in.String("operator", "", "the `name` of the network, without quotes")
	credit := in.String("credit", "", "what the network answers to every USSD code: a `text` without quotes")
	var specs []string
	in.Func("fault", "misbehave: `spec` as below; may be repeated, and typed on stdin", func(s string) error {
		specs = append(specs, s)
		return nil
	})
	in.Notes = "\n" + simulator.FaultUsage() + "\nOn stdin, beside faults: clear, and sms FROM TEXT, by which a handset texts the modem.\n"
	if err := in.Parse(); err != nil {
		return err
	}
	clock := otp.NewClock(otp.ClockSource{})
	bench := simulator.Bench{
		Config: simulator.Config{Now: func() time.Time { return clock.Now().Std() }, Operator: *operator, Credit: *credit}, Link: *link,
		In: in.Stdin, Out: in.Stdout, Err: in.Stderr,
	}
	for _, spec := range specs {
		fault, err := simulator.ParseFault(spec)
		if err != nil {
			return console.Fail(exitUsage, "--fault: %w", err)
		}
		bench.Faults = append(bench.Faults, fault)
	}
	ctx, stop := in.Until()
	defer stop()
	return bench.Run(ctx)
}

func (p *program) keyNew(in *console.Invocation) error {
	return console.KeyNew(in, func(app string, keys ...string) (string, error) {
		if !nameForm.MatchString(app) {
			return "", fmt.Errorf("an app's id has 1 to 64 of A-Z a-z 0-9 _ -, and %q has not", app)
		}
		var digests []string
		for _, key := range keys {
			digests = append(digests, console.Quote(digestOf(key).String()))
		}
		return "keys = [" + strings.Join(digests, ", ") + "]", nil
	})
}

func (p *program) keyRotate(in *console.Invocation) error {
	o := withFile(in)
	return console.KeyRotate(in, func(id string) (s console.Signer, err error) {
		pl, err := p.load(o)
		if err != nil {
			return s, err
		}
		app, ok := pl.apps.ByID(id)
		if !ok {
			return s, console.Fail(exitUsage, "key rotate: the config file has no app %q", id)
		}
		return console.Signer{App: app.ID, Dir: kv.KeysDir(pl.Storage.Dir), Algorithms: server.Algorithms(app)}, nil
	})
}

func (p *program) configCheck(in *console.Invocation) error {
	o := withOptions(in)
	if err := in.Parse(); err != nil {
		return err
	}
	pl, err := p.load(o)
	if err != nil {
		return err
	}
	for _, m := range pl.Modems {
		if _, err := modem.ReadPIN(m.PINFile); err != nil {
			return fmt.Errorf("[[modem]] %s: %w", m.Name, err)
		}
	}
	for _, r := range pl.Relays { // their files as well: a secret that is missing would show at the next start only
		if _, err := r.open(func() otp.Time { return 0 }, zerolog.Nop()); err != nil {
			return err
		}
	}
	if _, err := relay.NewNotifier(nil, pl.targets(), nil, nil, zerolog.Nop()); err != nil {
		return err
	}
	for _, a := range pl.Apps {
		if a.ownCaptcha() {
			continue
		}
		if _, err := relay.NewCaptcha(a.captcha()); err != nil {
			return fmt.Errorf("[[app]] %q: %w", a.ID, err)
		}
	}
	var loose string
	if pl.Server.TLSCert != "" {
		state, err := cert.ReadFiles(pl.Server.TLSCert, pl.Server.TLSKey)
		if err != nil {
			return fmt.Errorf("[server] tls: %w", err)
		}
		loose = state.Loose
	}
	var letters []string // apps whose mails no relay carries
	words := fmt.Sprintf("ok: %d apps, %d modems, %d relays", len(pl.Apps), len(pl.Modems), len(pl.Relays))
	for _, app := range pl.apps.All() {
		if open := server.Uncovered(app); len(open) > 0 {
			words += fmt.Sprintf("; the captcha of app %q does not guard its doors %s, which cannot carry one", app.ID, strings.Join(open, ", "))
		}
		if app.Email && !pl.mails() {
			letters = append(letters, strconv.Quote(app.ID))
		}
	}
	if len(letters) > 0 {
		words += "; email = true of app " + strings.Join(letters, ", ") + " sends nothing without a [[relay]] of kind \"smtp\""
	}
	if len(pl.Apps) == 0 {
		words += "; without an [[app]] the box serves nobody"
	}
	if len(pl.Modems)+len(pl.Relays) == 0 {
		words += "; without a [[modem]] or [[relay]] it sends nothing"
	}
	if loose != "" {
		words += "; everybody on this machine may read " + loose + ": `sudo chmod o= " + loose + "`"
	}
	_, err = fmt.Fprintln(p.stdout, words)
	return err
}

func (p *program) configShow(in *console.Invocation) error {
	o := withOptions(in)
	if err := in.Parse(); err != nil {
		return err
	}
	pl, err := p.load(o)
	if err != nil {
		return err
	}
	_, err = io.WriteString(p.stdout, console.Settings(pl.config))
	return err
}

func (p *program) showVersion(in *console.Invocation) error {
	return console.Version(in, thisBuild().shown())
}

func (p *program) completion(in *console.Invocation) error { return p.commands().Completion(in) }

func (p *program) manual(in *console.Invocation) error {
	b := thisBuild()
	return p.commands().ManualPage(in, b.version, b.date.Std())
}

// Which program this is, and where it logs.

// build says which program this is.
type build struct {
	version string
	date    otp.Time // no earlier time can be true; 0 is unknown
}

// shown is the build for people and their scripts.
func (b build) shown() console.Build { return console.NewBuild(b.version, b.date.Std()) }

// thisBuild reads what the linker was given, else what the Go tool noted.
func thisBuild() build {
	b := build{version: version}
	if seconds, err := strconv.ParseInt(buildDate, 10, 64); err == nil {
		b.date = otp.Time(seconds * 1000)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if b.version == "" {
		b.version = info.Main.Version
	}
	for _, s := range info.Settings {
		if at, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil && b.date == 0 {
			b.date = otp.TimeOf(at)
		}
	}
	return b
}

// nameEvents puts the words of a log line under "event": under "message" stands
// the id of one, and no object may have two members of a name. The library asks
// for the name once for the whole process.
var nameEvents = sync.OnceFunc(func() { zerolog.MessageFieldName = "event" })

// logger writes words on a terminal, and one JSON object a line elsewhere.
func (p *program) logger(level string) (zerolog.Logger, error) {
	nameEvents()
	l, err := zerolog.ParseLevel(level)
	if err != nil || level == "" {
		return zerolog.Logger{}, console.Fail(exitUsage, "--log-level %q: say debug, info, warn or error", level)
	}
	w := p.stderr
	if file, ok := w.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			w = zerolog.ConsoleWriter{Out: file, TimeFormat: time.TimeOnly}
		}
	}
	return zerolog.New(w).Level(l).With().Timestamp().Logger(), nil
}
