package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/modem/simulator"
)

// Texts that another implementation encodes arrive as they were written.
func TestTexts(t *testing.T) {
	for name, test := range map[string]struct {
		text  string
		parts int
	}{
		"GSM alphabet":       {"Your code is 123456 @£$¥èéùìòÇ", 1},
		"extension table":    {"[1] {2} €3 ~ ^ | \\", 1},
		"160 characters":     {strings.Repeat("a", 160), 1},
		"161 characters":     {strings.Repeat("a", 161), 2},
		"escape at the seam": {strings.Repeat("a", 152) + "€" + strings.Repeat("b", 150), 2},
		"UCS-2":              {"Ваш код 123456", 1},
		"71 of UCS-2":        {strings.Repeat("д", 71), 2},
		"surrogates at the seam": {
			strings.Repeat("д", 66) + "🔑" + strings.Repeat("🔑", 40), 3},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
				h.ready()
				list := pdus(t, helloTo, test.text)
				if len(list) != test.parts {
					t.Errorf("%d parts, want %d", len(list), test.parts)
				}
				// The last part may come first, and one may come twice.
				slices.Reverse(list)
				if test.parts > 1 {
					list = slices.Concat(list[:1], list)
				}
				for i, pdu := range list {
					if h.texts() != nil {
						t.Errorf("shown before part %d", i)
					}
					if got := h.submit(pdu); !strings.HasSuffix(got, "OK\r\n") {
						t.Fatalf("part %d: %q", i, got)
					}
				}
				if got := h.texts(); !slices.Equal(got, []string{helloTo + " " + test.text}) {
					t.Errorf("handset %q", got)
				}
			})
		})
	}
}

// Parts of two messages never mix, even if their references are the same.
func TestPartsDoNotMix(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		a := pdus(t, "+4915112345678", strings.Repeat("a", 300))
		b := pdus(t, "+4915112345679", strings.Repeat("b", 300))
		for _, pdu := range []string{a[0], b[0], b[1], a[1]} {
			h.submit(pdu)
		}
		want := []string{"+4915112345679 " + strings.Repeat("b", 300), "+4915112345678 " + strings.Repeat("a", 300)}
		if got := h.texts(); !slices.Equal(got, want) {
			t.Errorf("handset %q", got)
		}
	})
}

// A handset keeps a limited number of incomplete messages: the oldest go.
func TestIncompleteMessagesAreForgotten(t *testing.T) {
	bubble(t, simulator.Config{}, func(t *testing.T, h *host) {
		h.ready()
		var waiting []string
		for i := range 65 {
			list := pdus(t, fmt.Sprintf("+49151123456%02d", i), strings.Repeat("a", 300))
			h.submit(list[0])
			waiting = append(waiting, list[1])
		}
		h.submit(waiting[0])
		h.submit(waiting[64])
		if got := h.texts(); len(got) != 1 || !strings.HasPrefix(got[0], "+4915112345664 ") {
			t.Errorf("handset %q", got)
		}
	})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		h := &host{t: t, modem: simulator.New(simulator.Config{})}
		h.connect()
		h.ready()
		handset := h.modem.Handset()

		var watched []string
		watching := make(chan struct{})
		go func() {
			defer close(watching)
			handset.Watch(ctx, func(s simulator.SMS) { watched = append(watched, s.Text) })
		}()
		found := make(chan simulator.SMS)
		go func() {
			s, err := handset.Wait(ctx, func(s simulator.SMS) bool { return s.Text == "two" })
			if err != nil {
				t.Error(err)
			}
			found <- s
		}()
		for _, text := range []string{"one", "two", "three"} {
			h.submit(pdus(t, helloTo, text)[0])
		}
		if s := <-found; s.To != helloTo {
			t.Errorf("found %+v", s)
		}
		// A message that is already there is found too.
		if _, err := handset.Wait(ctx, func(s simulator.SMS) bool { return s.Text == "one" }); err != nil {
			t.Error(err)
		}
		if _, err := handset.Wait(ctx, func(simulator.SMS) bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waited for nothing: %v", err)
		}
		<-watching
		if !slices.Equal(watched, []string{"one", "two", "three"}) {
			t.Errorf("watched %q", watched)
		}
		h.line.Close()
	})
}

func TestSMSInJSON(t *testing.T) {
	at := time.Date(2026, 11, 22, 4, 14, 0, 0, time.UTC)
	for want, s := range map[string]simulator.SMS{
		`{"to":"+4915112345678","text":"hello"}`:                             {To: helloTo, Text: helloText},
		`{"to":"+4915112345678","text":"hello","at":"2026-11-22T04:14:00Z"}`: {To: helloTo, Text: helloText, At: at},
	} {
		if got, err := json.Marshal(s); err != nil || string(got) != want {
			t.Errorf("got %s (%v), want %s", got, err, want)
		}
	}
}
