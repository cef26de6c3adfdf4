package relay

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/rs/zerolog"
)

// Config is a relay as it is configured. Kind says which of the other fields
// are needed; [Config.Check] names what is missing.
type Config struct {
	// Kind is one of [Kinds].
	Kind string
	// URL is where the provider is; "" is its usual address.
	URL string
	// From is the sender that the recipient sees, User the account's public name.
	From, User string
	// SecretFile holds the key, token or password, CallbackFile what proves where
	// a report comes from: each one line in a file that only its owner may read.
	SecretFile, CallbackFile string
	// Template and Language name an approved template of WhatsApp, Subject is
	// that of a mail.
	Template, Language, Subject string
	Webhook                     Webhook

	// PublicURL is scheme and host under which the provider reaches this box; ""
	// asks for no reports.
	PublicURL string
	// Timeout bounds an attempt; 0 is [DefaultTimeout].
	Timeout time.Duration
	// Allow and Insecure are those of [EgressConfig]; CAFile holds more
	// authorities that vouch for the server, in PEM, "" none.
	Allow    []netip.Prefix
	Insecure bool
	CAFile   string

	// Now is box time, required.
	Now func() otp.Time
	Log zerolog.Logger
	// Lookup resolves host names; nil asks the system's resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
}

// given returns the keys that a config sets, of those that not every kind
// takes.
func (c *Config) given() (keys []string) {
	w := &c.Webhook
	for _, key := range []struct {
		name string
		set  bool
	}{
		{"url", c.URL != ""}, {"from", c.From != ""}, {"user", c.User != ""}, {"secret_file", c.SecretFile != ""},
		{"template", c.Template != ""}, {"language", c.Language != ""}, {"subject", c.Subject != ""},
		{"method", w.Method != ""}, {"headers", len(w.Headers) > 0}, {"body", w.Body != ""}, {"content_type", w.ContentType != ""},
		{"success_status", len(w.SuccessStatus) > 0}, {"success_field", w.SuccessField != ""}, {"success_values", len(w.SuccessValues) > 0},
		{"reference", w.Reference != ""}, {"idempotency_header", w.IdempotencyHeader != ""},
	} {
		if key.set {
			keys = append(keys, key.name)
		}
	}
	return keys
}

// Channel returns what the relay carries, [otp.ChannelEmail] say. The config has
// been checked.
func (c *Config) Channel() string {
	k, _ := kindOf(c.Kind)
	return cmp.Or(k.form.channel, otp.ChannelSMS)
}

// Check refuses a config that could not work, naming the key. It reads no file.
func (c *Config) Check() error {
	k, err := kindOf(c.Kind)
	if err != nil {
		return err
	}
	given := c.given()
	for _, key := range k.needs {
		if !slices.Contains(given, key) {
			return fmt.Errorf("%s is missing: kind %q needs %s", key, k.name, strings.Join(k.needs, ", "))
		}
	}
	for _, key := range given {
		if !slices.Contains(k.needs, key) && !slices.Contains(k.takes, key) && (key != "url" || k.base == "") {
			return fmt.Errorf("%s: kind %q has no use for it", key, k.name)
		}
	}
	if k.check != nil {
		if err := k.check(c); err != nil {
			return err
		}
	}
	if c.Timeout != 0 && (c.Timeout < time.Second || c.Timeout > maxTimeout) {
		return fmt.Errorf("timeout = %q: use 1s to %s", c.Timeout, maxTimeout)
	}
	if err := c.checkURL(k); err != nil {
		return err
	}
	return c.checkReports(k)
}

func (c *Config) checkURL(k kind) error {
	if c.URL == "" {
		return nil
	}
	scheme, _, _ := strings.Cut(c.URL, "://")
	switch {
	case k.mail && scheme != "smtp":
		return errors.New(`url: write "smtp://mail.example.com:587"`)
	case k.mail, scheme == "https", scheme == "http" && c.Insecure:
		return nil
	case scheme == "http":
		return errors.New("url: http shows codes to everybody on the way; use https, or say insecure = true")
	}
	return errors.New(`url: write it whole, "https://..."`)
}

func (c *Config) checkReports(k kind) error {
	if c.PublicURL == "" {
		if c.CallbackFile != "" {
			return errors.New("callback_file: without public_url nobody can call back")
		}
		return nil
	}
	if k.form.hook.id == "" {
		return fmt.Errorf("public_url: kind %q sends no reports", k.name)
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme != "https" && (u.Scheme != "http" || !c.Insecure) || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return errors.New(`public_url: write scheme and host only, "https://codes.example.com"`)
	}
	if c.CallbackFile == "" && !k.form.hook.ownSecret {
		return errors.New("callback_file is missing: what it holds proves that a report comes from the provider")
	}
	return nil
}

// roots returns the system's authorities and those of the config's file, nil if
// it names none.
func (c *Config) roots() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the authorities: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("there is no certificate in it")
	}
	return pool, nil
}
