package modem_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/otp"
)

// hear lets an idle gateway hear text and returns what it reports.
func hear(t *testing.T, text string) (reports []otp.Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, s := &peer{answer: obliging}, &sink{}
		b := &bench{Gateway: modem.New("gsm0", p.open, modem.Config{}), sink: s}
		stop := start(t, b.Gateway, s)
		defer stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		p.say(text)
		synctest.Wait()
		reports = s.reported()
		b.await(t, otp.RouteReady, "", 5*time.Second)
		if v := b.send(); v.Outcome != otp.Sent {
			t.Errorf("the next message: verdict %+v", v)
		}
	})
	return reports
}

// The network's status decides; what it still tries is not told.
func TestReportStatus(t *testing.T) {
	for status := range 256 {
		want := "undelivered"
		switch {
		case status == 0, status >= 0x10 && status < 0x20:
			want = "delivered"
		case status < 3, status >= 0x20 && status < 0x40:
			want = ""
		}
		reports := hear(t, "\r\n+CDS: 25\r\n"+statusReport(200, byte(status))+"\r\n")
		got := ""
		for _, r := range reports {
			got += map[bool]string{true: "delivered", false: "undelivered"}[r.Delivered]
			if r.Ref != "200" || r.Dial != "41791234567" || r.Route != "gsm0" {
				t.Errorf("report %+v", r)
			}
		}
		if got != want {
			t.Errorf("TP-ST %#02x: %q, want %q", status, got, want)
		}
	}
}

func TestReportForms(t *testing.T) {
	good := statusReport(5, 0)
	bare := good[16:] // without an SMSC address
	for _, c := range []struct {
		name, text string
		want       int
	}{
		{"as in the standard", "\r\n+CDS: 25\r\n" + good + "\r\n", 1},
		{"no space", "\r\n+CDS:25\r\n" + good + "\r\n", 1},
		{"lower case", "\r\n+CDS: 25\r\n" + strings.ToLower(good) + "\r\n", 1},
		{"empty SMSC", "\r\n+CDS: 25\r\n00" + bare + "\r\n", 1},
		{"no SMSC", "\r\n+CDS: 25\r\n" + bare + "\r\n", 1},
		{"two in a row", "\r\n+CDS: 25\r\n" + good + "\r\n\r\n+CDS: 25\r\n" + good + "\r\n", 2},
		{"a ring before the PDU", "\r\n+CDS: 25\r\nRING\r\n" + good + "\r\n", 0},
		{"the next one is kept", "\r\n+CDS: 25\r\n\r\n+CDS: 25\r\n" + good + "\r\n", 1},
		{"a wrong length", "\r\n+CDS: 24\r\n" + good + "\r\n", 0},
		{"no length", "\r\n+CDS: \r\n" + good + "\r\n", 0},
		{"a negative length", "\r\n+CDS: -25\r\n" + good + "\r\n", 0},
		{"a huge length", "\r\n+CDS: 99999999999999999999\r\n" + good + "\r\n", 0},
		{"odd", "\r\n+CDS: 25\r\n" + good[1:] + "\r\n", 0},
		{"cut short", "\r\n+CDS: 10\r\n" + good[:36] + "\r\n", 0},
		{"a received message", "\r\n+CDS: 25\r\n" + strings.Replace(good, "F00605", "F00405", 1) + "\r\n", 0},
		{"a name for a number", "\r\n+CDS: 25\r\n" + strings.Replace(good, "0B91", "0BD0", 1) + "\r\n", 0},
		{"a number with letters", "\r\n+CDS: 25\r\n" + strings.Replace(good, "1497214365F7", "ABCDEFABCDFE", 1) + "\r\n", 0},
		{"text mode", "\r\n+CDS: 6,5,\"+41791234567\",145,\"\",\"\",0\r\n", 0},
		{"pushed SMS", "\r\n+CMT: ,25\r\n" + good + "\r\n", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := hear(t, c.text); len(got) != c.want {
				t.Errorf("%d reports, want %d: %+v", len(got), c.want, got)
			}
		})
	}
}

// FuzzReport: whatever follows "+CDS:", nothing panics, a report names digits
// and a reference of one octet, and the next message goes out.
func FuzzReport(f *testing.F) {
	good := statusReport(5, 0)
	for _, seed := range []string{" 25\r\n" + good, " 25\r\n00" + good[16:], " 25\r\nRING\r\n" + good, " -1\r\n00", "\r\n", " 25\r\n" + good + "FF00", " 3\r\n0006FF"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<12 {
			return
		}
		for _, r := range hear(t, "\r\n+CDS:"+text+"\r\n") {
			if strings.Trim(r.Dial, "0123456789") != "" || r.Dial == "" || len(r.Ref) > 3 || r.Route != "gsm0" {
				t.Errorf("report %+v", r)
			}
		}
	})
}

// FuzzAnswers: a modem that answers anything at all to anything at all makes
// nothing panic and nothing hang, every write keeps to R-50, and "sent" is
// said only if a reference and an OK were.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		"OK\r\n", "\r\n+CMGS: 1\r\n\r\nOK\r\n", "\r\n+CPIN: READY\r\nOK\r\n\x00\r\n> ", "\r\nERROR\r\n", "+CMS ERROR: 38\r\n",
		"+CMGF: 0\r\n+CREG: 1,1\r\n+CPIN: READY\r\nOK\r\n\x00\r\n> \x00\r\nOK\r\n", "+CMT: ,1\r\nOK\r\n", "+CDS: 25\r\n+CMGS: 5\r\nOK\r\n",
		strings.Repeat("x", 5000), ">>>>>>", "\r\n+CNMI: 1\r\n+CPMS: \"SM\",20,20\r\n+CMGL: 1\r\nOK\r\n",
	} {
		f.Add(seed, uint8(0))
		f.Add(seed, uint8(3))
	}
	f.Fuzz(func(t *testing.T, text string, honest uint8) {
		if len(text) > 1<<13 {
			return
		}
		said := strings.Split(text, "\x00") // the answers, in turn
		synctest.Test(t, func(t *testing.T) {
			turn := 0
			var stream atomic.Value // what the modem has said so far
			stream.Store("")
			say := func(answer string) string {
				stream.Store(stream.Load().(string) + answer)
				return answer
			}
			p := &peer{answer: func(unit string) string {
				// Bit 0: the modem comes up as it should; bit 1: it prompts.
				if honest&1 != 0 && !isSubmit(unit) && !isPDU(unit) || honest&2 != 0 && isSubmit(unit) {
					return say(obliging(unit))
				}
				turn++
				return say(said[turn%len(said)])
			}}
			g := modem.New("gsm0", p.open, modem.Config{})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- g.Run(ctx, &sink{}) }()
			for range 3 {
				time.Sleep(5 * time.Second)
				v, passed := took(func() otp.Verdict { return g.Send(t.Context(), sample()) })
				// Two answers in a row may make one line: "...\nO", "K\r...".
				_, after, reference := strings.Cut(stream.Load().(string), "+CMGS:")
				if v.Outcome == otp.Sent && !(reference && strings.Contains(after, "OK")) {
					t.Errorf("sent, by %q", text)
				}
				if v.Outcome == 0 || passed > 35*time.Second {
					t.Errorf("verdict %+v after %v", v, passed)
				}
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			for _, unit := range p.list() {
				if !allowed.MatchString(unit) {
					t.Errorf("unit %q", unit)
				}
			}
		})
	})
}
