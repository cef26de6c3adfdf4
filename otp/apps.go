package otp

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp/phone"
	"github.com/pinferry/pinferry/otp/text"
)

// Apps is the closed set of apps on the box.
type Apps struct {
	all   []*App
	byID  map[string]*App
	byKey map[[32]byte]*App
}

// The bounds of a policy (N1, N2).
const (
	minCodeLength, maxCodeLength = 6, 10
	minCodeTTL, maxCodeTTL       = 30 * time.Second, 10 * time.Minute
)

var idPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// NewApps checks the apps one by one and together, and fills what they leave
// out; the error names the app and the key at fault. Which doors there are is
// for others to check. segments counts the SMS
// segments of a text: every message of an app must fit into one.
func NewApps(apps []App, segments func(string) int) (*Apps, error) {
	set := &Apps{byID: map[string]*App{}, byKey: map[[32]byte]*App{}}
	defaults := 0
	for i := range apps {
		app := apps[i]
		if err := app.prepare(segments); err != nil {
			return nil, fmt.Errorf("[[app]] %q: %w", app.ID, err)
		}
		for _, id := range append([]string{app.ID}, app.Aliases...) {
			if !idPattern.MatchString(id) {
				return nil, fmt.Errorf("[[app]] %q: id and aliases are 1 to 64 of A-Z a-z 0-9 _ -, and %q is not", app.ID, id)
			}
			if other := set.byID[id]; other != nil {
				return nil, fmt.Errorf("[[app]] %q: the id or alias %q belongs to app %q already", app.ID, id, other.ID)
			}
			set.byID[id] = &app
		}
		for _, digest := range app.Keys {
			if other := set.byKey[digest]; other != nil {
				return nil, fmt.Errorf("[[app]] %q: keys: one of them is a key of app %q already", app.ID, other.ID)
			}
			set.byKey[digest] = &app
		}
		if app.Default {
			defaults++
		}
		set.all = append(set.all, &app)
	}
	if defaults > 1 {
		return nil, errors.New("[[app]]: only one app can have default = true")
	}
	return set, nil
}

// ByKey returns the app that accepts this key string, and whether it is an
// sk_ key.
func (a *Apps) ByKey(key string) (app *App, secret, ok bool) {
	secret = strings.HasPrefix(key, "sk_")
	if !secret && !strings.HasPrefix(key, "pk_") {
		return nil, false, false
	}
	app, ok = a.byKey[sha256.Sum256([]byte(key))]
	return app, secret && ok, ok
}

// ByID returns the app with this id or alias.
func (a *Apps) ByID(id string) (*App, bool) {
	app, ok := a.byID[id]
	return app, ok
}

// test tells whether an app is in test mode; one that is not there is not.
func (a *Apps) test(id string) bool {
	app, ok := a.byID[id]
	return ok && app.Mode == Test
}

// All returns the apps in the order of the file.
func (a *Apps) All() []*App { return a.all }

// Sole returns the app that a caller means who names none: the default app,
// else the only one.
func (a *Apps) Sole() (*App, bool) {
	for _, app := range a.all {
		if app.Default {
			return app, true
		}
	}
	if len(a.all) == 1 {
		return a.all[0], true
	}
	return nil, false
}

// At returns the app that a caller means who names none at a door: the one of
// the host (a Host header, with or without a port), else the default app, else
// the only one with this door.
func (a *Apps) At(door, host string) (*App, bool) {
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host = host[:colon]
	}
	var open []*App
	for _, app := range a.all {
		if !app.Open(door) {
			continue
		}
		if slices.ContainsFunc(app.Hosts, func(h string) bool { return strings.EqualFold(h, host) }) {
			return app, true
		}
		open = append(open, app)
	}
	for _, app := range open {
		if app.Default {
			return app, true
		}
	}
	if len(open) == 1 {
		return open[0], true
	}
	return nil, false
}

// prepare fills the defaults of an app and checks it.
func (app *App) prepare(segments func(string) int) error {
	if app.Name == "" {
		app.Name = app.ID
	}
	if len(app.Doors) == 0 {
		app.Doors = []string{"native"}
	}
	if err := app.preparePolicy(); err != nil {
		return err
	}
	if err := app.prepareNumbers(); err != nil {
		return err
	}
	if err := app.checkPlaces(); err != nil {
		return err
	}
	if err := app.checkLogin(); err != nil {
		return err
	}
	return app.prepareTexts(segments)
}

func (app *App) preparePolicy() error {
	if app.Mode == "" {
		app.Mode = Production
	}
	if app.Mode != Production && app.Mode != Test {
		return fmt.Errorf("mode: %q is neither \"production\" nor \"test\"", app.Mode)
	}
	if app.CodeLength == 0 {
		app.CodeLength = minCodeLength
	}
	if app.CodeLength < minCodeLength || app.CodeLength > maxCodeLength {
		return fmt.Errorf("code_length: %d is not between %d and %d", app.CodeLength, minCodeLength, maxCodeLength)
	}
	if app.CodeTTL == 0 {
		app.CodeTTL = 5 * time.Minute
	}
	if app.CodeTTL < minCodeTTL || app.CodeTTL > maxCodeTTL {
		return fmt.Errorf("code_ttl: %s is not between %s and %s", app.CodeTTL, minCodeTTL, maxCodeTTL)
	}
	if app.Resend == "" {
		app.Resend = ResendSame
	}
	if app.Resend != ResendSame && app.Resend != ResendNew {
		return fmt.Errorf("resend: %q is neither \"same\" nor \"new\"", app.Resend)
	}
	if app.OptOut == "" {
		app.OptOut = OptOutCodes
	}
	if app.OptOut != OptOutCodes && app.OptOut != OptOutMessages {
		return fmt.Errorf("opt_out: %q is neither \"codes\" nor \"messages\"", app.OptOut)
	}
	if app.Captcha == "" {
		app.Captcha = CaptchaOff
	}
	if app.Captcha != CaptchaOff && app.Captcha != CaptchaHot && app.Captcha != CaptchaAlways {
		return fmt.Errorf("captcha: %q is not \"off\", \"hot\" or \"always\"", app.Captcha)
	}
	if app.InboundSignIn && !app.Inbound {
		return errors.New("inbound_sign_in: it needs inbound = true")
	}
	return nil
}

// checkLogin checks that the sign-in page has something to give, and somebody to
// give it to.
func (app *App) checkLogin() error {
	switch {
	case !app.Login:
	case !app.Sessions:
		return errors.New("login: the sign-in page hands out sessions, so it needs sessions = true")
	case !app.Open("native"):
		return errors.New("login: what the sign-in page hands out is redeemed at the native door; add \"native\" to doors")
	case len(app.Redirects) == 0 && len(app.Origins) == 0:
		return errors.New("login: list under redirects where the sign-in page may send people back to, or under origins the pages that embed the widget")
	}
	return nil
}

func (app *App) prepareNumbers() error {
	if len(app.Countries) == 0 {
		return errors.New("countries is missing: list the countries that may be sent to, such as countries = [\"CH\"], or [\"*\"] for every one")
	}
	for _, c := range app.Countries {
		if c != "*" && !phone.Country(c) {
			return fmt.Errorf("countries: %q is not a two-letter country code in capitals, such as \"CH\" or \"GB\"", c)
		}
	}
	for _, p := range app.SafePrefixes {
		if !strings.HasPrefix(p, "+") || len(p) < 3 || strings.Trim(p[1:], "0123456789") != "" {
			return fmt.Errorf("safe_prefixes: %q is not the beginning of a number such as \"+4179\"", p)
		}
	}
	if len(app.TestNumbers) > 0 && app.Mode != Test {
		return errors.New("test_numbers: fixed codes are for mode = \"test\" only")
	}
	fixed := make(map[string]string, len(app.TestNumbers))
	for number, code := range app.TestNumbers {
		n, err := phone.Parse(number)
		if err != nil {
			return errors.New("test_numbers: one of the numbers is no phone number in the form +41791234567")
		}
		if len(code) != app.CodeLength || strings.Trim(code, "0123456789") != "" {
			return fmt.Errorf("test_numbers: a code has not %d digits", app.CodeLength)
		}
		fixed[n.Key] = code
	}
	app.TestNumbers = fixed
	return nil
}

// prepareTexts parses the texts and makes sure that each, in every language,
// fits into one SMS with the widest values.
func (app *App) prepareTexts(segments func(string) int) error {
	if app.WebDomain != "" {
		if err := text.CheckDomain(app.WebDomain); err != nil {
			return fmt.Errorf("web_domain: %w", err)
		}
	}
	if app.AndroidHash != "" {
		if err := text.CheckHash(app.AndroidHash); err != nil {
			return fmt.Errorf("android_hash: %w", err)
		}
	}
	for i, name := range app.Options {
		if err := text.CheckOption(name); err != nil {
			return fmt.Errorf("template_options: %w", err)
		}
		if slices.Contains(app.Options[:i], name) {
			return fmt.Errorf("template_options: %q is there twice", name)
		}
	}
	app.templates = map[string]text.Template{}
	for _, locale := range text.Locales() {
		app.templates[locale] = text.Builtin(locale)
	}
	for locale, source := range app.Texts {
		if _, known := app.templates[locale]; !known {
			return fmt.Errorf("texts: %q is not a language of this box; there is %s", locale, strings.Join(text.Locales(), ", "))
		}
		t, err := text.Parse(source, app.Options...)
		if err != nil {
			return fmt.Errorf("texts.%s: %w", locale, err)
		}
		app.templates[locale] = t
	}
	widest := app.Widest()
	for _, locale := range text.Locales() {
		err := text.CheckSegments(app.templates[locale], widest, segments)
		if _, own := app.Texts[locale]; err != nil && !own {
			// A long name, or one outside the GSM alphabet, leaves no room for a
			// sentence.
			app.templates[locale] = text.Brief()
			err = text.CheckSegments(text.Brief(), widest, segments)
		}
		if err != nil {
			return fmt.Errorf("texts.%s: %w", locale, err)
		}
	}
	return nil
}

// message renders the text that carries a code.
func (app *App) message(v *Verification, digits string) string {
	return text.Message(app.Text(text.Match(v.Locale)), app.values(v, digits), app.WebDomain, app.AndroidHash)
}

// mail renders the mail that carries a code.
func (app *App) mail(v *Verification, digits string) (subject, body string) {
	locale := text.Match(v.Locale)
	values := app.values(v, digits)
	values.Domain = app.WebDomain
	return text.Mail(locale, app.Text(locale), values)
}

// values are what the placeholders of a text stand for. An option that the start
// did not give is empty.
func (app *App) values(v *Verification, digits string) text.Values {
	values := text.Values{Code: digits, App: app.Name, Minutes: minutes(v.life()), Options: map[string]string{}}
	for _, name := range app.Options {
		values.Options[name] = v.wish().Options[name]
	}
	return values
}

func minutes(d time.Duration) int { return int((d + time.Minute - 1) / time.Minute) }

// Text returns the template of a locale: the app's own, or the box's.
func (app *App) Text(locale string) text.Template {
	if t, ok := app.templates[locale]; ok {
		return t
	}
	return app.templates[text.Match(locale)]
}

// Widest is the longest message that a text of the app can become.
func (app *App) Widest() text.Widest {
	return text.Widest{
		App: app.Name, CodeLength: app.CodeLength, Minutes: minutes(app.CodeTTL),
		WebDomain: app.WebDomain, AndroidHash: app.AndroidHash, Options: app.Options,
	}
}

// allows tells whether the app may send to a country.
func (app *App) allows(country string) bool {
	return slices.Contains(app.Countries, country) || slices.Contains(app.Countries, "*")
}

// safe tells whether the block rule leaves a number alone.
func (app *App) safe(e164 string) bool {
	return slices.ContainsFunc(app.SafePrefixes, func(p string) bool { return strings.HasPrefix(e164, p) })
}

// Open tells whether a door is open.
func (app *App) Open(door string) bool { return slices.Contains(app.Doors, door) }

// Backend tells whether an address belongs to the app's own servers.
func (app *App) Backend(a netip.Addr) bool { return contains(app.Backends, a) }
