package modem_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
)

// A full SIM is read and emptied, and the message that met it is sent.
func TestAFullSIMIsEmptied(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		b.sink.refuse(true)
		for i := range 20 {
			b.texted(t, "+41791234567", fmt.Sprint("message ", i))
		}
		time.Sleep(time.Second)
		b.sink.refuse(false)
		if v := b.send(); v.Outcome != otp.Sent {
			t.Fatalf("with a full SIM: %+v", v)
		}
		time.Sleep(15 * time.Second)
		if got := len(b.sink.received()); got != 20 || b.Stored() != 0 {
			t.Errorf("%d received, %d stored", got, b.Stored())
		}
	})
}

// A store that fails must not mute the modem: what fills the SIM waits in the
// box, and that is said aloud.
func TestAFullSIMAndADeafStore(t *testing.T) {
	var dropped units
	var log bytes.Buffer
	cfg := modem.Config{Dropped: dropped.add, Log: zerolog.New(&log)}
	bubble(t, simulator.Config{}, cfg, func(t *testing.T, b *bench) {
		b.sink.refuse(true)
		var want []string
		for i := range 20 {
			want = append(want, fmt.Sprint("message ", i))
			b.texted(t, "+41791234567", want[i])
		}
		time.Sleep(time.Second)
		if v := b.send(); v.Outcome != otp.Sent {
			t.Fatalf("with a full SIM: %+v", v)
		}
		if n := b.Stored(); n != 19 {
			t.Errorf("%d stored, want all but one", n)
		}
		if got := dropped.list(); len(got) != 0 || !strings.Contains(log.String(), "lost if the box stops") {
			t.Errorf("dropped %v, log:\n%s", got, log.String())
		}
		b.pull(true) // a new session must neither lose nor double it
		time.Sleep(time.Second)
		b.pull(false)
		b.await(t, otp.RouteReady, "", 10*time.Second)
		b.sink.refuse(false)
		time.Sleep(15 * time.Second)
		b.wantTexts(t, want...)
		if n := b.Stored(); n != 0 {
			t.Errorf("%d stored", n)
		}
	})
}

// What the box has read from one SIM says nothing of what stands in the next.
func TestAnotherSIMKeepsItsSMS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		sim, held := true, "a"
		change := func(there bool, now string) {
			mu.Lock()
			defer mu.Unlock()
			sim, held = there, now
		}
		p := &peer{answer: func(unit string) string {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case unit == "AT+CPIN?\r" && !sim:
				return "\r\n+CME ERROR: 10\r\n"
			case unit == "AT+CPMS?\r":
				return fmt.Sprintf("\r\n+CPMS: \"SM\",%d,20,\"SM\",%[1]d,20,\"SM\",%[1]d,20\r\n\r\nOK\r\n", len(held))
			case unit == "AT+CMGL=4\r" && held != "":
				pdu := part(false, 0, 1, 1, held[0])
				return fmt.Sprintf("\r\n+CMGL: 1,0,,%d\r\n00%X\r\n\r\nOK\r\n", len(pdu), pdu)
			case unit == "AT+CMGD=1\r":
				held = ""
			}
			return obliging(unit)
		}}
		b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{}), sink: &sink{}}
		b.sink.refuse(true)
		b.stop = start(t, b.Gateway, b.sink)
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		time.Sleep(10 * time.Second)
		change(false, "")
		b.await(t, otp.RouteDown, "no_sim", 10*time.Second)
		change(true, "b")
		b.sink.refuse(false)
		time.Sleep(time.Minute)
		b.wantTexts(t, "bbb")
	})
}

// The memory that is watched is the one that the modem stores to, whichever it
// named last.
func TestStorageIsWatchedInTheRightMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		current := "SM"
		p := &peer{}
		p.answer = func(unit string) string {
			if name, set := strings.CutPrefix(unit, "AT+CPMS=\""); set {
				current = name[:2]
			}
			if unit == "AT+CPMS?\r" {
				return "\r\n+CPMS: \"" + current + "\",0,20,\"SM\",0,20,\"SM\",0,20\r\n\r\nOK\r\n"
			}
			return obliging(unit)
		}
		b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{}), sink: &sink{}}
		b.stop = start(t, b.Gateway, b.sink)
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		p.say("\r\n+CMTI: \"ME\",1\r\n")
		time.Sleep(11 * time.Minute)
		if all := p.list(); !slices.Contains(all, "AT+CPMS=\"ME\"\r") || !slices.Contains(all, "AT+CPMS=\"SM\"\r") {
			t.Error("the modem was left with the memory that an indication named")
		}
	})
}
