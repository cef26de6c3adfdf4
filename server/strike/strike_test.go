package strike_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// TestErrorsOfEveryCode writes what each code of the closed list is at both
// doors, one line a code.
func TestErrorsOfEveryCode(t *testing.T) {
	for file, open := range map[string]func(testing.TB) *house{"errors": openStrike, "gotrueerrors": openGoTrue} {
		var got strings.Builder
		for _, code := range otp.Codes() {
			h := open(t)
			c, _ := h.call("POST /otp", "")
			h.Refuse(c, refusal(code), 0)
			response := &c.HTTP.Response
			if code != otp.Internal && response.StatusCode() == 500 {
				t.Errorf("%s: %s has no line of its own", file, code)
			}
			fmt.Fprintf(&got, "%s %d %q %s\n", code, response.StatusCode(), response.Header.Peek("Retry-After"), response.Body())
		}
		path := "testdata/" + file + ".txt"
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(path); err != nil || got.String() != string(want) {
			t.Errorf("%s differs (%v); got:\n%s", path, err, got.String())
		}
	}
}

func TestFaultsSayNothingOfThemselves(t *testing.T) {
	const hidden = "disk of 10.0.0.7 is on fire"
	for door, open := range doors {
		for _, err := range []error{errors.New(hidden), &otp.Error{Code: otp.Internal, Detail: hidden}, &otp.Error{Code: "no_such_code", Detail: hidden}} {
			h := open(t)
			c, _ := h.call("POST /otp", "")
			c.HTTP.WriteString("half an answer")
			h.Refuse(c, otp.AsError(err), 0)
			if got := c.HTTP.Response.String(); c.HTTP.Response.StatusCode() != 500 || strings.Contains(got, hidden) || strings.Contains(got, "half") {
				t.Errorf("%s: got %s", door, got)
			}
		}
	}
}

func TestRetryIsAtLeastOneSecond(t *testing.T) {
	for door, open := range doors {
		for wait, want := range map[time.Duration]string{0: "1", time.Second + 1: "2"} {
			h := open(t)
			h.err = &otp.Error{Code: otp.LimitAddress, RetryAfter: wait}
			if a := h.do("POST /otp", strikeSend); string(a.head.Peek("Retry-After")) != want {
				t.Errorf("%s, %v: got %q", door, wait, a.head.Peek("Retry-After"))
			}
		}
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
				if a.status != test.status {
					t.Fatalf("got %d %s", a.status, a.body)
				}
				if test.status != 200 {
					if len(h.called) > 0 {
						t.Errorf("the core was asked to %v", h.called)
					}
					return
				}
				if c := h.caller; c.App.ID != test.app || c.Secret != test.secret || c.Door != h.Name || c.As != test.app {
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
		for _, err := range []error{nil, refusal(otp.LimitPhone), refusal(otp.NotRegistered), errors.New("fault")} {
			s.err = err
			a := s.do(call.path, call.body, signedIn)
			for header, want := range map[string]string{"X-RateLimit-Limit": "3", "X-RateLimit-Remaining": "2", "X-RateLimit-Reset": "300"} {
				if got := string(a.head.Peek(header)); got != want || s.counted != call.phone {
					t.Errorf("%s %v: %d with %s %q for %q", call.path, err, a.status, header, got, s.counted)
				}
			}
		}
	}
	// Nobody's call: an unknown key, and what the server refuses before any
	// handler.
	a := s.do("POST /otp", strikeSend, "apikey: pk_nobody")
	c, _ := s.call("POST /otp", "")
	s.Refuse(c, refusal(otp.InvalidRequest), 0)
	for _, head := range []string{a.head.String(), c.HTTP.Response.Header.String()} {
		for _, header := range []string{"X-Ratelimit-Limit: 0", "X-Ratelimit-Remaining: 0", "X-Ratelimit-Reset: 0"} {
			if !strings.Contains(strings.ToLower(head), strings.ToLower(header)) {
				t.Errorf("there is no %s in %s", header, head)
			}
		}
	}
	g := openGoTrue(t)
	if a := g.do("POST /otp", gotrueSend); strings.Contains(strings.ToLower(a.head.String()), "x-ratelimit") {
		t.Errorf("GoTrue: %s", a.head)
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
		if a := h.do("POST /otp", gotrueSend, headers...); string(a.head.Peek("X-Supabase-Api-Version")) != echo {
			t.Errorf("%q: echoed %q", version, a.head.Peek("X-Supabase-Api-Version"))
		}
		h.err = refusal(otp.NotRegistered)
		a := h.do("POST /otp", gotrueSend, headers...)
		golden(t, map[bool]string{true: "gotruedisabled2024", false: "gotruedisabled"}[echo != ""], a)
		if a.status != 422 || string(a.head.Peek("X-Supabase-Api-Version")) != echo || string(a.head.Peek("X-Sb-Error-Code")) != "otp_disabled" {
			t.Errorf("%q: got %s", version, a.head)
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
