package captcha_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net"
	"net/netip"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/captcha"
	"github.com/pinferry/pinferry/server/web"
)

// weather is a core that says how hot it is, and of whom it was asked.
type weather struct {
	hot    bool
	caller otp.Caller
}

func (w *weather) Heat(_ context.Context, c otp.Caller) (bool, error) {
	w.caller = c
	return w.hot, nil
}

var _ captcha.Verifications = (*otp.Verifications)(nil)

const (
	publishable, secret = "pk_test_3f9a", "sk_test_7c1e"
	client              = "203.0.113.9"
)

// do asks a door of three apps, and returns the status and the answer.
func do(t *testing.T, w *weather, target string, headers ...string) (int, map[string]any, *fasthttp.Response) {
	t.Helper()
	digest := func(key string) [32]byte { return sha256.Sum256([]byte(key)) }
	apps, err := otp.NewApps([]otp.App{
		{ID: "demo", Countries: []string{"*"}, Keys: [][32]byte{digest(publishable), digest(secret)}, Doors: []string{"strike"}, Captcha: otp.CaptchaAlways},
		{ID: "plain", Countries: []string{"*"}, Backends: []netip.Prefix{netip.MustParsePrefix(client + "/32")}},
		{ID: "served", Countries: []string{"*"}, Captcha: otp.CaptchaHot},
	}, func(string) int { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	d := captcha.NewDoor(at(issued), w, apps, map[string]captcha.Offer{
		"plain": {Work: 5_000_000}, "served": {Kind: "turnstile", SiteKey: "0xsite"},
	})
	var raw fasthttp.Request
	raw.SetRequestURI(target)
	for i := 0; i < len(headers); i += 2 {
		raw.Header.Set(headers[i], headers[i+1])
	}
	ctx := new(fasthttp.RequestCtx)
	ctx.Init(&raw, &net.TCPAddr{IP: net.ParseIP(client)}, nil)
	c := &web.Call{HTTP: ctx, Context: t.Context(), Client: netip.MustParseAddr(client)}
	for _, route := range d.Routes() {
		if route.Pattern != string(ctx.Path()) {
			continue
		}
		if err := route.Handle(c); err != nil {
			return web.ProblemOf(err).Status, nil, &ctx.Response
		}
		var answer map[string]any
		if err := json.Unmarshal(ctx.Response.Body(), &answer); err != nil && target != "/captcha.js" {
			t.Fatal(err)
		}
		return ctx.Response.StatusCode(), answer, &ctx.Response
	}
	t.Fatalf("there is no %s", target)
	return 0, nil, nil
}

func TestOffer(t *testing.T) {
	for name, test := range map[string]struct {
		target, key string
		hot         bool
		policy      string
		work        float64
	}{
		"ByKey":       {"/v1/captcha", publishable, false, "always", captcha.DefaultWork},
		"BySecretKey": {"/v1/captcha", secret, false, "always", captcha.DefaultWork},
		"ByApp":       {"/v1/captcha?app=demo", "", false, "always", captcha.DefaultWork},
		"Hot":         {"/v1/captcha", publishable, true, "always", 4 * captcha.DefaultWork},
		"OwnWork":     {"/v1/captcha?app=plain", "", false, "off", 5_000_000},
		"MostWork":    {"/v1/captcha?app=plain", "", true, "off", captcha.MaxWork},
	} {
		t.Run(name, func(t *testing.T) {
			w := &weather{hot: test.hot}
			var headers []string
			if test.key != "" {
				headers = []string{"Authorization", "Bearer " + test.key}
			}
			status, answer, _ := do(t, w, test.target, headers...)
			if status != 200 || answer["kind"] != "altcha" || answer["policy"] != test.policy || answer["maxnumber"] != test.work {
				t.Fatalf("got %d %v", status, answer)
			}
			if answer["algorithm"] != "SHA-256" || answer["expires_at"] != "2027-01-15T08:05:00.000Z" || len(answer["challenge"].(string)) != 64 {
				t.Errorf("got %v", answer)
			}
			// Trusted servers have no address that could be hot.
			if bare := test.key == secret || test.policy == "off"; w.caller.Address.IsValid() == bare {
				t.Errorf("asked for the heat of %v", w.caller.Address)
			}
		})
	}
}

func TestOfferOfAService(t *testing.T) {
	status, answer, _ := do(t, &weather{}, "/v1/captcha?app=served")
	if status != 200 || len(answer) != 3 || answer["kind"] != "turnstile" || answer["site_key"] != "0xsite" || answer["policy"] != "hot" {
		t.Errorf("got %d %v", status, answer)
	}
}

func TestOfferToNobody(t *testing.T) {
	for name, test := range map[string]struct {
		target, key string
		status      int
	}{
		"UnknownKey":  {"/v1/captcha", "pk_unknown", 401},
		"KeyAndApp":   {"/v1/captcha?app=demo", "pk_unknown", 401},
		"NotAKey":     {"/v1/captcha", "eyJhbGciOiJFUzI1NiJ9", 401},
		"UnknownApp":  {"/v1/captcha?app=nobody", "", 404},
		"NothingSaid": {"/v1/captcha", "", 404},
	} {
		t.Run(name, func(t *testing.T) {
			if status, _, _ := do(t, &weather{}, test.target, "Authorization", "Bearer "+test.key); status != test.status {
				t.Errorf("got %d, want %d", status, test.status)
			}
		})
	}
}

func TestScript(t *testing.T) {
	status, _, first := do(t, &weather{}, "/captcha.js")
	if n := len(first.Body()); status != 200 || n == 0 || n > 4<<10 || string(first.Header.ContentType()) != "text/javascript; charset=utf-8" {
		t.Fatalf("got %d, %d bytes of %s", status, n, first.Header.ContentType())
	}
	status, _, again := do(t, &weather{}, "/captcha.js", "If-None-Match", string(first.Header.Peek("ETag")))
	if status != 304 || len(again.Body()) != 0 {
		t.Errorf("got %d with %d bytes", status, len(again.Body()))
	}
}
