package modem_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
)

// texted has a handset text the SIM of the bench.
func (b *bench) texted(t *testing.T, from, text string) {
	t.Helper()
	if err := b.Deliver(from, text); err != nil {
		t.Fatal(err)
	}
}

// wantTexts compares the texts that the sink has.
func (b *bench) wantTexts(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, in := range b.sink.received() {
		got = append(got, in.Text)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("received %q, want %q", got, want)
	}
}

func TestReceived(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	bubble(t, simulator.Config{Now: func() time.Time { return now }}, modem.Config{}, func(t *testing.T, b *bench) {
		b.texted(t, "+41791234567", "Grüezi, 5 € [ok]")
		b.texted(t, "MyBank", "привет \U0001f600")
		b.texted(t, "4636", "short code")
		time.Sleep(time.Second)
		want := []otp.Incoming{
			{Route: "gsm0", From: "41791234567", Text: "Grüezi, 5 € [ok]", At: otp.TimeOf(now), Parts: 1},
			{Route: "gsm0", From: "MyBank", Local: true, Text: "привет \U0001f600", At: otp.TimeOf(now), Parts: 1},
			{Route: "gsm0", From: "4636", Local: true, Text: "short code", At: otp.TimeOf(now), Parts: 1},
		}
		if got := b.sink.received(); !slices.Equal(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if n := b.Stored(); n != 0 {
			t.Errorf("the SIM still holds %d", n)
		}
		if v := b.send(); v.Outcome != otp.Sent {
			t.Errorf("sending afterwards: %+v", v)
		}
	})
}

// What the network says of a sender's number is handed on: whether it is one of
// its country.
func TestReceivedFromANationalNumber(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		for _, kind := range []byte{0xa1, 0x81} { // national, unknown
			pdu := []byte{4, 9, kind, 0x97, 0x21, 0x43, 0x65, 0xf7, 0, 4, 0x62, 0x11, 0x22, 0x90, 0, 0, 0, 1, 'a'}
			b.DeliverPDU(pdu)
		}
		time.Sleep(2 * time.Second)
		for n, in := range b.sink.received() {
			if in.From != "791234567" || !in.Local || in.National != (n == 0) {
				t.Errorf("the sender is %q, local %v, national %v", in.From, in.Local, in.National)
			}
		}
		if n := len(b.sink.received()); n != 2 {
			t.Errorf("%d received", n)
		}
	})
}

// Long texts come whole, whatever the alphabet and the order; a pair of
// surrogates or an escape may be cut between two parts.
func TestReceivedInParts(t *testing.T) {
	for name, text := range map[string]string{
		"GSM":  strings.Repeat("a{b}€ ", 100),
		"UCS2": strings.Repeat("\U0001f600x", 150),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
				b.texted(t, "+41791234567", text)
				time.Sleep(2 * time.Second)
				b.wantTexts(t, text)
				if parts := b.sink.received()[0].Parts; parts < 4 {
					t.Errorf("%d parts", parts)
				}
				if n := b.Stored(); n != 0 {
					t.Errorf("the SIM still holds %d", n)
				}
			})
		})
	}
}

// part is one SMS-DELIVER of a long SMS in the GSM alphabet, whose letters are
// all one letter.
func part(wide bool, reference, total, number byte, letter byte) []byte {
	header := []byte{5, 0, 3, reference, total, number}
	if wide {
		header = []byte{6, 8, 4, 1, reference, total, number}
	}
	b := []byte{0x44, 11, 0x91, 0x14, 0x97, 0x21, 0x43, 0x65, 0xf7, 0, 4, 0x62, 0x11, 0x22, 0x90, 0, 0, 0} // 8-bit data
	b = append(b, byte(len(header)+3))
	return append(append(b, header...), letter, letter, letter)
}

func TestPartsOutOfOrderTwiceAndInterleaved(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		for _, p := range [][]byte{
			part(false, 7, 3, 3, 'c'), part(true, 7, 2, 2, 'y'), part(false, 7, 3, 1, 'a'), part(false, 7, 3, 1, 'a'),
			part(false, 8, 2, 1, 'm'), part(true, 7, 2, 1, 'x'), part(false, 7, 3, 2, 'b'),
		} {
			b.DeliverPDU(p)
			time.Sleep(300 * time.Millisecond)
		}
		b.wantTexts(t, "xxxyyy", "aaabbbccc")
		if n := b.Stored(); n != 1 {
			t.Errorf("the SIM holds %d, want the one part of which the other is missing", n)
		}
	})
}

func TestPartsThatMakeNoSenseStandAlone(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		for _, p := range [][]byte{part(false, 1, 0, 0, 'a'), part(false, 1, 2, 3, 'b'), part(false, 1, 1, 1, 'c'), part(false, 1, 2, 0, 'd')} {
			b.DeliverPDU(p)
		}
		time.Sleep(2 * time.Second)
		b.wantTexts(t, "aaa", "bbb", "ccc", "ddd")
	})
}

// What stays incomplete is given up, and its parts make room.
func TestIncompleteSetsAreDropped(t *testing.T) {
	var dropped units // why SMS were given up
	cfg := modem.Config{Dropped: dropped.add}
	bubble(t, simulator.Config{}, cfg, func(t *testing.T, b *bench) {
		b.DeliverPDU(part(false, 1, 2, 1, 'a'))
		time.Sleep(9 * time.Minute)
		if b.Stored() != 1 || len(dropped.list()) != 0 {
			t.Fatalf("after nine minutes: %d stored, dropped %v", b.Stored(), dropped.list())
		}
		time.Sleep(13 * time.Minute)
		if b.Stored() != 0 || !slices.Equal(dropped.list(), []string{"incomplete"}) {
			t.Errorf("after 22 minutes: %d stored, dropped %v", b.Stored(), dropped.list())
		}
		b.DeliverPDU(part(false, 1, 2, 2, 'b'))
		time.Sleep(time.Second)
		b.wantTexts(t)
	})
}

// A modem without a store of its own pushes what comes; the 101st set pushes
// the first one out.
func TestAtMostAHundredSets(t *testing.T) {
	var dropped units // why SMS were given up
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: obliging}
		b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{Dropped: dropped.add}), sink: &sink{}}
		b.stop = start(t, b.Gateway, b.sink)
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		push := func(pdu []byte) {
			p.say(fmt.Sprintf("\r\n+CMT: ,%d\r\n00%X\r\n", len(pdu), pdu))
			time.Sleep(50 * time.Millisecond)
		}
		for i := range 101 {
			push(part(false, byte(i), 2, 1, 'a'))
		}
		push(part(false, 1, 2, 2, 'b'))
		b.wantTexts(t, "aaabbb")
		if got := dropped.list(); len(got) != 1 {
			t.Errorf("dropped %v, want the oldest set alone", got)
		}
		push(part(false, 0, 2, 2, 'b'))
		b.wantTexts(t, "aaabbb")
	})
}

// Nothing leaves the SIM before the sink has it.
func TestAnSMSStaysUntilItIsTaken(t *testing.T) {
	bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
		b.sink.refuse(true)
		b.texted(t, "+41791234567", "one")
		b.texted(t, "+41791234567", strings.Repeat("long ", 50))
		time.Sleep(time.Minute)
		b.wantTexts(t)
		if n := b.Stored(); n != 3 {
			t.Fatalf("the SIM holds %d, want all 3", n)
		}
		b.pull(true)
		time.Sleep(time.Second)
		b.pull(false)
		b.await(t, otp.RouteReady, "", 10*time.Second)
		b.sink.refuse(false)
		time.Sleep(15 * time.Second)
		b.wantTexts(t, "one", strings.Repeat("long ", 50))
		if n := b.Stored(); n != 0 {
			t.Errorf("the SIM still holds %d", n)
		}
	})
}

// What came while nobody was there is read at the start, and while the radio
// had no SIM as soon as it has one.
func TestStoredSMSAreReadAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := plug(simulator.Config{})
		if err := s.Deliver("+41791234567", "early"); err != nil {
			t.Fatal(err)
		}
		s.inject(t, "sim=missing")
		b := run(t, s, modem.Config{})
		defer b.stop()
		time.Sleep(30 * time.Second)
		b.wantTexts(t)
		s.ClearFaults()
		time.Sleep(10 * time.Second)
		b.wantTexts(t, "early")
	})
}

// A receipt that comes too late is refused, and the modem has switched its
// reports off: it must be asked for them anew.
func TestReportsGoOnAfterALateReceipt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phase2 := false
		p := &peer{answer: func(unit string) string {
			phase2 = phase2 || unit == "AT+CSMS=1\r"
			if strings.HasPrefix(unit, "AT+CNMI=") && !phase2 {
				return "\r\nERROR\r\n"
			}
			if unit == "AT+CNMA\r" {
				return "\r\n+CMS ERROR: 340\r\n"
			}
			return obliging(unit)
		}}
		b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{}), sink: &sink{}}
		b.stop = start(t, b.Gateway, b.sink)
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		asked := func() int { return p.count(func(u string) bool { return strings.HasPrefix(u, "AT+CNMI=") }) }
		before := asked()
		p.say("\r\n+CDS: 25\r\n" + statusReport(1, 0) + "\r\n")
		time.Sleep(time.Second)
		if asked() == before || len(b.sink.reported()) != 1 {
			t.Errorf("%d reports; the modem was not asked for more", len(b.sink.reported()))
		}
	})
}

// A pushed SMS is acknowledged after it was taken, and not when it was not.
func TestPushedSMSAreAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phase2 := false
		p := &peer{answer: func(unit string) string {
			phase2 = phase2 || unit == "AT+CSMS=1\r"
			if strings.HasPrefix(unit, "AT+CNMI=") && !phase2 {
				return "\r\nERROR\r\n"
			}
			return obliging(unit)
		}}
		b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{}), sink: &sink{}}
		b.stop = start(t, b.Gateway, b.sink)
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		receipts := func() int { return p.count(func(u string) bool { return u == "AT+CNMA\r" }) }
		before := receipts()
		b.sink.refuse(true)
		pdu := part(false, 0, 1, 1, 'a')
		p.say(fmt.Sprintf("\r\n+CMT: ,%d\r\n00%X\r\n", len(pdu), pdu))
		time.Sleep(5 * time.Second)
		if got := receipts(); got != before {
			t.Errorf("%d receipts for an SMS that nobody took", got-before)
		}
		b.sink.refuse(false)
		time.Sleep(10 * time.Second)
		b.wantTexts(t, "aaa")
		if got := receipts(); got != before+1 {
			t.Errorf("%d receipts, want one", got-before)
		}
	})
}

// Hostile PDUs cost nothing but themselves.
func TestHostileSMS(t *testing.T) {
	for name, pdu := range map[string]string{
		"Empty":            "04",
		"LengthBeyond":     "040B911497214365F700006211229000000" + "0FF414243",
		"HeaderBeyond":     "440B911497214365F70004621122900000000" + "4FF000301",
		"HeaderAboveUDL":   "440B911497214365F7000062112290000000" + "01050003010201",
		"ReportOfNobody":   "06FF0B911497214365F7621122900000006211229000000000",
		"AlphanumericJunk": "0414D0FFFFFFFFFFFFFFFFFFFF0000621122900000000141",
		"OddUCS2":          "040B911497214365F7000862112290000000" + "03004100",
		"NoDate":           "040B911497214365F70004FFFFFFFFFFFFFF" + "0141",
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := hex.DecodeString(pdu)
			if err != nil {
				t.Fatal(err)
			}
			bubble(t, simulator.Config{}, modem.Config{}, func(t *testing.T, b *bench) {
				openings := b.openings()
				b.DeliverPDU(raw)
				b.texted(t, "+41791234567", "next\r\n+CMGS: 9\r\n\r\nOK\r\n\x1a")
				time.Sleep(2 * time.Second)
				got := b.sink.received()
				if len(got) == 0 || got[len(got)-1].Text != "next\r\n+CMGS: 9\r\n\r\nOK\r\n\x1a" && !strings.HasPrefix(got[len(got)-1].Text, "next\r\n+CMGS: 9") {
					t.Fatalf("the next SMS was lost: %+v", got)
				}
				if b.Stored() != 0 || b.openings() != openings {
					t.Errorf("%d stored, %d openings", b.Stored(), b.openings()-openings)
				}
				if v := b.send(); v.Outcome != otp.Sent {
					t.Errorf("sending afterwards: %+v", v)
				}
			})
		})
	}
}

// An indication names a memory in the modem's words, and nothing else of it
// goes back to the modem.
func TestHostileIndications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: obliging}
		b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{}), sink: &sink{}}
		b.stop = start(t, b.Gateway, b.sink)
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		p.say("\r\n+CMTI: \"SM\",99999\r\n\r\n+CMTI: \"X\";+CMGD=1,4\r\n\r\n+CDSI: \"SR\",-1\r\n\r\n+CMT: ,999\r\n\r\nOK\r\n")
		time.Sleep(5 * time.Second)
		checkUnits(t, p.list())
		for _, unit := range p.list() {
			if strings.Contains(unit, "CMGD") || strings.Contains(unit, "99999") {
				t.Errorf("the modem was told %q", unit)
			}
		}
	})
}

// FuzzInbound: whatever stands behind a +CMT or in a memory, nothing panics,
// the session goes on, and what is handed over has a text and a sender that can
// be kept.
func FuzzInbound(f *testing.F) {
	good := fmt.Sprintf(" ,%d\r\n00%X", 28, part(false, 1, 1, 1, 'a'))
	for _, seed := range []string{
		good, good + "\r\n+CMT:" + good, " ,28\r\nRING", " ,-1\r\n00", " ,3\r\n00440BFF", " ,19\r\n00440B911497214365F700006211229000000001050003010201",
		fmt.Sprintf(" ,%d\r\n00%X\r\n+CMT: ,%d\r\n00%X", 28, part(false, 9, 2, 1, 'a'), 28, part(false, 9, 2, 2, 'b')),
		" ,28\r\n00" + fmt.Sprintf("%X", part(true, 1, 255, 255, 'a')),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<12 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			listed := strings.NewReplacer(" ,", " 1,0,,", "+CMT:", "+CMGL:").Replace(text)
			p := &peer{answer: func(unit string) string {
				switch {
				case unit == "AT+CPMS?\r":
					return "\r\n+CPMS: \"SM\",1,20,\"SM\",1,20,\"SM\",1,20\r\n\r\nOK\r\n"
				case unit == "AT+CMGL=4\r":
					return "\r\n+CMGL:" + listed + "\r\n\r\nOK\r\n"
				}
				return obliging(unit)
			}}
			s := &sink{}
			g := modem.New("gsm0", p.open, modem.Config{})
			stop := start(t, g, s)
			defer stop()
			time.Sleep(5 * time.Second)
			p.say("\r\n+CMT:" + text + "\r\n")
			time.Sleep(30 * time.Second)
			for _, in := range s.received() {
				if in.Parts < 1 || in.Route != "gsm0" || !in.Local && strings.Trim(in.From, "0123456789") != "" {
					t.Errorf("received %+v", in)
				}
			}
			stop()
			checkUnits(t, p.list())
		})
	})
}
