package server_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// watch opens the live stream, and returns its events one by one: name and data.
func (p *page) watch() (next func() (event, data string), done func()) {
	p.t.Helper()
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	late := time.AfterFunc(20*time.Second, func() { conn.Close() })
	fmt.Fprintf(conn, "GET /admin/live HTTP/1.1\r\nHost: %s\r\n%s\r\nConnection: close\r\n\r\n", p.addr, p.cookie)
	lines := bufio.NewScanner(conn)
	return func() (event, data string) {
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				event = value
			case "data":
				return event, value
			}
		}
		return "", ""
	}, func() { late.Stop(); conn.Close() }
}

// TestPageLive has what happens on the stream, at once, and the stream end with
// its sign-in, for a ninth, and at a stop.
func TestPageLive(t *testing.T) {
	p := newPage(t, nil).signIn()
	next, done := p.watch()
	defer done()
	if event, data := next(); event != "overview" || !strings.Contains(data, `"sentence":{"level":"green"`) {
		t.Fatalf("got %s %s", event, data)
	}
	if a := p.post("/admin/messages", `{"to":"`+phone+`"}`); a.status != 202 {
		t.Fatalf("got %+v", a)
	}
	for seen := ""; !strings.Contains(seen, `"type":"message.sent"`); {
		event, data := next()
		if event == "" {
			t.Fatalf("the stream has ended after %s", seen)
		}
		seen += data
	}
	var others []func() (string, string)
	for range 8 {
		other, done := p.watch()
		defer done()
		other()
		others = append(others, other)
	}
	ends := func(next func() (string, string), why string) {
		t.Helper()
		for {
			switch event, data := next(); event {
			case "":
				t.Fatalf("it ends without a word, and not by %s", why)
			case "end":
				if data != `{"reason":"`+why+`"}` {
					t.Errorf("got %s, want %s", data, why)
				}
				return
			}
		}
	}
	ends(next, "displaced")
	last, done := p.watch()
	defer done()
	last()
	ends(others[0], "displaced")
	again := p.do("POST", "/admin/login", `{"password":"`+password+`"}`, fence)
	first := p.cookie
	p.cookie = "Cookie: " + cookiePattern.FindString(again.headers["Set-Cookie"])
	stays, done := p.watch()
	defer done()
	stays()
	ends(others[1], "displaced")
	p.cookie = first
	if a := p.post("/admin/logout", ""); a.status != 204 {
		t.Fatalf("got %+v", a)
	}
	for _, other := range others[2:] {
		ends(other, "signed_out")
	}
	ends(last, "signed_out")
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		stopped <- p.http.Shutdown(ctx)
	}()
	ends(stays, "stopping")
	if err := <-stopped; err != nil {
		t.Errorf("the streams hold up a stop: %v", err)
	}
}

// TestPageKeepsSecrets makes a day of everything and has no code, no text and no
// whole number in any answer, but where it was asked for and noted.
func TestPageKeepsSecrets(t *testing.T) {
	p := newPage(t, nil).signIn()
	const text = "a secret text of ours"
	started := p.do("POST", "/v1/verifications", `{"to":"`+phone+`","purpose":"sign_up_or_in"}`, key(publishable))
	id, code := member(t, started.body, "id"), p.code()
	if a := p.do("POST", "/v1/verifications/"+id+"/check", `{"code":"000000"}`, key(publishable)); a.status != 422 {
		t.Errorf("got %+v", a)
	}
	checked := p.do("POST", "/v1/verifications/"+id+"/check", `{"code":"`+code+`"}`, key(publishable))
	user := member(t, checked.body[strings.Index(checked.body, `"user"`):], "id")
	if a := p.post("/admin/messages", `{"to":"`+phone+`","text":"`+text+`"}`); a.status != 202 {
		t.Errorf("got %+v", a)
	}
	for range 4 { // until a limit refuses
		p.do("POST", "/v1/verifications", `{"to":"`+phone+`"}`, key(publishable))
	}
	live := p.code()
	sink := p.route.Sink()
	for _, in := range []otp.Incoming{{From: "41791234567", Text: "STOP", At: 1}, {From: "41791234567", Text: "<script>alert(1)</script>", At: 2}} {
		in.Route, in.Parts = "gsm0", 1
		if err := sink.Received(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	list := p.get("/admin/messages").body
	message, inbound := member(t, list, "id"), member(t, p.get("/admin/inbound").body, "id")
	all := []answer{p.post("/admin/users/"+user+"/block", ""), p.post("/admin/users/"+user+"/unblock", `{"app":"demo"}`), p.post("/admin/users/"+user+"/sign-out", "")}
	for _, a := range all {
		if a.status != 200 {
			t.Errorf("got %+v", a)
		}
	}
	paths := []string{"/admin/verifications/" + id, "/admin/messages/" + message, "/admin/users/" + user,
		"/admin/verifications?phone=%2B41791234567", "/admin/messages?phone=%2B41791234567", "/admin/users?phone=%2B41791234567", "/admin/limits?phone=%2B41791234567"}
	for _, r := range p.routes() {
		if r.method == "GET" && !public(r.path) && r.path != "/admin/live" && !strings.Contains(r.path, "_") {
			paths = append(paths, r.path)
		}
	}
	for _, path := range paths {
		a := p.get(path)
		if a.status != 200 {
			t.Errorf("%s: %+v", path, a)
		}
		all = append(all, a)
	}
	for i, a := range all {
		for _, secret := range []string{phone, phone[1:], code, live, text} {
			if strings.Contains(a.body, secret) {
				t.Errorf("answer %d has %q: %s", i, secret, a.body)
			}
		}
	}
	limits := p.get("/admin/limits").body
	for _, one := range []string{id, message, user, inbound, member(t, limits[strings.Index(limits, `"kind":"phone"`)-70:], "id")} {
		if a := p.post("/admin/reveal", `{"id":"`+one+`"}`); a.status != 200 || a.body != `{"phone":"`+phone+`"}` {
			t.Errorf("%s: %+v", one, a)
		}
		if a := p.get("/admin/audit?limit=1"); !strings.Contains(a.body, `"action":"phone.reveal","target":"`+one+`"`) {
			t.Errorf("not noted: %s", a.body)
		}
	}
	if a := p.get("/admin/opt-outs"); !strings.Contains(a.body, `"phone":"+41*******67"`) {
		t.Errorf("got %+v", a)
	}
	if status, body := p.call("GET", "/admin/opt-outs", ""); status != 200 || !strings.Contains(body, phone) {
		t.Errorf("on the socket: %d %s", status, body)
	}
	if a := p.post("/admin/opt-outs/lift", `{"id":"`+member(t, p.get("/admin/opt-outs").body, "id")+`"}`); a.body != `{"lifted":true}` {
		t.Errorf("got %+v", a)
	}
	if a := p.post("/admin/users/"+user+"/remove", ""); a.status != 204 {
		t.Errorf("got %+v", a)
	}
	if a := p.post("/admin/backup", `{"password":"`+password+`"}`); a.status != 200 || a.body != "the database" || !strings.HasPrefix(a.headers["Content-Disposition"], "attachment;") {
		t.Errorf("got %+v", a)
	}
	if a := p.post("/admin/backup", `{"password":"a wrong password"}`); a.status != 403 {
		t.Errorf("got %+v", a)
	}
	if status, _ := p.call("POST", "/v1/messages", `{"to":"`+phone+`","text":"Hello"}`); status != 202 {
		t.Errorf("got %d", status)
	}
	audit := p.get("/admin/audit?limit=100").body
	for _, part := range []string{`"who":"admin","from":"127.0.0.1","action":"user.remove"`, `"action":"backup.take"`, `"who":"socket uid`, `"action":"opt_out.lift","target":"+41*******67"`} {
		if !strings.Contains(audit, part) {
			t.Errorf("the trail has no %s: %s", part, audit)
		}
	}
	if a := p.get("/admin/audit/verify"); !strings.HasPrefix(a.body, `{"intact":true,`) {
		t.Errorf("got %+v", a)
	}
}

// TestPagePages reads a list to its end.
func TestPagePages(t *testing.T) {
	p := newPage(t, nil).signIn()
	for i := range 7 {
		if a := p.post("/admin/messages", fmt.Sprintf(`{"to":"+4179123450%d"}`, i)); a.status != 202 {
			t.Fatalf("got %+v", a)
		}
	}
	seen := map[string]bool{}
	for cursor := ""; ; {
		body := p.get("/admin/messages?limit=3&cursor=" + cursor).body
		for _, id := range regexp.MustCompile(`"msg_[0-9a-f]{32}"`).FindAllString(body, -1) {
			seen[id] = true
		}
		if strings.Contains(body, `"next_cursor":null`) {
			break
		}
		cursor = member(t, body, "next_cursor")
	}
	if len(seen) != 7 {
		t.Errorf("%d of 7 are listed", len(seen))
	}
	for _, path := range []string{"messages?limit=0", "messages?limit=101", "messages?cursor=x", "users?cursor=x", "audit?cursor=x", "limits?cursor=x",
		"verifications?phone=1", "limits?address=x", "chart?hours=0", "chart?hours=169", "opt-outs?cursor=x", "inbound?cursor=x"} {
		if a := p.get("/admin/" + path); a.status != 400 {
			t.Errorf("%s: %+v", path, a)
		}
	}
	for _, path := range []string{"messages/msg_0", "verifications/x", "users/usr_" + otp.NewID().String(), "messages/msg_" + otp.NewID().String()} {
		if a := p.get("/admin/" + path); a.status != 404 {
			t.Errorf("%s: %+v", path, a)
		}
	}
}

// TestPagePreview has a text counted, shown and written for the config file, and
// refused in words.
func TestPagePreview(t *testing.T) {
	p := newPage(t, nil).signIn()
	for body, want := range map[string]string{
		`{"locale":"de"}`: `"preview":"000000 ist Ihr Code für demo`,
		`{"locale":"en","text":"{code} \"is\" it"}`: `"toml":"texts.en = \"{code} \\\"is\\\" it\""`,
		`{"locale":"en","text":"no code"}`:          `"problem":"the text has {code} 0 times`,
		`{"locale":"en","text":"{cod}"}`:            `the nearest is {code}`,
	} {
		if a := p.post("/admin/texts/preview", body); a.status != 200 || !strings.Contains(a.body, want) {
			t.Errorf("%s: %+v", body, a)
		}
	}
	for _, body := range []string{`{"locale":"xx"}`, `{"app":"none"}`, `{"txt":""}`} {
		if a := p.post("/admin/texts/preview", body); a.status != 400 && a.status != 404 {
			t.Errorf("%s: %+v", body, a)
		}
	}
}
