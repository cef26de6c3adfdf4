package relay

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/otp"
)

// captchaServices is the table of the services that judge captchas, which all
// have the same interface.
var captchaServices = []captchaService{
	{kind: "hcaptcha", url: "https://api.hcaptcha.com/siteverify", keyed: true},
	{kind: "turnstile", url: "https://challenges.cloudflare.com/turnstile/v0/siteverify"},
	{kind: "recaptcha", url: "https://www.google.com/recaptcha/api/siteverify", scored: true},
}

type captchaService struct {
	kind, url string
	keyed     bool // it compares the site key
	scored    bool // it may answer with a score, from 0 for a machine to 1
}

// CaptchaKinds returns the names of the services.
func CaptchaKinds() (names []string) {
	for _, s := range captchaServices {
		names = append(names, s.kind)
	}
	return names
}

// The bounds of a captcha service.
const (
	captchaTimeout  = 3 * time.Second // a person waits for it
	captchasAtOnce  = 16              // each holds a request for as long
	captchaLife     = 5 * time.Minute // the longest that any service accepts a solution for
	captchaScore    = 0.5             // below it the service takes the visitor for a machine
	captchaPatience = 5 * time.Second // until a page may ask again after trouble
	sayAgain        = time.Minute     // the least between two lines of the same trouble in the log
)

// CaptchaConfig is a captcha service as an app uses it.
type CaptchaConfig struct {
	App  string // for the log
	Kind string // one of [CaptchaKinds]
	// SiteKey is the public key of the app's pages, SecretFile holds the secret
	// one in its one line.
	SiteKey, SecretFile string
	// Hosts are the names of the pages that a captcha may be solved on. At least
	// one is required: else a solution from any page of the account would do.
	Hosts []string
	// RemoteIP tells the service the address of who solved the captcha.
	RemoteIP bool

	// URL is where the service is; "" is its usual address.
	URL string
	// Egress says what of the network may be reached; the zero value is the
	// strictest, with a timeout of 3 s.
	Egress EgressConfig
	// Now is box time, required.
	Now func() otp.Time
	Log zerolog.Logger
}

// Check refuses what could not work, naming the key. It reads no file.
func (c *CaptchaConfig) Check() error {
	switch {
	case c.service() == nil:
		return fmt.Errorf("captcha_kind: %q is none; there is %s", c.Kind, strings.Join(CaptchaKinds(), ", "))
	case c.SiteKey == "":
		return fmt.Errorf("captcha_site_key is missing: the public key that %s gave you for your pages", c.Kind)
	case c.SecretFile == "":
		return fmt.Errorf("captcha_secret_file is missing: a file whose line is the secret key that %s gave you", c.Kind)
	case len(c.Hosts) == 0:
		return fmt.Errorf("captcha_kind = %q needs origins or hosts: a captcha counts only if it was solved on a page of the app", c.Kind)
	}
	return nil
}

func (c *CaptchaConfig) service() *captchaService {
	i := slices.IndexFunc(captchaServices, func(s captchaService) bool { return s.kind == c.Kind })
	if i < 0 {
		return nil
	}
	return &captchaServices[i]
}

// Captcha has solutions judged by a service on the internet. Whatever goes
// wrong on the way, no start goes through. It may be used from any goroutine.
type Captcha struct {
	config  CaptchaConfig
	service *captchaService
	secret  string
	way     *Egress
	slots   chan struct{}

	mu      sync.Mutex // guards what follows
	trouble string
	said    string // the last trouble in the log, and when
	saidAt  otp.Time
	open    bool // its end is not in the log
}

var _ otp.Prover = (*Captcha)(nil)

// NewCaptcha checks the config and reads its secret.
func NewCaptcha(config CaptchaConfig) (*Captcha, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	secret, err := readSecret(config.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("captcha_secret_file: %w", err)
	}
	config.Egress.Timeout = cmp.Or(config.Egress.Timeout, captchaTimeout)
	c := &Captcha{
		config: config, service: config.service(), secret: secret,
		way: NewEgress(config.Egress), slots: make(chan struct{}, captchasAtOnce),
	}
	c.config.URL = cmp.Or(config.URL, c.service.url)
	return c, nil
}

// Trouble is why solutions cannot be judged, for an operator; "" if the last one
// could.
func (c *Captcha) Trouble() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trouble
}

// Prove asks the service about a solution.
func (c *Captcha) Prove(ctx context.Context, caller otp.Caller, solution string) (otp.Proof, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	default:
		return otp.Proof{}, unjudged(nil)
	}
	answer, err := c.ask(ctx, caller, solution)
	if err == nil {
		err = answer.fault()
	}
	if err != nil {
		c.note(err.Error())
		return otp.Proof{}, unjudged(err)
	}
	if answer.Success && answer.Hostname != "" && !c.knows(answer.Hostname) {
		c.note("a captcha was solved on a page whose name is none of the app's origins or hosts, or with a key for tests, which names no page")
		return otp.Proof{}, notSolved()
	}
	c.note("")
	if !answer.Success || c.service.scored && answer.Score != nil && *answer.Score < captchaScore {
		return otp.Proof{}, notSolved()
	}
	return otp.Proof{ID: sha256.Sum256([]byte(c.config.Kind + " " + solution)), Until: c.config.Now().Add(captchaLife)}, nil
}

// captchaAnswer is what a service says.
type captchaAnswer struct {
	Success  bool     `json:"success"`
	Hostname string   `json:"hostname"`
	Score    *float64 `json:"score"`
	Errors   []string `json:"error-codes"`
}

// ask returns the answer of the service. An error says why there is none, and
// holds nothing that was sent.
func (c *Captcha) ask(ctx context.Context, caller otp.Caller, solution string) (a captchaAnswer, err error) {
	form := url.Values{"secret": {c.secret}, "response": {solution}}
	if c.service.keyed {
		form.Set("sitekey", c.config.SiteKey)
	}
	if c.config.RemoteIP && caller.Address.IsValid() {
		form.Set("remoteip", caller.Address.String())
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return a, errors.New("the URL cannot be read")
	}
	q.Header.Set("Content-Type", typeForm)
	q.Header.Set("Accept", typeJSON)
	q.Header.Set("User-Agent", "pinferry")
	response, err := c.way.Do(q)
	if err != nil {
		return a, fmt.Errorf("the service cannot be reached: %w", err)
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusBadRequest {
		return a, fmt.Errorf("the service answers with the status %d", response.StatusCode)
	}
	if err := json.UnmarshalRead(response.Body, &a); err != nil {
		return captchaAnswer{}, errors.New("the service answers what cannot be read")
	}
	return a, nil
}

// fault tells an answer that is about the service or about the config, and not
// about the solution.
func (a *captchaAnswer) fault() error {
	for _, code := range a.Errors {
		switch {
		case strings.Contains(code, "secret"):
			return errors.New("the service does not accept the key in captcha_secret_file")
		case code == "internal-error":
			return errors.New("the service is out of order")
		}
	}
	return nil
}

// knows tells whether a page of this name is one of the app's.
func (c *Captcha) knows(name string) bool {
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	return slices.ContainsFunc(c.config.Hosts, func(h string) bool { return strings.EqualFold(h, name) })
}

// note keeps the trouble that there is, "" for none, and logs it as it comes and
// goes; the same one once a minute, for who solves captchas can bring some about.
func (c *Captcha) note(trouble string) {
	now := c.config.Now()
	c.mu.Lock()
	c.trouble = trouble
	begins := trouble != "" && (trouble != c.said || now.Sub(c.saidAt).Abs() >= sayAgain)
	ends := trouble == "" && c.open
	if begins {
		c.said, c.saidAt = trouble, now
	}
	if begins || ends {
		c.open = begins
	}
	c.mu.Unlock()
	switch {
	case ends:
		c.config.Log.Info().Str("app", c.config.App).Str("captcha", c.config.Kind).Msg("captchas are judged again")
	case begins:
		c.config.Log.Warn().Str("app", c.config.App).Str("captcha", c.config.Kind).Str("trouble", trouble).Msg("a start was refused for its captcha")
	}
}

func unjudged(err error) error {
	return &otp.Error{
		Code: otp.Busy, RetryAfter: captchaPatience, Err: err,
		Detail: "The captcha cannot be checked now. Wait as long as Retry-After says, and solve a new one.",
	}
}

func notSolved() error {
	return &otp.Error{Code: otp.CaptchaRequired, Detail: "The captcha's solution is wrong, too old, used before, or from a page that is not the app's. Solve a new one."}
}
