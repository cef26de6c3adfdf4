package modem

import (
	"context"

	"github.com/pinferry/pinferry/otp"
)

// nullSlots is how many messages the null route takes at once.
const nullSlots = 64

// Null is the route that reaches nobody: it accepts at once, for apps in test
// mode. It implements [otp.Route].
type Null struct{ name string }

// NewNull returns a null route.
func NewNull(name string) *Null { return &Null{name} }

// Name is the configured name.
func (n *Null) Name() string { return n.name }

// Status says that the route is ready, always.
func (n *Null) Status() otp.RouteStatus {
	return otp.RouteStatus{State: otp.RouteReady, Free: nullSlots, Slots: nullSlots, Test: true, Kind: "null"}
}

// Send accepts the message, and refuses what no radio could carry either.
func (n *Null) Send(_ context.Context, out otp.Outgoing) otp.Verdict {
	if _, err := newSubmitter().parts(out, false); err != nil {
		return unencodable(err)
	}
	return otp.Verdict{Outcome: otp.Sent}
}

// Run waits for ctx to end.
func (n *Null) Run(ctx context.Context, sink otp.RouteSink) error {
	sink.Changed(n.name)
	<-ctx.Done()
	return nil
}
