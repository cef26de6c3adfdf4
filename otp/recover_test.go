package otp_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// A process that died while a message was being sent does not know what became
// of it: after ten seconds for a report, one repeat of the same digits.
func TestRestartDuringAnAttempt(t *testing.T) {
	crash := func(t *testing.T) (*otptest.Memory, otp.Progress, string) {
		hung := otptest.NewRoute("gsm0")
		hung.Script(otptest.Turn{Takes: time.Hour})
		r := newRig(t, setup{routes: []*otptest.Route{hung}})
		p := r.mustStart(r.server(), alice)
		synctest.Wait()
		if m := r.message(p.Message.ID); m.State != otp.MessageSending {
			t.Fatalf("the message is %s before the crash", m.State)
		}
		digits := code(t, hung, 0)
		dead := otptest.NewMemory()
		copyStore(t, r.store, dead) // the first process writes no more that counts
		return dead, p, digits
	}
	t.Run("repeats", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			store, p, digits := crash(t)
			r := newRig(t, setup{store: store})
			pass(9 * time.Second)
			synctest.Wait()
			if len(r.routes[0].Given()) != 0 {
				t.Fatal("the repeat did not wait for a report")
			}
			pass(2 * time.Second)
			synctest.Wait()
			m := r.message(p.Message.ID)
			if m.State != otp.MessageSent || !m.PossibleDuplicate || m.MaybeSent != 2 || code(t, r.routes[0], 0) != digits {
				t.Errorf("the message is %s, maybe sent %d", m.State, m.MaybeSent)
			}
		})
	})
	t.Run("is told by a report", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			store, p, _ := crash(t)
			r := newRig(t, setup{store: store})
			synctest.Wait()
			r.outbox.Reported(otp.Report{Route: "gsm0", Ref: "201", Dial: alice[1:], Delivered: true})
			pass(time.Minute)
			synctest.Wait()
			if m := r.message(p.Message.ID); m.State != otp.MessageDelivered || len(r.routes[0].Given()) != 0 {
				t.Errorf("the message is %s after %d more attempts", m.State, len(r.routes[0].Given()))
			}
		})
	})
	t.Run("a second time", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			store, p, _ := crash(t)
			hung := otptest.NewRoute("gsm0")
			hung.Script(otptest.Turn{Takes: time.Hour})
			r := newRig(t, setup{store: store, routes: []*otptest.Route{hung}})
			pass(11 * time.Second)
			synctest.Wait()
			dead := otptest.NewMemory()
			copyStore(t, r.store, dead)
			r = newRig(t, setup{store: dead})
			pass(time.Minute)
			synctest.Wait()
			if m := r.message(p.Message.ID); m.State != otp.MessageUnknown || len(r.routes[0].Given()) != 0 {
				t.Errorf("the message is %s after %d more attempts", m.State, len(r.routes[0].Given()))
			}
		})
	})
}

// Accepted messages survive a restart and are sent by the next process.
func TestQueueSurvivesRestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		route := otptest.NewRoute("gsm0")
		r := newRig(t, setup{routes: []*otptest.Route{route}})
		s := route.Status()
		s.State, s.Free = otp.RouteComing, 0
		route.SetStatus(s)
		p := r.mustStart(r.server(), alice)
		m, err := r.outbox.Send(context.Background(), r.server(), otp.MessageRequest{To: bob, Text: "The pump has stopped."})
		must(t, err)
		r.stop()
		r = newRig(t, setup{store: r.store})
		must(t, r.check(r.server(), p.Verification.ID, func() string { synctest.Wait(); return code(t, r.routes[0], 0) }()))
		if got := r.routes[0].Given()[1].Text; got != "The pump has stopped." {
			t.Errorf("the message reads %q", got)
		}
		if m := r.message(m.ID); m.State != otp.MessageSent || m.Sealed != nil {
			t.Errorf("the message is %s and keeps %d bytes of text", m.State, len(m.Sealed))
		}
	})
}

func copyStore(t *testing.T, from, to otp.Store) {
	t.Helper()
	must(t, from.View(context.Background(), func(tx otp.Tx) error { return copyInto(tx, to) }))
}
