package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/server/console"
	"github.com/pinferry/pinferry/server/web/webtest"
)

func aMessage(n int) object {
	return object{
		"id": fmt.Sprintf("msg_%032x", n), "app": "shop", "state": "delivered", "reason": nil, "to": "+41*******67",
		"route": "gsm0", "tries": 1, "created_at": "2026-11-22T10:00:00.000Z", "expires_at": "2026-11-22T11:00:00.000Z",
	}
}

// A list is read to its end, past pages that are empty because a search goes on,
// and no further than was asked.
func TestListsFollowTheCursor(t *testing.T) {
	b := newBox(t)
	pages := map[string]object{
		"":  {"messages": []any{aMessage(1)}, "next_cursor": "a"},
		"a": {"messages": []any{}, "next_cursor": "b"},
		"b": {"messages": []any{aMessage(2), aMessage(3)}, "next_cursor": nil},
	}
	b.on("GET /admin/messages", func(r *http.Request) any { return pages[r.URL.Query().Get("cursor")] })
	for _, test := range []struct {
		args []string
		want int
	}{
		{nil, 3},
		{[]string{"--limit", "1"}, 1},
		{[]string{"--limit", "2"}, 2},
		{[]string{"--state", "sent", "--phone", number, "--app", "shop"}, 3},
	} {
		code, stdout, stderr := b.run(console.MessageList, "", test.args...)
		if code != console.OK || strings.Count(stdout, "\n") != test.want {
			t.Errorf("%v: %d\n%s%s", test.args, code, stdout, stderr)
		}
		var all []object
		if _, stdout, _ := b.run(console.MessageList, "", append(test.args, "--json")...); json.Unmarshal([]byte(stdout), &all) != nil || len(all) != test.want {
			t.Errorf("%v --json: %s", test.args, stdout)
		}
	}
	last := b.requests()[len(b.requests())-1]
	for _, want := range []string{"state=sent", "phone=%2B41791234567", "app=shop", "cursor=b"} {
		if !strings.Contains(last, want) {
			t.Errorf("asked %s, without %s", last, want)
		}
	}
	if code, _, stderr := b.run(console.MessageList, "", "--limit", "0"); code != console.Usage {
		t.Errorf("--limit 0: %d %s", code, stderr)
	}
	b.on("GET /admin/messages", object{"messages": []any{}, "next_cursor": "always"})
	if code, _, stderr := b.run(console.MessageList, ""); code != console.Failed || !strings.Contains(stderr, "does not go on") {
		t.Errorf("a list without an end: %d %s", code, stderr)
	}
}

// What a stranger chose reaches a terminal as text.
func TestNothingGivesOrdersToTheTerminal(t *testing.T) {
	b := newBox(t)
	hostile := aMessage(1)
	hostile["reason"] = "\x1b]0;owned\a\u202e\r\n"
	hostile["timeline"] = []any{object{"at": "2026-11-22T10:00:00.000Z", "what": "failed", "text": "\x1b[2J"}}
	b.on("GET /admin/messages", object{"messages": []any{hostile}})
	b.on("GET /admin/messages/msg_1", hostile)
	user := object{"id": "usr_1", "phone": number, "names": []string{"\x1b[2J"}, "enabled": true, "created_at": "2026-11-22T10:00:00Z", "last_login_at": nil}
	b.on("GET /v1/users", object{"users": []any{user}})
	b.on("GET /v1/users/usr_1", user)
	b.on("GET /admin/limits", object{"limits": []any{object{"id": "\x1b[2J", "kind": "phone", "blocked": true, "text": "\a"}}})
	for name, say := range map[string]func() (int, string, string){
		"messages ls":   func() (int, string, string) { return b.run(console.MessageList, "") },
		"messages show": func() (int, string, string) { return b.run(console.MessageShow, "ID", "msg_1") },
		"user ls":       func() (int, string, string) { return b.run(console.UserList, "") },
		"user show":     func() (int, string, string) { return b.run(console.UserShow, "USER", "usr_1") },
		"limits ls":     func() (int, string, string) { return b.run(console.LimitList, "") },
		"limits show":   func() (int, string, string) { return b.run(console.LimitShow, "SUBJECT", number) },
	} {
		code, stdout, stderr := say()
		if code != console.OK || stdout == "" || strings.ContainsAny(stdout, "\x1b\a\r\u202e") {
			t.Errorf("%s: %d %q %s", name, code, stdout, stderr)
		}
	}
}

func TestShowTellsTheStory(t *testing.T) {
	b := newBox(t)
	m := aMessage(1)
	m["timeline"] = []any{
		object{"at": "2026-11-22T10:00:00.000Z", "what": "accepted"},
		object{"at": "2026-11-22T10:00:02.000Z", "what": "delivered", "route": "gsm0", "text": "The handset has it."},
	}
	b.on("GET /admin/messages/msg_1", m)
	b.on("GET /admin/verifications/vrf_1", object{
		"id": "vrf_1", "app": "shop", "door": "native", "status": "approved", "to": "+41*******67", "channel": "sms", "purpose": "verify",
		"created_at": "2026-11-22T10:00:00.000Z", "expires_at": "2026-11-22T10:05:00.000Z", "attempts_left": 4,
		"message": object{"id": "msg_1", "state": "delivered", "reason": nil, "route": "gsm0"}, "timeline": m["timeline"],
	})
	_, stdout, _ := b.run(console.MessageShow, "ID", "msg_1")
	webtest.Golden(t, "message", stdout)
	_, stdout, _ = b.run(console.VerificationShow, "ID", "vrf_1")
	webtest.Golden(t, "verification", stdout)
	if code, _, stderr := b.run(console.MessageShow, "ID", "msg_2"); code != console.Refused || !strings.Contains(stderr, "no such") {
		t.Errorf("of no message: %d %s", code, stderr)
	}
	if code, _, _ := b.run(console.MessageShow, "ID", "../status?x"); code != console.Refused {
		t.Errorf("an id that is a path: %d", code)
	}
	if last := b.requests()[len(b.requests())-1]; !strings.Contains(last, "..%2Fstatus%3Fx") {
		t.Errorf("asked %s", last)
	}
}

func TestVerificationList(t *testing.T) {
	b := newBox(t)
	b.on("GET /admin/verifications", object{"verifications": []any{
		object{"id": "vrf_1", "app": "shop", "status": "pending", "to": "+41*******67", "created_at": "2026-11-22T10:00:00.000Z", "message": nil},
		object{"id": "vrf_2", "app": "shop", "status": "approved", "to": "+41*******67", "created_at": "2026-11-22T10:00:00.000Z", "message": object{"state": "delivered", "route": "gsm0"}},
	}, "next_cursor": nil})
	_, stdout, _ := b.run(console.VerificationList, "", "--status", "pending")
	webtest.Golden(t, "verifications", stdout)
}

// Numbers that nobody typed are not shown, not even to scripts.
func TestUsersAreMasked(t *testing.T) {
	b := newBox(t)
	user := object{"id": "usr_1", "phone": number, "email": "ada.lovelace@example.com", "names": []string{"ada"}, "enabled": true, "created_at": "2026-11-22T10:00:00Z", "last_login_at": nil, "logins": 3}
	b.on("GET /v1/users", object{"users": []any{user}, "next_cursor": nil})
	b.on("GET /v1/users/usr_1", user)
	b.on("PATCH /v1/users/usr_1", user)
	for _, args := range [][]string{{}, {"--json"}} {
		for name, say := range map[string]func() (int, string, string){
			"ls":      func() (int, string, string) { return b.run(console.UserList, "", args...) },
			"show":    func() (int, string, string) { return b.run(console.UserShow, "USER", append(args, "usr_1")...) },
			"block":   func() (int, string, string) { return b.run(console.UserBlock, "USER", append(args, "usr_1")...) },
			"unblock": func() (int, string, string) { return b.run(console.UserUnblock, "USER", append(args, number)...) },
		} {
			code, stdout, stderr := say()
			if code != console.OK || strings.Contains(stdout+stderr, number[3:]) || strings.Contains(stdout+stderr, "lovelace") {
				t.Errorf("user %s %v: %d %s%s", name, args, code, stdout, stderr)
			}
		}
	}
	last := b.requests()
	if !strings.Contains(strings.Join(last, "\n"), `PATCH /v1/users/usr_1 {"enabled":true}`) {
		t.Errorf("asked %v", last)
	}
}

func TestWhyIsThisNumberRefused(t *testing.T) {
	b := newBox(t)
	why := object{"limits": []any{
		object{"id": "lim_1", "kind": "phone", "subject": "+41*******67", "rule": "N1", "text": "3 sends in 5 minutes to this number", "blocked": true, "until": "2026-11-22T10:05:00.000Z"},
		object{"id": "lim_2", "kind": "block", "subject": "+4179123xxxx", "rule": "N4", "text": "12 sends in a day to this block", "blocked": false, "until": nil},
	}, "opted_out": false, "known": true, "next_cursor": nil}
	b.on("GET /admin/limits", why)
	_, stdout, _ := b.run(console.LimitShow, "SUBJECT", "+41 79 123 45 67")
	webtest.Golden(t, "limits", stdout)
	b.on("GET /admin/limits", object{"limits": []any{}, "opted_out": true})
	if code, stdout, _ := b.run(console.LimitShow, "SUBJECT", number); code != console.OK || !strings.Contains(stdout, "STOP") {
		t.Errorf("of a holder who texted STOP: %d %s", code, stdout)
	}
	b.on("GET /admin/limits", object{"limits": []any{}, "opted_out": false})
	if code, stdout, _ := b.run(console.LimitShow, "SUBJECT", "192.0.2.7"); code != console.OK || stdout != "No limit refuses it.\n" {
		t.Errorf("of a free address: %d %s", code, stdout)
	}
	b.on("GET /admin/limits", object{"limits": []any{
		object{"rule": "N13", "text": "of the box", "blocked": false}, object{"rule": "N7", "text": "of the number", "blocked": true},
	}, "opted_out": false, "refused_by": []any{"shop"}})
	_, stdout, _ = b.run(console.LimitShow, "SUBJECT", number)
	if !strings.HasPrefix(stdout, "blocked  N7") || !strings.Contains(stdout, "App shop sends nothing there") || strings.Contains(stdout, "No limit") {
		t.Errorf("of a number that a limit and an app refuse: %s", stdout)
	}
	b.on("POST /admin/limits/lift", object{"lifted": 2})
	for _, typed := range []string{"192.0.2.7", number, "lim_1"} {
		if code, stdout, stderr := b.run(console.LimitLift, "SUBJECT", typed); code != console.OK || stdout != "lifted 2\n" {
			t.Errorf("lift %s: %d %s%s", typed, code, stdout, stderr)
		}
	}
	all := strings.Join(b.requests(), "\n")
	for _, want := range []string{
		"GET /admin/limits?limit=100&phone=%2B41+79+123+45+67", "GET /admin/limits?address=192.0.2.7", `lift {"address":"192.0.2.7"}`, `lift {"phone":"+41791234567"}`, `lift {"id":"lim_1"}`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("never asked %s:\n%s", want, all)
		}
	}
}

func TestOptOutsAreMasked(t *testing.T) {
	b := newBox(t)
	b.on("GET /admin/opt-outs", object{"opt_outs": []any{object{"id": "opt_1", "phone": number, "since": "2026-11-22T10:00:00.000Z", "route": "gsm0"}}})
	for _, args := range [][]string{{}, {"--json"}} {
		if code, stdout, stderr := b.run(console.OptOutList, "", args...); code != console.OK || strings.Contains(stdout, number[3:]) || !strings.Contains(stdout, "opt_1") {
			t.Errorf("%v: %d %s%s", args, code, stdout, stderr)
		}
	}
	b.on("POST /admin/opt-outs/lift", object{"lifted": true})
	b.run(console.OptOutLift, "NUMBER", "opt_1")
	b.run(console.OptOutLift, "NUMBER", number)
	if all := strings.Join(b.requests(), "\n"); !strings.Contains(all, `{"id":"opt_1"}`) || !strings.Contains(all, `{"phone":"+41791234567"}`) {
		t.Errorf("asked %s", all)
	}
}
