package simulator_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/warthog618/sms/encoding/tpdu"

	"github.com/pinferry/pinferry/modem/simulator"
)

// decodeReport reads +CDS as another implementation of the standard does.
func decodeReport(t *testing.T, said string) tpdu.TPDU {
	t.Helper()
	var length int
	var hexed string
	if _, err := fmt.Sscanf(said, "\r\n+CDS: %d\r\n%s\r\n", &length, &hexed); err != nil {
		t.Fatalf("no report in %q: %v", said, err)
	}
	raw, err := hex.DecodeString(hexed)
	if err != nil {
		t.Fatal(err)
	}
	raw = raw[1+raw[0]:]
	if len(raw) != length {
		t.Errorf("%d octets, announced %d", len(raw), length)
	}
	report := tpdu.TPDU{Direction: tpdu.MT}
	if err := report.UnmarshalBinary(raw); err != nil {
		t.Fatal(err)
	}
	return report
}

func TestReport(t *testing.T) {
	start := time.Date(2026, 11, 22, 4, 14, 0, 0, time.UTC)
	var passed atomic.Int64
	cfg := simulator.Config{ReportDelay: 5 * time.Second, Now: func() time.Time { return start.Add(time.Duration(passed.Load())) }}
	bubble(t, cfg, func(t *testing.T, h *host) {
		h.ready()
		h.submit(hello)
		h.submit(helloReported)
		passed.Store(int64(5 * time.Second))
		time.Sleep(5*time.Second - time.Nanosecond)
		h.expect("", "")
		time.Sleep(time.Nanosecond)
		r := decodeReport(t, h.heard())
		if r.SmsType() != tpdu.SmsStatusReport || r.MR != 1 || r.RA.Number() != helloTo || r.ST != 0 {
			t.Errorf("report %+v", r)
		}
		if !r.SCTS.Equal(start) || !r.DT.Equal(start.Add(5*time.Second)) {
			t.Errorf("sent %v, done %v", r.SCTS, r.DT)
		}
	})
}

func TestReportFaults(t *testing.T) {
	for _, test := range []struct {
		name, fault string
		wait        time.Duration // until the report is there; negative: it never is
		status      byte
	}{
		{"delivered", "csq=20", time.Second, 0},
		{"failed", "report@1", time.Second, 0x46},
		{"still trying", "report=0x30@1", time.Second, 0x30},
		{"late", "report-late=1m@1", time.Minute + time.Second, 0},
		{"early", "report-early@1", 0, 0},
		{"missing", "no-report@1", -1, 0},
		{"message not sent", "silence@1", -1, 0},
		{"message refused", "cms=38@1", -1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, simulator.Config{ReportDelay: time.Second}, func(t *testing.T, h *host) {
				h.ready()
				h.inject(test.fault)
				said := h.submit(helloReported)
				if test.wait != 0 && strings.Contains(said, "+CDS") {
					t.Fatalf("report before its time: %q", said)
				}
				if test.wait < 0 {
					time.Sleep(time.Hour)
					h.expect("", "")
					return
				}
				if test.wait > 0 {
					time.Sleep(test.wait - time.Nanosecond)
					h.expect("", "")
					time.Sleep(time.Nanosecond)
					said = h.heard()
				}
				if r := decodeReport(t, said); r.ST != test.status || r.MR != 0 {
					t.Errorf("TP-ST %#x, TP-MR %d", r.ST, r.MR)
				}
			})
		})
	}
}

// Without TP-SRR there is no report.
func TestReportNotAskedFor(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		if got := h.submit(hello); got != sent0 {
			t.Fatal(got)
		}
		time.Sleep(time.Hour)
		h.expect("", "")
	})
}

// A report waits for a line, a network and a host that wants reports.
func TestReportWaits(t *testing.T) {
	bubble(t, simulator.Config{ReportDelay: time.Second}, func(t *testing.T, h *host) {
		h.ready()
		h.send("AT+CNMI=2,1,0,0,0\r")
		h.submit(helloReported)
		time.Sleep(time.Minute)
		h.expect("", "")
		h.expect("AT+CNMI=2,1,0,1,0\r", "\r\nOK\r\n")
		time.Sleep(time.Second)
		decodeReport(t, h.heard())

		h.submit(helloReported)
		h.inject("creg=0")
		time.Sleep(time.Minute)
		h.expect("", "")
		h.modem.ClearFaults()
		decodeReport(t, h.heard())

		h.submit(helloReported)
		h.line.Close()
		time.Sleep(time.Minute)
		h.connect()
		if r := decodeReport(t, h.heard()); r.MR != 2 {
			t.Errorf("TP-MR %d", r.MR)
		}
	})
}

func TestReportInTextMode(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.send("AT+CMGF=1;+CSMP=49,167,0,0\r")
		h.send("AT+CMGS=\"" + helloTo + "\"\r")
		h.expect("hello\x1a", sent0)
		time.Sleep(time.Second)
		h.expect("", "\r\n+CDS: 6,0,\"+4915112345678\",145,\"00/01/01,00:00:00+00\",\"00/01/01,00:00:00+00\",0\r\n")
	})
}

// The report that the urc fault makes up is a real one, for another message.
func TestStrangersReport(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		h.inject("urc=cds@now")
		if r := decodeReport(t, h.heard()); r.RA.Number() == helloTo || r.MR == 0 {
			t.Errorf("report %+v", r)
		}
	})
}
