package otp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// listening is an app that may know what the box receives.
func listening(id string) otp.App {
	app := openApp(id)
	app.Inbound, app.Events = true, true
	return app
}

// texted hands an SMS to the box as a route does.
func (r *rig) texted(from, text string) {
	r.t.Helper()
	must(r.t, r.outbox.Received(context.Background(), otp.Incoming{
		Route: "gsm0", From: strings.TrimPrefix(from, "+"), Local: !strings.HasPrefix(from, "+"), Text: text, Parts: 1,
	}))
}

// inbox is what the app reads of the received.
func (r *rig) inbox() []otp.Inbound {
	r.t.Helper()
	page, _, err := r.outbox.Inbound(context.Background(), r.server(), 100, "")
	must(r.t, err)
	return page
}

func TestInboundIsKeptAndListed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{listening("demo")}})
		for i := range 5 {
			r.texted(alice, fmt.Sprint("hello ", i))
			pass(time.Second)
		}
		r.texted("MyBank", "bad \xff text")
		var got []string
		cursor := ""
		for {
			page, next, err := r.outbox.Inbound(context.Background(), r.server(), 2, cursor)
			must(t, err)
			for _, in := range page {
				got = append(got, in.From+" "+in.Text)
			}
			if cursor = next; cursor == "" {
				break
			}
		}
		want := "MyBank bad \ufffd text," + alice + " hello 4," + alice + " hello 3," + alice + " hello 2," + alice + " hello 1," + alice + " hello 0"
		if strings.Join(got, ",") != want {
			t.Errorf("got %q", got)
		}
		_, _, err := r.outbox.Inbound(context.Background(), r.server(), 2, "zz")
		wantCode(t, err, otp.InvalidRequest)
		_, _, err = r.outbox.Inbound(context.Background(), r.from("192.0.2.1"), 2, "")
		wantCode(t, err, otp.Forbidden)
	})
}

func TestInboundIsForAppsThatAskedForIt(t *testing.T) {
	r := newRig(t, setup{})
	_, _, err := r.outbox.Inbound(context.Background(), r.server(), 2, "")
	wantCode(t, err, otp.Forbidden)
}

// No row holds a text in the clear.
func TestInboundTextIsSealed(t *testing.T) {
	r := newRig(t, setup{apps: []otp.App{listening("demo")}})
	r.texted(alice, "a very private message")
	for _, kind := range otp.Kinds() {
		must(t, r.store.View(context.Background(), func(tx otp.Tx) error {
			return tx.Scan(otp.Key{Kind: kind}, otp.Key{}, 0, func(k otp.Key, row []byte) bool {
				if strings.Contains(k.Part+string(row), "private") {
					t.Errorf("a row of kind %d shows the text", kind)
				}
				return true
			})
		}))
	}
}

// A stick that was unplugged before it forgot an SMS hands it over again.
func TestInboundTwiceIsKeptOnce(t *testing.T) {
	r := newRig(t, setup{apps: []otp.App{listening("demo")}})
	in := otp.Incoming{Route: "gsm0", From: alice[1:], Text: "once", At: 1795253400000, Parts: 1}
	for range 3 {
		must(t, r.outbox.Received(context.Background(), in))
	}
	in.Text = "again"
	must(t, r.outbox.Received(context.Background(), in))
	if got := len(r.inbox()); got != 2 {
		t.Errorf("%d are kept, want 2", got)
	}
}

// Whoever knows the number cannot fill the disk, and what is not kept is heeded
// all the same.
func TestInboundFlood(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{apps: []otp.App{listening("demo")}})
		for i := range 50 {
			r.texted(alice, fmt.Sprint(i, strings.Repeat("x", 10_000)))
		}
		kept := r.inbox()
		if len(kept) != 30 || len(kept[0].Text) > 4096 {
			t.Errorf("%d are kept, the first of %d bytes", len(kept), len(kept[0].Text))
		}
		r.texted(alice, "STOP")
		_, err := r.start(r.server(), alice)
		wantCode(t, err, otp.NumberRefused)
		for i := range 1200 {
			r.texted(fmt.Sprintf("+4179%07d", i), "flood")
		}
		if n := r.rows(otp.KindInbound); n != 1000 {
			t.Errorf("%d are kept of a day", n)
		}
		pass(25 * time.Hour) // a day, and what the count is coarse by
		r.texted(bob, "tomorrow")
		if n := r.rows(otp.KindInbound); n != 1001 {
			t.Errorf("%d are kept after a day", n)
		}
	})
}

// A fault of the store leaves the SMS with the stick.
func TestInboundIsDurableOrAnError(t *testing.T) {
	r := newRig(t, setup{apps: []otp.App{listening("demo")}})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := r.outbox.Received(ctx, otp.Incoming{Route: "gsm0", From: alice[1:], Text: "lost?", Parts: 1})
	if kept := len(r.inbox()); err == nil && kept != 1 || err != nil && (kept != 0 || !errors.Is(err, context.Canceled)) {
		t.Errorf("error %v, %d kept", err, kept)
	}
}

func TestOptOut(t *testing.T) {
	for _, word := range []string{
		"STOP", "stop", " Stop. ", "“STOP”", "Stop bitte", "Stop sending me these 2 codes!", "Unsubscribe me", "End...", "¡Alto!", "STOPALL", "stop-all", "unsubscribe", "CANCEL", "End", "quit",
		"Kündigen", "KU\u0308NDIGEN", "arrêt", "Désabonner", "BAJA", "annulla", "sair",
	} {
		t.Run(word, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, setup{apps: []otp.App{openApp("demo")}})
				r.texted(alice, word)
				_, err := r.start(r.server(), alice)
				if e := wantCode(t, err, otp.NumberRefused); !strings.Contains(e.Detail, "START") {
					t.Errorf("it does not say how to come back: %s", e.Detail)
				}
				_, err = r.outbox.Send(context.Background(), r.server(), otp.MessageRequest{To: alice, Text: "Hello"})
				wantCode(t, err, otp.NumberRefused)
				r.mustStart(r.server(), bob)
				for _, back := range []string{"start", "Sí", "OUI", "ja", "sim", "unstop"} {
					r.texted(alice, "stop")
					r.texted(alice, back)
					if r.rows(otp.KindOptOut) != 0 {
						t.Errorf("%q does not bring the number back", back)
					}
				}
				r.mustStart(r.server(), alice)
			})
		})
	}
}

func TestOtherWordsAreNoOptOut(t *testing.T) {
	r := newRig(t, setup{})
	for _, text := range []string{
		"Fine, thanks", "Fin de semaine ?", "Cancel my order 7", "Ende gut, alles gut", "End at 5", "Pare che sì",
		"", "hello", "please stop", "nonstop", "stopover", "5 stop", "\U0001f600", "123456", "startling", "ending",
	} {
		r.texted(alice, text)
	}
	r.texted("STOP", "STOP") // of nobody
	if n := r.rows(otp.KindOptOut); n != 0 {
		t.Errorf("%d have opted out", n)
	}
}

// Whoever has left comes back by a word, not by a sentence that begins with it.
func TestOtherWordsAreNoWayBack(t *testing.T) {
	r := newRig(t, setup{})
	r.texted(alice, "STOP")
	for _, text := range []string{"Si no paran, los denuncio", "Ja, stopp bitte", "Yes, stop it", "Start a lawsuit?", "oui ou non", "start 2"} {
		r.texted(alice, text)
		if r.rows(otp.KindOptOut) != 1 {
			t.Fatalf("%q has brought the number back", text)
		}
	}
}

// A database that was restored without its box key can be listed still.
func TestInboundUnderAnotherKey(t *testing.T) {
	r := newRig(t, setup{apps: []otp.App{listening("demo")}})
	r.texted(alice, "hello")
	r.stop()
	other := newRig(t, setup{apps: []otp.App{listening("demo")}, store: r.store, key: 1})
	if got := other.inbox(); len(got) != 1 || got[0].From != alice || got[0].Text != "" {
		t.Errorf("listed %+v", got)
	}
}

func TestOptOutOfMessagesSparesCodes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		app := openApp("demo")
		app.OptOut = otp.OptOutMessages
		r := newRig(t, setup{apps: []otp.App{app}})
		r.texted(alice, "STOP")
		r.mustStart(r.server(), alice)
		_, err := r.outbox.Send(context.Background(), r.server(), otp.MessageRequest{To: alice, Text: "Hello"})
		wantCode(t, err, otp.NumberRefused)
	})
}

// What was queued before the word came is not sent after it.
func TestOptOutReachesTheQueue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		r.routes[0].SetStatus(otp.RouteStatus{State: otp.RouteComing, Slots: 1, Kind: "modem"})
		m, err := r.outbox.Send(context.Background(), r.server(), otp.MessageRequest{To: alice, Text: "Hello"})
		must(t, err)
		r.texted(alice, "STOP")
		r.routes[0].SetStatus(otp.RouteStatus{State: otp.RouteReady, Free: 1, Slots: 1, Kind: "modem"})
		synctest.Wait()
		if got := r.message(m.ID); got.State != otp.MessageSuperseded || got.Reason != otp.ReasonOptedOut || len(r.routes[0].Given()) != 0 {
			t.Errorf("the message is %s (%s), %d were sent", got.State, got.Reason, len(r.routes[0].Given()))
		}
	})
}

func TestOptOutsAreListedAndLifted(t *testing.T) {
	r := newRig(t, setup{})
	for _, who := range []string{alice, bob, "+447911123456"} {
		r.texted(who, "stop")
	}
	var got []string
	for cursor := ""; ; {
		page, next, err := r.outbox.OptOuts(context.Background(), 2, cursor)
		must(t, err)
		for _, o := range page {
			got = append(got, o.Address.E164())
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	if strings.Join(got, " ") != bob+" "+alice+" +447911123456" {
		t.Errorf("listed %v", got)
	}
	for _, want := range []bool{true, false} {
		lifted, err := r.outbox.LiftOptOut(context.Background(), otp.Actor{}, "+41 79 123 45 67")
		must(t, err)
		if lifted != want {
			t.Errorf("lifted is %v", lifted)
		}
	}
	_, err := r.outbox.LiftOptOut(context.Background(), otp.Actor{}, "nobody")
	wantCode(t, err, otp.InvalidPhone)
}
