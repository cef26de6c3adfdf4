package simulator_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/warthog618/modem/at"
	"github.com/warthog618/modem/gsm"
	"github.com/warthog618/sms"
	"golang.org/x/sys/unix"

	"github.com/pinferry/pinferry/modem/simulator"
)

// An AT stack that others wrote gets on with the simulator: it is not only our
// own gateway that understands it.
func TestForeignStack(t *testing.T) {
	for _, text := range []string{"123456 is your code.", "код 123456", "long " + fmt.Sprintf("%0200d", 7)} {
		modem := simulator.New(simulator.Config{})
		stick, err := simulator.OpenPTY()
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- simulator.Run(ctx, modem, stick) }()
		tty, err := os.OpenFile(stick.Path(), os.O_RDWR|unix.O_NOCTTY, 0)
		if err != nil {
			t.Fatal(err)
		}
		host := gsm.New(at.New(tty, at.WithTimeout(5*time.Second)), gsm.WithEncoderOption(sms.WithAllCharsets))
		if err := host.Init(); err != nil {
			t.Fatalf("init: %v", err)
		}
		if _, err := host.SendLongMessage("+41791234567", text); err != nil {
			t.Errorf("send: %v", err)
		}
		if got := modem.Handset().Messages(); len(got) != 1 || got[0].Text != text || got[0].To != "+41791234567" {
			t.Errorf("the handset got %d messages, or another one", len(got))
		}
		tty.Close()
		stop()
		<-served
		stick.Close()
	}
}
