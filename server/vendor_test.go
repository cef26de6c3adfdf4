package server_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/token"
)

// TestEveryDoorIsThere opens every door of the house at once.
func TestEveryDoorIsThere(t *testing.T) {
	newBox(t, func(_ *server.Config, list *[]otp.App) { (*list)[0].Doors = server.DoorNames() })
	names := []string{"native"}
	for _, door := range server.Doors(nil, nil, nil, nil) {
		names = append(names, door.Name)
	}
	if !slices.Equal(names, server.DoorNames()) {
		t.Errorf("the table has %v, its doors are %v", server.DoorNames(), names)
	}
}

func TestCheckApps(t *testing.T) {
	for name, test := range map[string]struct {
		doors    []string
		sessions bool
		want     string // "" is no error
	}{
		"Default":         {nil, true, ""},
		"All":             {server.DoorNames(), true, ""},
		"Unknown":         {[]string{"native", "nativ"}, true, `[[app]] "demo": doors: "nativ" is not a door of this box; there is native, ssojet, passage, strike, gotrue, descope, twilio`},
		"WithoutSessions": {[]string{"native", "twilio"}, false, ""},
		"NeedsSessions":   {[]string{"native", "gotrue"}, false, `[[app]] "demo": sessions: the door "gotrue" answers with a session, so sessions = false is for the doors native and twilio only`},
	} {
		apps, err := otp.NewApps([]otp.App{{ID: "demo", Countries: []string{"*"}, Doors: test.doors, Sessions: test.sessions}}, func(string) int { return 1 })
		if err != nil {
			t.Fatal(err)
		}
		if err := server.CheckApps(apps); (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, name := range server.DoorNames() {
		app := otp.App{ID: "demo", Countries: []string{"*"}, Doors: []string{name}}
		apps, err := otp.NewApps([]otp.App{app}, func(string) int { return 1 })
		if err != nil {
			t.Fatal(err)
		}
		without := name == "native" || name == "twilio"
		if err := server.CheckApps(apps); (err == nil) != without {
			t.Errorf("%s without sessions: got %v", name, err)
		}
	}
}

func TestAlgorithms(t *testing.T) {
	for name, test := range map[string]struct {
		app  otp.App
		want []token.Algorithm
	}{
		"NoSessions": {otp.App{Doors: []string{"native", "twilio"}}, nil},
		"Native":     {otp.App{Sessions: true, Doors: []string{"native", "twilio", "descope"}}, []token.Algorithm{token.ES256}},
		"RSA":        {otp.App{Sessions: true, Doors: []string{"ssojet", "passage"}}, []token.Algorithm{token.ES256, token.RS256}},
	} {
		if got := server.Algorithms(&test.app); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// TestVendorsWordHTTP asks every real door for what no handler can answer.
func TestVendorsWordHTTP(t *testing.T) {
	b := newBox(t, func(_ *server.Config, list *[]otp.App) { (*list)[0].Doors = server.DoorNames() })
	for door, test := range map[string]struct{ post, below, code string }{
		"ssojet":  {"/api/v1/auth/passwordless/phone-otp/send", "/api/v1/auth/magic", "code"},
		"passage": {"/v1/apps/demo/login/otp", "/v1/apps/demo/login/magic-link", "code"},
		"strike":  {"/otp", "", "code"},
		"gotrue":  {"/auth/v1/otp", "/auth/v1/signup", "error_code"},
		"descope": {"/v1/auth/otp/signin/sms", "/v1/auth/magiclink/signin/email", "errorCode"},
		"license": {"/v1/auth/otp/signin/sms", "/v1/mgmt/license", "errorCode"},
		"twilio":  {"/v2/Services/demo/Verifications", "/v2/Services/demo/RateLimits", "code"},
	} {
		for status, a := range map[int]answer{
			405: b.do("PUT", test.post, "{}"),
			413: b.do("POST", test.post, "", "Content-Length: 20000"),
			415: b.do("POST", test.post, "x", "Content-Encoding: gzip"),
			404: b.do("GET", test.below, ""),
		} {
			if status == 404 && test.below == "" {
				continue // the root is not a vendor's alone
			}
			if a.status != status || a.headers["Content-Type"] != "application/json" || !strings.Contains(a.body, `"`+test.code+`":`) {
				t.Errorf("%s: got %d %s, want %d", door, a.status, a.body, status)
			}
			var wire map[string]any
			if err := json.Unmarshal([]byte(a.body), &wire); err != nil {
				t.Fatalf("%s: %v in %s", door, err, a.body)
			}
			// Where a vendor repeats the status in the body, it is the same one.
			for _, name := range []string{"code", "status"} {
				if n, ok := wire[name].(float64); ok && n < 600 && int(n) != status {
					t.Errorf("%s: %s with %d", door, a.body, status)
				}
			}
		}
	}
}
