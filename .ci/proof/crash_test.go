package proof

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// rounds is how often a proof tries the same again: usual, unless ROUNDS asks
// for more.
func rounds(t *testing.T, usual int) int {
	if s := os.Getenv("ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		must(t, err)
		return n
	}
	return usual
}

// started is a verification that was answered with 201.
type started struct{ id, message, to string }

// A box that is killed at random moments under load loses no message that it
// answered for, sends none more than twice, repeats only the same digits, and
// never accepts a used code again.
func TestKills(t *testing.T) {
	m := newModem(t)
	b := newBox(t, m.link)
	var mu sync.Mutex
	var all []started
	used := map[string]started{} // by code
	next, kills := 0, rounds(t, 20)

	for round := range kills {
		b.start()
		for code, s := range used {
			b.call(422, "POST", "/v1/verifications/"+s.id+"/check", checkBody(code, ""))
		}
		stop := make(chan struct{})
		var load sync.WaitGroup
		for range 4 {
			load.Go(func() {
				var waiting []started
				for {
					select {
					case <-stop:
						return
					default:
					}
					mu.Lock()
					next++
					to := number(next * 17)
					mu.Unlock()
					a := b.try("POST", "/v1/verifications", startBody(to))
					switch a.status {
					case 0:
						return // killed
					case 503: // the modem is slower than we are
					case 201:
						s := started{a.field(t, "id"), a.field(t, "message", "id"), to}
						mu.Lock()
						all = append(all, s)
						mu.Unlock()
						waiting = append(waiting, s)
					default:
						t.Errorf("a start was answered with %d: %s", a.status, a.body)
						return
					}
					// Use some of the codes that have come, and give the modem time.
					time.Sleep(2 * time.Millisecond)
					if len(waiting) == 0 {
						continue
					}
					if code := m.code(waiting[0].to); code != "" {
						if a := b.try("POST", "/v1/verifications/"+waiting[0].id+"/check", checkBody(code, "")); a.status == 200 {
							mu.Lock()
							used[code] = waiting[0]
							mu.Unlock()
						}
						waiting = waiting[1:]
					}
				}
			})
		}
		before, lasted := len(all), time.Duration(5+rand.IntN(400))*time.Millisecond
		time.Sleep(lasted)
		b.kill()
		close(stop)
		load.Wait()
		if all := len(all); all == before && lasted > 100*time.Millisecond {
			t.Errorf("round %d: nothing was started", round)
		}
	}

	b.start()
	states := map[string]string{}
	b.eventually("every message terminal", 2*time.Minute, func() bool {
		time.Sleep(200 * time.Millisecond)
		states = list(t, b)
		for _, s := range states {
			if s == "accepted" || s == "sending" {
				return false
			}
		}
		return true
	})
	for _, s := range all {
		if states[s.message] == "" {
			t.Errorf("message %s was answered for and is not listed", s.message)
		}
	}
	for code, s := range used {
		b.call(422, "POST", "/v1/verifications/"+s.id+"/check", checkBody(code, ""))
	}
	codes, counts := map[string]string{}, map[string]int{}
	repeats := 0
	for _, s := range m.received() {
		code := digits.FindString(s.Text)
		if counts[s.To]++; counts[s.To] > 2 {
			t.Errorf("a number got %d transmissions", counts[s.To])
		}
		if counts[s.To] == 2 {
			repeats++
		}
		if codes[s.To] != "" && codes[s.To] != code {
			t.Error("a repeat carries other digits")
		}
		codes[s.To] = code
	}
	for _, s := range all {
		if states[s.message] == "sent" && counts[s.to] == 0 {
			t.Errorf("message %s is sent and never arrived", s.message)
		}
	}
	summary := map[string]int{}
	for _, s := range states {
		summary[s]++
	}
	t.Logf("%d verifications answered for over %d kills, states %v, %d codes used, %d repeats", len(all), kills, summary, len(used), repeats)
}

// list reads the state of every message by id.
func list(t *testing.T, b *box) map[string]string {
	states := map[string]string{}
	for cursor := ""; ; {
		var page struct {
			Messages   []struct{ ID, State string }
			NextCursor string `json:"next_cursor"`
		}
		must(t, json.Unmarshal(b.call(200, "GET", "/v1/messages?limit=100&cursor="+cursor, "").body, &page))
		for _, m := range page.Messages {
			if states[m.ID] != "" {
				t.Errorf("message %s is listed twice", m.ID)
			}
			states[m.ID] = m.State
		}
		if cursor = page.NextCursor; cursor == "" {
			return states
		}
	}
}

// Wrong tries are durable before their answer leaves: five from five
// addresses, each followed by a kill, are the end of the code.
func TestWrongTriesOutliveKills(t *testing.T) {
	for _, test := range []struct {
		name    string
		address func(n int) string
		dead    bool
	}{
		{"five addresses", func(n int) string { return "192.0.2." + strconv.Itoa(n+1) }, true},
		{"one address", func(int) string { return "192.0.2.1" }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newModem(t)
			b := newBox(t, m.link)
			b.start()
			to := number(1)
			id := b.call(201, "POST", "/v1/verifications", startBody(to)).field(t, "id")
			b.eventually("the code on the handset", 10*time.Second, func() bool { return m.code(to) != "" })
			right := m.code(to)
			check := "/v1/verifications/" + id + "/check"
			for n := range 5 {
				a := b.try("POST", check, checkBody(wrong(right), test.address(n)))
				b.kill() // within a fraction of a millisecond of the answer
				if want := 422; a.status != want && (test.dead || n < 4) {
					t.Fatalf("try %d: status %d", n+1, a.status)
				}
				b.start()
			}
			if !test.dead {
				b.call(429, "POST", check, checkBody(wrong(right), test.address(0)))
				b.call(200, "POST", check, checkBody(right, "198.51.100.1"))
				return
			}
			b.call(422, "POST", check, checkBody(right, "198.51.100.1"))
			if s := b.call(200, "GET", "/v1/verifications/"+id, "").field(t, "status"); s != "exhausted" {
				t.Errorf("the verification is %s", s)
			}
		})
	}
}
