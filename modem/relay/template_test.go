package relay_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/modem/relay"
	"github.com/pinferry/pinferry/otp"
)

// carried sends a text through a webhook of this shape and returns what the
// other side saw.
func carried(t *testing.T, w relay.Webhook, query string, out otp.Outgoing) (seen, otp.Verdict) {
	t.Helper()
	p := newProvider(t, says(200, `{"status":"queued"}`))
	c := hooked(t, p)
	w.SuccessField = "/status"
	c.Webhook, c.URL = w, p.URL+query
	c = reach(t, p, c)
	v := open(t, c).Send(t.Context(), out)
	if got := p.requests(); len(got) > 0 {
		return got[0], v
	}
	return seen{}, v
}

// hostile are texts that would break out of where they stand.
var hostile = []string{
	`","to":"+999`, `\`, "{to}{secret}", "a&to=999&b=c", "%00%0d%0a", "\r\nX-Evil: 1", "\u2028\u202e", `{{.Code}}{code}{app}`, "+ +", "\x00\x1f", "Zoë 密码",
}

// Each value is put in once and escaped for where it stands.
func TestEscaping(t *testing.T) {
	for _, words := range hostile {
		out := outgoing()
		out.Text = words
		got, v := carried(t, relay.Webhook{Body: `{"to":"{to}","text":"{text}"}`}, "/send", out)
		var body map[string]string
		if err := json.Unmarshal([]byte(got.body), &body); err != nil || v.Outcome != otp.Sent || body["text"] != words || body["to"] != dial || len(body) != 2 {
			t.Errorf("JSON of %q: %q, %v, %+v", words, got.body, err, v)
		}
		got, _ = carried(t, relay.Webhook{ContentType: "application/x-www-form-urlencoded", Body: "to={to}&text={text}"}, "/send", out)
		form, err := url.ParseQuery(got.body)
		if err != nil || form.Get("text") != words || form.Get("to") != dial || len(form) != 2 {
			t.Errorf("form of %q: %q, %v", words, got.body, err)
		}
		got, _ = carried(t, relay.Webhook{Method: "GET", ContentType: "text/plain", Body: "-"}, "/send/{to}?text={text}&key={secret}", out)
		target, err := url.Parse(got.target)
		if err != nil || target.Query().Get("text") != words || len(target.Query()) != 2 || target.Path != "/send/"+dial {
			t.Errorf("URL of %q: %q, %v", words, got.target, err)
		}
		out.Dial = words // nothing but a number comes here; were it otherwise, it could not end the header
		got, v = carried(t, relay.Webhook{Headers: map[string]string{"X-To": "{to}"}, Body: "{}"}, "/send", out)
		if v.Outcome == otp.Sent && (got.header.Get("X-Evil") != "" || got.header.Get("X-To") != strings.TrimSpace(words)) {
			t.Errorf("header of %q: %q, %+v", words, got.header.Get("X-To"), v)
		}
	}
}

// What could not work is refused before the first message, naming the key.
func TestTemplates(t *testing.T) {
	for want, w := range map[string]relay.Webhook{
		"{number} is no placeholder": {Body: `{"to":"{number}"}`},
		"it is no JSON":              {Body: `{"to":{text}}`},
		"Content-Type":               {ContentType: "application/xml", Body: "<to>{to}</to>"},
		"header X-Key":               {Headers: map[string]string{"X-Key": "{key}"}},
		"header X-Text":              {Headers: map[string]string{"X-Text": "{text}"}}, // a text has line ends
		"say content_type":           {Headers: map[string]string{"content-type": "text/plain"}},
		"success_field":              {SuccessField: "status"},
		"success_status":             {SuccessStatus: []int{500}},
		"method":                     {Method: "TRACE"},
		"reference":                  {Reference: "id"},
	} {
		if w.SuccessField == "" {
			w.SuccessField = "/status"
		}
		_, err := relay.New("backup", relay.Config{Kind: "webhook", URL: "https://provider.example/x", Webhook: w, Now: now})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", w, err, want)
		}
	}
	for _, target := range []string{"https://{to}.example/", "https://{to}/", "https://provider.example{to}/", "https://u:p@provider.example/", "https:///x"} {
		_, err := relay.New("backup", relay.Config{Kind: "webhook", URL: target, Webhook: relay.Webhook{SuccessField: "/s"}, Now: now})
		if err == nil {
			t.Errorf("%s is accepted", target)
		}
	}
}

// FuzzText puts any text into a JSON body: it comes out as it went in, or the
// message is refused.
func FuzzText(f *testing.F) {
	for _, words := range hostile {
		f.Add(words)
	}
	f.Fuzz(func(t *testing.T, words string) {
		body, err := relay.Fill(`{"to":"{to}","text":"{text}"}`, "application/json", map[string]string{"to": dial, "text": words})
		if err != nil {
			return // it was not UTF-8
		}
		var got map[string]string
		if err := json.Unmarshal([]byte(body), &got); err != nil || got["text"] != words || got["to"] != dial || len(got) != 2 {
			t.Errorf("%q became %q: %v", words, body, err)
		}
	})
}
