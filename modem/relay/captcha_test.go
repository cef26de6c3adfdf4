package relay_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/modem/relay"
	"github.com/pinferry/pinferry/otp"
)

const solved = `{"success":true,"hostname":"shop.example"}`

// judged returns a captcha of a kind whose service is the provider, and its log.
func judged(t *testing.T, p *provider, change func(*relay.CaptchaConfig)) (*relay.Captcha, *bytes.Buffer) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	log := &bytes.Buffer{}
	config := relay.CaptchaConfig{
		App: "shop", Kind: "turnstile", SiteKey: "site", SecretFile: secretFile(t, key), Hosts: []string{"shop.example"},
		URL: p.URL, Egress: relay.EgressConfig{Allow: loopback, Roots: roots, Timeout: time.Second}, Now: now, Log: zerolog.New(log),
	}
	if change != nil {
		change(&config)
	}
	c, err := relay.NewCaptcha(config)
	if err != nil {
		t.Fatal(err)
	}
	return c, log
}

var visitor = otp.Caller{Address: netip.MustParseAddr("203.0.113.9")}

// codeOf returns the code of an error, "" for none.
func codeOf(err error) otp.Code {
	if err == nil {
		return ""
	}
	return otp.AsError(err).Code
}

func TestCaptchaVerdicts(t *testing.T) {
	for name, test := range map[string]struct {
		kind   string
		status int
		answer string
		want   otp.Code
		amber  bool
	}{
		"Solved":            {"turnstile", 200, solved, "", false},
		"SolvedElsewhere":   {"turnstile", 200, `{"success":true,"hostname":"evil.example"}`, otp.CaptchaRequired, true},
		"HostBelow":         {"turnstile", 200, `{"success":true,"hostname":"x.shop.example"}`, otp.CaptchaRequired, true},
		"HostInCapitals":    {"hcaptcha", 200, `{"success":true,"hostname":"Shop.Example"}`, "", false},
		"HostWithPort":      {"hcaptcha", 200, `{"success":true,"hostname":"shop.example:8443"}`, "", false},
		"NoHost":            {"hcaptcha", 200, `{"success":true}`, "", false},
		"Wrong":             {"hcaptcha", 200, `{"success":false,"error-codes":["invalid-input-response"]}`, otp.CaptchaRequired, false},
		"WrongByStatus":     {"turnstile", 400, `{"success":false,"error-codes":["invalid-input-response"]}`, otp.CaptchaRequired, false},
		"Twice":             {"turnstile", 200, `{"success":false,"error-codes":["timeout-or-duplicate"]}`, otp.CaptchaRequired, false},
		"Silent":            {"turnstile", 200, `{}`, otp.CaptchaRequired, false},
		"Machine":           {"recaptcha", 200, `{"success":true,"hostname":"shop.example","score":0.1}`, otp.CaptchaRequired, false},
		"Person":            {"recaptcha", 200, `{"success":true,"hostname":"shop.example","score":0.9}`, "", false},
		"ScoreIsRisk":       {"hcaptcha", 200, `{"success":true,"hostname":"shop.example","score":0.1}`, "", false},
		"SecretWrong":       {"turnstile", 200, `{"success":false,"error-codes":["invalid-input-secret"]}`, otp.Busy, true},
		"SecretOfAnother":   {"hcaptcha", 200, `{"success":false,"error-codes":["sitekey-secret-mismatch"]}`, otp.Busy, true},
		"OutOfOrder":        {"turnstile", 200, `{"success":false,"error-codes":["internal-error"]}`, otp.Busy, true},
		"SuccessButFault":   {"turnstile", 200, `{"success":true,"hostname":"shop.example","error-codes":["internal-error"]}`, otp.Busy, true},
		"Failing":           {"turnstile", 503, solved, otp.Busy, true},
		"Redirect":          {"turnstile", 302, solved, otp.Busy, true},
		"Portal":            {"turnstile", 200, `<html>Sign in to this network</html>`, otp.Busy, true},
		"Cut":               {"turnstile", 200, `{"success":true`, otp.Busy, true},
		"Doubled":           {"turnstile", 200, `{"success":false,"success":true}`, otp.Busy, true},
		"SuccessIsAString":  {"turnstile", 200, `{"success":"true"}`, otp.Busy, true},
		"SuccessIsOne":      {"turnstile", 200, `{"success":1}`, otp.Busy, true},
		"Long":              {"turnstile", 200, `{"success":true,"x":"` + strings.Repeat("x", 65<<10) + `"}`, otp.Busy, true},
		"SuccessInCapitals": {"turnstile", 200, `{"Success":true}`, otp.CaptchaRequired, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t, says(test.status, test.answer))
			c, log := judged(t, p, func(c *relay.CaptchaConfig) { c.Kind = test.kind })
			proof, err := c.Prove(t.Context(), visitor, "the-solution")
			if codeOf(err) != test.want || (err == nil) != (proof.Until > now()) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if (c.Trouble() != "") != test.amber || (log.Len() > 0) != test.amber {
				t.Errorf("trouble %q, log %s", c.Trouble(), log)
			}
			for _, leak := range []string{key, "the-solution", "evil.example"} {
				if strings.Contains(log.String()+c.Trouble(), leak) || err != nil && strings.Contains(err.Error(), leak) {
					t.Errorf("%q leaks", leak)
				}
			}
		})
	}
}

// TestCaptchaQuestion has each service told what it needs, and no more.
func TestCaptchaQuestion(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*relay.CaptchaConfig)
		want   url.Values
	}{
		"Turnstile": {nil, url.Values{"secret": {key}, "response": {"a&b=c"}}},
		"HCaptcha":  {func(c *relay.CaptchaConfig) { c.Kind = "hcaptcha" }, url.Values{"secret": {key}, "response": {"a&b=c"}, "sitekey": {"site"}}},
		"RemoteIP":  {func(c *relay.CaptchaConfig) { c.RemoteIP = true }, url.Values{"secret": {key}, "response": {"a&b=c"}, "remoteip": {"203.0.113.9"}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t, says(200, solved))
			c, _ := judged(t, p, test.change)
			if _, err := c.Prove(t.Context(), visitor, "a&b=c"); err != nil {
				t.Fatal(err)
			}
			got := p.requests()[0]
			if got.method != "POST" || got.body != test.want.Encode() || got.header.Get("Content-Type") != "application/x-www-form-urlencoded" {
				t.Errorf("asked %+v", got)
			}
		})
	}
}

// TestCaptchaProof has a solution named the same each time, and by its service.
func TestCaptchaProof(t *testing.T) {
	p := newProvider(t, says(200, solved))
	one, _ := judged(t, p, nil)
	other, _ := judged(t, p, func(c *relay.CaptchaConfig) { c.Kind = "recaptcha" })
	prove := func(c *relay.Captcha, solution string) otp.Proof {
		proof, err := c.Prove(t.Context(), visitor, solution)
		if err != nil {
			t.Fatal(err)
		}
		return proof
	}
	a := prove(one, "a")
	if a != prove(one, "a") || a.ID == prove(one, "b").ID || a.ID == prove(other, "a").ID {
		t.Error("a proof does not name its solution")
	}
}

// TestCaptchaServiceIsGone has a service that hangs, one that is not there, and
// one that is in the box's own network.
func TestCaptchaServiceIsGone(t *testing.T) {
	slow := newProvider(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	gone := newProvider(t, says(200, solved))
	gone.Close()
	near := newProvider(t, says(200, solved))
	for name, test := range map[string]struct {
		p      *provider
		change func(*relay.CaptchaConfig)
	}{
		"Hangs":    {slow, func(c *relay.CaptchaConfig) { c.Egress.Timeout = 100 * time.Millisecond }},
		"IsGone":   {gone, nil},
		"IsInside": {near, func(c *relay.CaptchaConfig) { c.Egress.Allow = nil }},
		"IsPlain":  {near, func(c *relay.CaptchaConfig) { c.URL = strings.Replace(near.URL, "https", "http", 1) }},
	} {
		t.Run(name, func(t *testing.T) {
			c, log := judged(t, test.p, test.change)
			_, err := c.Prove(t.Context(), visitor, "s")
			var e *otp.Error
			if !errors.As(err, &e) || e.Code != otp.Busy || e.RetryAfter <= 0 || c.Trouble() == "" || !strings.Contains(log.String(), "turnstile") {
				t.Errorf("got %v, trouble %q, log %s", err, c.Trouble(), log)
			}
		})
	}
	if len(near.requests()) != 0 {
		t.Error("a service inside was asked")
	}
}

// TestCaptchasAtOnce bounds what a flood of solutions can hold open.
func TestCaptchasAtOnce(t *testing.T) {
	hang := make(chan struct{})
	var under sync.WaitGroup
	under.Add(16)
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		under.Done()
		<-hang
		says(200, solved)(w, r)
	})
	c, _ := judged(t, p, func(c *relay.CaptchaConfig) { c.Egress.Timeout = 10 * time.Second })
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if _, err := c.Prove(t.Context(), visitor, "s"); err != nil {
				t.Error(err)
			}
		})
	}
	under.Wait()
	if _, err := c.Prove(t.Context(), visitor, "s"); codeOf(err) != otp.Busy {
		t.Errorf("the seventeenth at once: %v", err)
	}
	close(hang)
	all.Wait()
}

// TestCaptchaTroubleIsSaidOnce has trouble that lasts, and trouble that comes
// and goes, logged once a minute.
func TestCaptchaTroubleIsSaidOnce(t *testing.T) {
	var mu sync.Mutex
	answer := `{}`
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		says(200, answer)(w, r)
	})
	at := now()
	c, log := judged(t, p, func(c *relay.CaptchaConfig) { c.Now = func() otp.Time { return at } })
	ask := func(says string) {
		mu.Lock()
		answer = says
		mu.Unlock()
		c.Prove(t.Context(), visitor, "s")
	}
	for range 5 {
		ask(`{"success":true,"hostname":"evil.example"}`)
		ask(solved)
	}
	if n := strings.Count(log.String(), `"warn"`); n != 1 || strings.Count(log.String(), "judged again") != 1 || c.Trouble() != "" {
		t.Errorf("said %d times: %s", n, log)
	}
	at = at.Add(time.Minute)
	ask(`garbage`)
	ask(`garbage`)
	if n := strings.Count(log.String(), `"warn"`); n != 2 {
		t.Errorf("said %d times: %s", n, log)
	}
}

func TestCaptchaConfigIsChecked(t *testing.T) {
	good := relay.CaptchaConfig{Kind: "hcaptcha", SiteKey: "k", SecretFile: "/f", Hosts: []string{"shop.example"}}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*relay.CaptchaConfig){
		`captcha_kind: "friendly"`:       func(c *relay.CaptchaConfig) { c.Kind = "friendly" },
		"captcha_site_key is missing":    func(c *relay.CaptchaConfig) { c.SiteKey = "" },
		"captcha_secret_file is missing": func(c *relay.CaptchaConfig) { c.SecretFile = "" },
		"needs origins or hosts":         func(c *relay.CaptchaConfig) { c.Hosts = nil },
	} {
		c := good
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	open := good
	open.SecretFile = secretFile(t, key)
	if err := os.Chmod(open.SecretFile, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := relay.NewCaptcha(open); err == nil || strings.Contains(err.Error(), key) {
		t.Errorf("a secret that others may read: %v", err)
	}
}
