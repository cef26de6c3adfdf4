package strike_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/pinferry/pinferry/server/web/webtest"
)

// TestErrorsOfEveryCode writes what each code of the closed list is at both
// doors, one line a code.
func TestErrorsOfEveryCode(t *testing.T) {
	for file, open := range map[string]func(testing.TB) *house{"errors.txt": openStrike, "gotrueerrors.txt": openGoTrue} {
		webtest.EveryCode(t, file, func(e *otp.Error) webtest.Answer { return open(t).refuse(e) })
	}
}

func TestFaultsSayNothingOfThemselves(t *testing.T) {
	for _, open := range doors {
		webtest.Faults(t, func(e *otp.Error) webtest.Answer { return open(t).refuse(e) })
	}
}

func TestRetryIsAtLeastOneSecond(t *testing.T) {
	for _, open := range doors {
		webtest.Waits(t, func(e *otp.Error) webtest.Answer {
			h := open(t)
			h.Err = e
			return h.do("POST /otp", strikeSend)
		})
	}
}

// TestAppOfACall has how a call names its app: a key in apikey, one that stands
// where a token would, or nothing at all.
func TestAppOfACall(t *testing.T) {
	for name, test := range map[string]struct {
		headers []string
		app     string
		secret  bool
		status  int
	}{
		"Nothing":            {nil, "demo", false, 200},
		"Key":                {[]string{"apikey: " + privateKey}, "private", false, 200},
		"KeyAsBearer":        {[]string{"Authorization: Bearer " + privateKey}, "private", false, 200},
		"KeyBeforeBearer":    {[]string{"apikey: " + privateKey, "Authorization: Bearer " + publishable}, "private", false, 200},
		"KeyBesideToken":     {[]string{"apikey: " + privateKey, signedIn}, "private", false, 200},
		"ForeignKeyAndOurs":  {[]string{"apikey: anon", "Authorization: Bearer " + secret}, "demo", true, 200},
		"ForeignKeysOnly":    {[]string{"apikey: anon", "Authorization: Bearer anon"}, "demo", false, 200},
		"Secret":             {[]string{"apikey: " + secret}, "demo", true, 200},
		"UnknownKey":         {[]string{"apikey: sk_nobody"}, "", false, 401},
		"KeyOfAClosedApp":    {[]string{"apikey: " + foreignKey}, "", false, 401},
		"ClientWithoutKey":   {[]string{"Pinferry-Client-IP: 192.0.2.1"}, "", false, 400},
		"ClientWithASecret":  {[]string{"apikey: " + secret, "Pinferry-Client-IP: 192.0.2.1"}, "demo", true, 200},
		"UnknownKeyAsBearer": {[]string{"Authorization: Bearer pk_nobody"}, "", false, 401},
	} {
		for door, open := range doors {
			t.Run(door+name, func(t *testing.T) {
				h := open(t)
				a := h.do("POST /otp", strikeSend, test.headers...)
				if a.Status != test.status {
					t.Fatalf("got %d %s", a.Status, a.Body)
				}
				if test.status != 200 {
					if len(h.Called) > 0 {
						t.Errorf("the core was asked to %v", h.Called)
					}
					return
				}
				if c := h.Caller; c.App.ID != test.app || c.Secret != test.secret || c.Door != h.Name || c.As != test.app {
					t.Errorf("got app %s, secret %v, door %s, as %s", c.App.ID, c.Secret, c.Door, c.As)
				}
			})
		}
	}
}

// TestRateHeaders has the promise of Strike's page: every answer tells what is
// left, and GoTrue's never do.
func TestRateHeaders(t *testing.T) {
	s := openStrike(t)
	for _, call := range []struct{ path, body, phone string }{
		{"POST /otp", strikeSend, phone}, {"POST /resend", strikeVerify, phone}, {"POST /verify", strikeVerify, phone},
		{"POST /token?grant_type=refresh_token", `{"refresh_token":"x"}`, ""}, {"GET /user", "", ""}, {"POST /logout", "", ""},
		{"POST /otp", `{"phone":`, ""}, {"POST /otp", `{"phone":7}`, ""}, {"POST /token", `{}`, ""},
	} {
		for _, err := range []error{nil, webtest.Refusal(otp.LimitPhone), webtest.Refusal(otp.NotRegistered), errors.New("fault")} {
			s.Err = err
			a := s.do(call.path, call.body, signedIn)
			for header, want := range map[string]string{"X-RateLimit-Limit": "3", "X-RateLimit-Remaining": "2", "X-RateLimit-Reset": "300"} {
				if got := a.Header(header); got != want || s.Counted != call.phone {
					t.Errorf("%s %v: %d with %s %q for %q", call.path, err, a.Status, header, got, s.Counted)
				}
			}
		}
	}
	// Nobody's call: an unknown key, and what the server refuses before any
	// handler.
	a := s.do("POST /otp", strikeSend, "apikey: pk_nobody")
	unheard := s.refuse(webtest.Refusal(otp.InvalidRequest))
	for _, head := range []string{a.Head.String(), unheard.Head.String()} {
		for _, header := range []string{"X-Ratelimit-Limit: 0", "X-Ratelimit-Remaining: 0", "X-Ratelimit-Reset: 0"} {
			if !strings.Contains(strings.ToLower(head), strings.ToLower(header)) {
				t.Errorf("there is no %s in %s", header, head)
			}
		}
	}
	g := openGoTrue(t)
	if a := g.do("POST /otp", gotrueSend); strings.Contains(strings.ToLower(a.Head.String()), "x-ratelimit") {
		t.Errorf("GoTrue: %s", a.Head)
	}
}

// TestVersions has the two forms of GoTrue's errors. Its client reads the word
// in "code" only where the version comes back.
func TestVersions(t *testing.T) {
	for version, echo := range map[string]string{
		"": "", "2024-01-01": "2024-01-01", "2025-06-30": "2024-01-01", "2023-12-31": "", "2024-13-01": "", "latest": "", "9999": "",
	} {
		h := openGoTrue(t)
		headers := []string{"X-Supabase-Api-Version: " + version}
		if a := h.do("POST /otp", gotrueSend, headers...); a.Header("X-Supabase-Api-Version") != echo {
			t.Errorf("%q: echoed %q", version, a.Header("X-Supabase-Api-Version"))
		}
		h.Err = webtest.Refusal(otp.NotRegistered)
		a := h.do("POST /otp", gotrueSend, headers...)
		a.Golden(t, map[bool]string{true: "gotruedisabled2024", false: "gotruedisabled"}[echo != ""])
		if a.Status != 422 || a.Header("X-Supabase-Api-Version") != echo || a.Header("X-Sb-Error-Code") != "otp_disabled" {
			t.Errorf("%q: got %s", version, a.Head)
		}
	}
}

// TestTable has that every path is there under its prefix, and no other.
func TestTable(t *testing.T) {
	table := func(door web.Door) string {
		var lines []string
		for _, r := range door.Routes {
			lines = append(lines, r.Method+" "+r.Pattern)
		}
		return strings.Join(lines, "\n")
	}
	if got := table(openStrike(t).Door); got != "POST /otp\nPOST /resend\nPOST /verify\nPOST /token\nGET /user\nPOST /logout" {
		t.Errorf("Strike has\n%s", got)
	}
	for line := range strings.Lines(table(openGoTrue(t).Door)) {
		if !strings.Contains(line, " /auth/v1/") {
			t.Errorf("GoTrue has %s", line)
		}
	}
}
