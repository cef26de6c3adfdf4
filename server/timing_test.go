package server_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server"
	"github.com/pinferry/pinferry/server/api"
	"github.com/rs/zerolog"
	"github.com/valyala/fasthttp"
)

// instant is a core that costs nothing, so that what is measured is the
// server's own time.
type instant struct {
	api.Verifications
	progress otp.Progress
}

func (i *instant) Start(context.Context, otp.Caller, otp.StartRequest) (otp.Progress, error) {
	return i.progress, nil
}

func (i *instant) Check(context.Context, otp.Caller, otp.ID, string) (otp.Progress, error) {
	return i.progress, nil
}

// measure runs one request against the handler, from its parsed head to the
// answer that is ready to be written.
func measure(b *testing.B, target, body string, want int) {
	b.Helper()
	apps, err := otp.NewApps([]otp.App{demoApp()}, func(string) int { return 1 })
	if err != nil {
		b.Fatal(err)
	}
	core := &instant{progress: otp.Progress{
		Verification: otp.Verification{
			ID: otp.NewID(), Address: otp.Address{Kind: otp.Phone, Key: phone, Dial: phone[1:], Calling: 41}, Channel: "sms",
			Purpose: otp.PurposeVerify, Status: otp.Pending, MaxTries: 5, Created: 1795253400007, Expires: 1795253700007,
		},
		Message: otp.Message{ID: otp.NewID(), State: otp.MessageAccepted}, ETA: 3 * time.Second, ResendAfter: 30 * time.Second,
	}}
	handle, err := server.New(server.Config{
		Apps: apps, Verifications: core, Outbox: &otp.Outbox{}, Metrics: metrics.NewSet(), Log: zerolog.Nop(),
	}).Handler()
	if err != nil {
		b.Fatal(err)
	}
	raw := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: 127.0.0.1:7467\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		target, key(publishable), len(body), body)
	var request fasthttp.Request
	if err := request.Read(bufio.NewReader(strings.NewReader(raw))); err != nil {
		b.Fatal(err)
	}
	ctx := new(fasthttp.RequestCtx)
	ctx.Init(&request, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, nil)
	b.ReportAllocs()
	for b.Loop() {
		ctx.Response.Reset()
		handle(ctx)
	}
	if got := ctx.Response.StatusCode(); got != want {
		b.Fatalf("got %d %s", got, ctx.Response.Body())
	}
}

func BenchmarkStart(b *testing.B) {
	measure(b, "/v1/verifications", `{"to":"+41791234567","metadata":{"order":17}}`, 201)
}

func BenchmarkCheck(b *testing.B) {
	measure(b, "/v1/verifications/"+anyID+"/check", `{"code":"493827"}`, 200)
}
