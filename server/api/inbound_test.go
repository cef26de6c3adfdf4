package api_test

import (
	"testing"

	"github.com/pinferry/pinferry/otp"
)

func TestInbound(t *testing.T) {
	d := open(t)
	d.core.inbound = []otp.Inbound{
		{ID: otp.ID{1}, Route: "gsm0", From: "+41791234567", Text: "Grüezi <b>", Sent: created, Received: created, Parts: 2},
		{ID: otp.ID{2}, Route: "gsm0", From: "MyBank", Received: created, Parts: 1},
	}
	d.core.next = "more"
	status, body := d.do(d.Inbound, request{key: secret, query: "limit=2&cursor=here"})
	if status != 200 || d.core.limit != 2 || d.core.cursor != "here" {
		t.Fatalf("got %d %s, limit %d, cursor %q", status, body, d.core.limit, d.core.cursor)
	}
	golden(t, "inbound", body)
	if status, body := d.do(d.Inbound, request{key: secret, query: "limit=101"}); status != 400 {
		t.Errorf("got %d %s", status, body)
	}
}

func TestStartOfChannelInbound(t *testing.T) {
	d := open(t)
	d.core.Progress.Verification.Channel, d.core.Progress.Message = otp.ChannelInbound, otp.Message{}
	d.core.Progress.TextThis, d.core.Progress.TextTo = "ABCDEFGH", "+41790000000"
	status, body := d.do(d.Start, request{key: publishable, body: `{"to":"` + phone + `","channel":"inbound"}`})
	if status != 201 || d.core.Started.Channel != otp.ChannelInbound {
		t.Fatalf("got %d %s", status, body)
	}
	golden(t, "text_back", body)
}
