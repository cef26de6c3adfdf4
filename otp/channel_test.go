package otp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

// by starts a verification over a channel.
func (r *rig) by(channel string) (otp.Progress, error) {
	return r.v.Start(r.t.Context(), r.server(), otp.StartRequest{To: alice, Purpose: otp.PurposeVerify, Channel: channel})
}

// a message goes by its channel or not at all.
func TestChannels(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sms, chat := otptest.NewRoute("sms"), otptest.NewRoute("chat")
		s := chat.Status()
		s.Channels = []string{otp.ChannelWhatsApp}
		chat.SetStatus(s)
		r := newRig(t, setup{routes: []*otptest.Route{sms, chat}, limits: bare})
		check := func(wantSMS, wantChat int) {
			t.Helper()
			synctest.Wait()
			if a, b := len(sms.Given()), len(chat.Given()); a != wantSMS || b != wantChat {
				t.Errorf("%d by sms and %d by whatsapp, want %d and %d", a, b, wantSMS, wantChat)
			}
		}
		p, err := r.by(otp.ChannelWhatsApp)
		must(t, err)
		check(0, 1)
		if p.Verification.Channel != otp.ChannelWhatsApp || p.Message.Channel != otp.ChannelWhatsApp {
			t.Errorf("the verification goes by %q, its message by %q", p.Verification.Channel, p.Message.Channel)
		}
		_, err = r.v.Resend(t.Context(), r.server(), p.Verification.ID, "")
		must(t, err)
		check(0, 2)
		_, err = r.v.Resend(t.Context(), r.server(), p.Verification.ID, otp.ChannelSMS)
		must(t, err)
		check(1, 2)
		_, err = r.by("")
		must(t, err)
		check(2, 2)

		chat.Down("stopped")
		_, err = r.by(otp.ChannelWhatsApp)
		wantCode(t, err, otp.ChannelUnavailable)
		chat.Ready()
		chat.Verdicts(verdict(otp.Refused, otp.ReasonTemporary, otp.RetryElsewhere))
		p, err = r.by(otp.ChannelWhatsApp)
		must(t, err)
		pass(10 * time.Second)
		check(2, 3)
		if m := r.message(p.Message.ID); m.State != otp.MessageFailed {
			t.Errorf("refused by the one route of its channel, the message is %s", m.State)
		}
		for _, channel := range []string{"email", "voice", "SMS", "sms "} {
			_, err = r.by(channel)
			wantCode(t, err, otp.InvalidRequest)
			_, err = r.v.Resend(t.Context(), r.server(), p.Verification.ID, channel)
			wantCode(t, err, otp.InvalidRequest)
		}
	})
}

func TestChannelThatNoRouteCarries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, setup{})
		_, err := r.by(otp.ChannelWhatsApp)
		wantCode(t, err, otp.InvalidRequest)
		synctest.Wait()
		if n := len(r.routes[0].Given()); n != 0 {
			t.Errorf("%d SMS in place of another channel", n)
		}
	})
}
