package simulator_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/modem/simulator"
)

// Each PDU is taken, and the handset shows it as another reader of the
// standard would.
func TestGoodPDUs(t *testing.T) {
	for _, test := range []struct{ name, pdu, want string }{
		{"plain", hello, helloSMS},
		{"lower case", strings.ToLower(hello), helloSMS},
		{"report wanted", helloReported, helloSMS},
		{"national number", "00010004A12143000005E8329BFD06", "1234 hello"},
		{"unknown type of number", "00010004812143000005E8329BFD06", "1234 hello"},
		{"odd number of digits", "0001000D91945111325476F8000005E8329BFD06", helloSMS},
		{"relative validity", "0011000D91945111325476F80000A705E8329BFD06", helloSMS},
		{"absolute validity", "0019000D91945111325476F800006211224041000005E8329BFD06", helloSMS},
		{"enhanced validity", "0009000D91945111325476F800000100000000000005E8329BFD06", helloSMS},
		{"UCS-2", "0001000D91945111325476F8000804041F0440", helloTo + " Пр"},
		{"UCS-2 with a surrogate pair", "0001000D91945111325476F8000804D83DDD11", helloTo + " 🔑"},
		{"8 bit", "0001000D91945111325476F80004026869", helloTo + " hi"},
		{"flash", "0001000D91945111325476F8001005E8329BFD06", helloTo + " hello"},
		{"no text", "0001000D91945111325476F8000000", helloTo + " "},
		{"extension table", "0001000D91945111325476F80000029B32", helloTo + " €"},
		{"header before septets", "0041000D91945111325476F800000C0500030A0101D06536FB0D", helloSMS},
		{"header with a long reference", "0041000D91945111325476F800000D06080400010101E8329BFD06", helloSMS},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
				h.ready()
				if got := h.submit(test.pdu); got != sent0 {
					t.Fatalf("answer %q", got)
				}
				if got := h.texts(); !slices.Equal(got, []string{test.want}) {
					t.Errorf("handset %q, want %q", got, test.want)
				}
			})
		})
	}
}

// With the service centre in the PDU, AT+CMGS counts the TPDU alone.
func TestServiceCentreInThePDU(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		for _, smsc := range []string{"07919471017600F0", "0691947101760", "07919471017600FF", "0791947101760A00", "0711947101760000", "01FF"} {
			h.expect("AT+CMGS=19\r", prompt)
			h.send(smsc + hello[2:] + "\x1a")
		}
		if got := h.texts(); !slices.Equal(got, []string{helloSMS}) {
			t.Errorf("handset: %q", got)
		}
	})
}

// Each PDU is refused for the field that is wrong, and the log names the field
// without a digit of it.
func TestBadPDUs(t *testing.T) {
	for _, test := range []struct{ name, pdu, field string }{
		{"nothing", "", "SMSC length"},
		{"odd number of half octets", hello + "0", "not hexadecimal"},
		{"no hexadecimal", "00Z" + hello[3:], "not hexadecimal"},
		{"a space", hello + " 0", "not hexadecimal"},
		{"a line end", hello[:20] + "\r" + hello[20:], "not hexadecimal"},
		{"SMS-DELIVER", "0000" + hello[4:], "bad TP-MTI"},
		{"SMS-COMMAND", "0002" + hello[4:], "bad TP-MTI"},
		{"one digit too few", "0001000C91945111325476F8000005E8329BFD06", "bad TP-UDL"},
		{"one digit too many", "0001000E91945111325476F8000005E8329BFD06", "bad TP-DA"},
		{"no filler after an odd number", "0001000D9194511132547608000005E8329BFD06", "bad TP-DA"},
		{"filler inside", "0001000D919451F132547608000005E8329BFD06", "bad TP-DA"},
		{"hexadecimal digit", "0001000D91945111A25476F8000005E8329BFD06", "bad TP-DA"},
		{"no digits", "0001000091000005E8329BFD06", "bad TP-DA length"},
		{"21 digits", "0001001581214365870921436587092143F1000005E8329BFD06", "bad TP-DA length"},
		{"16 digits, international", "00010010912143658709214365000005E8329BFD06", "bad TP-DA"},
		{"international 0", "0001000D91405111325476F8000005E8329BFD06", "bad TP-DA"},
		{"letters as number", "0001000DD0945111325476F8000005E8329BFD06", "bad TP-DA type"},
		{"another numbering plan", "0001000D93945111325476F8000005E8329BFD06", "bad TP-DA type"},
		{"type without its top bit", "0001000D11945111325476F8000005E8329BFD06", "bad TP-DA type"},
		{"reserved coding", "0001000D91945111325476F8008005E8329BFD06", "bad TP-DCS"},
		{"reserved alphabet", "0001000D91945111325476F8000C05E8329BFD06", "bad TP-DCS"},
		{"compressed", "0001000D91945111325476F8002005E8329BFD06", "bad TP-DCS"},
		{"no validity", "0011000D91945111325476F8000005E8329BFD06", "bad TP-UDL"},
		{"validity of no date", "0019000D91945111325476F80000621122F041000005E8329BFD06", "bad TP-VP"},
		{"enhanced validity, reserved bits", "0009000D91945111325476F800003900000000000005E8329BFD06", "bad TP-VP"},
		{"text shorter than said", "0001000D91945111325476F8000006E8329BFD", "bad TP-UDL"},
		{"text longer than said", "0001000D91945111325476F8000004E8329BFD06", "bad TP-UDL"},
		{"an octet behind the text", hello + "00", "bad TP-UDL"},
		{"fill bits behind the text", "0001000D91945111325476F8000005E8329BFD0E", "bad TP-UD: fill"},
		{"half a character", "0001000D91945111325476F8000803041F04", "half a character"},
		{"161 septets", "0001000D91945111325476F80000A1" + strings.Repeat("00", 141), "bad TP-UDL"},
		{"141 octets", "0001000D91945111325476F800048D" + strings.Repeat("41", 141), "bad TP-UDL"},
		{"header longer than the text", "0041000D91945111325476F800000CFF00030A0101D06536FB0D", "bad TP-UDHL"},
		{"element longer than the header", "0041000D91945111325476F800000C0500040A0101D06536FB0D", "bad TP-UDH"},
		{"fill bit before the text", "0041000D91945111325476F800000C0500030A0101D16536FB0D", "bad TP-UD: fill"},
		{"header without text to hold it", "0041000D91945111325476F8000000", "bad TP-UDHL"},
		{"part 0", "0041000D91945111325476F800000C0500030A0200D06536FB0D", "bad concatenation"},
		{"part 3 of 2", "0041000D91945111325476F800000C0500030A0203D06536FB0D", "bad concatenation"},
		{"part 2 of 1, long reference", "0041000D91945111325476F800000D06080400010102E8329BFD06", "bad concatenation"},
		{"long reference in a short element", "0041000D91945111325476F800000C0508030A0101D06536FB0D", "bad concatenation"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			bubble(t, simulator.Config{Log: zerolog.New(&log)}, func(t *testing.T, h *host) {
				h.ready()
				h.expect(fmt.Sprintf("AT+CMGS=%d\r", max(len(test.pdu)/2-1, 8)), prompt)
				log.Reset()
				h.expect(test.pdu+"\x1a", "\r\n+CMS ERROR: 304\r\n")
				if !strings.Contains(log.String(), test.field) {
					t.Errorf("log %s, want %s", log.String(), test.field)
				}
				h.expect("AT\r", "\r\nOK\r\n")
				if got := h.texts(); got != nil {
					t.Errorf("handset: %q", got)
				}
			})
		})
	}
}

func TestAnnouncedLength(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		for _, n := range []string{"", "0", "7", "165", "-1", "x", "99999999999999999999"} {
			h.expect("AT+CMGS="+n+"\r", "\r\n+CMS ERROR: 304\r\n")
		}
		h.expect("AT+CMGS=19;+CSQ\r", "\r\nERROR\r\n")
		for _, n := range []int{18, 20} {
			h.expect(fmt.Sprintf("AT+CMGS=%d\r", n), prompt)
			h.expect(hello+"\x1a", "\r\n+CMS ERROR: 304\r\n")
		}
		h.expect("AT+CMGS=164\r", prompt)
		h.expect(strings.Repeat("0", 100000)+"\x1a", "\r\n+CMS ERROR: 304\r\n")
		if got := h.texts(); got != nil {
			t.Errorf("handset: %q", got)
		}
	})
}

// Whatever stands in a PDU, it is refused, or a handset gets a message to a
// number of digits.
func FuzzSubmit(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) < 8 || len(raw) > 164 {
			return
		}
		bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
			h.ready()
			got := h.submit("00" + hex.EncodeToString(raw))
			if got != sent0 && got != "\r\n+CMS ERROR: 304\r\n" {
				t.Fatalf("answer %q", got)
			}
			for _, s := range h.modem.Handset().Messages() {
				digits := strings.TrimPrefix(s.To, "+")
				if digits == "" || strings.Trim(digits, "0123456789") != "" {
					t.Errorf("message to %q", s.To)
				}
			}
		})
	})
}
