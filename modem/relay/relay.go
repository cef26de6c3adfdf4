// Package relay carries messages through the providers of others: over HTTP as
// a table of data describes each of them, and by mail. A relay is a route of
// the box like a modem is; what an answer does not prove is not believed.
//
// The package is also the one place from which the box calls out over the
// network: see [Egress].
package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// slots is how many messages a relay carries at once.
const slots = 8

// slow is how long a refusal may have taken for another attempt here: two of
// them and the pause between are all the time that the fail-over has.
const slow = 4 * time.Second

// carrier hands one message over. The rest it returns is what the provider asks
// of the route. To probe is to look for its server, host:port, and no more.
type carrier interface {
	carry(ctx context.Context, out otp.Outgoing) (otp.Verdict, rest)
	probe(ctx context.Context) (server string, err error)
}

// Relay is a route through a provider. It implements [otp.Route].
type Relay struct {
	name    string
	config  Config
	form    form
	secret  string
	token   string
	carrier carrier
	sink    atomic.Pointer[otp.RouteSink] // set by Run
	changed chan struct{}                 // tells Run of a rest

	mu    sync.Mutex // guards what follows
	busy  int        // Sends under way
	rest  rest
	until otp.Time // the rest's end; 0 is none
}

var _ otp.Route = (*Relay)(nil)

// New returns a relay under its configured name. It reads the files that the
// config names, and refuses what could not work.
func New(name string, config Config) (*Relay, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	k, err := kindOf(config.Kind)
	if err != nil {
		return nil, err
	}
	r := &Relay{name: name, config: config, form: k.form, changed: make(chan struct{}, 1)}
	for _, file := range []struct {
		key, path string
		into      *string
	}{{"secret_file", config.SecretFile, &r.secret}, {"callback_file", config.CallbackFile, &r.token}} {
		if file.path == "" {
			continue
		}
		if *file.into, err = readSecret(file.path); err != nil {
			return nil, fmt.Errorf("%s: %w", file.key, err)
		}
	}
	if r.token != "" && r.form.hook.signed == nil && !tokenForm.MatchString(r.token) {
		return nil, errors.New("callback_file: a token is 16 to 128 of A-Z a-z 0-9 _ -, for it stands in a path and must not be guessed")
	}
	roots, err := config.roots()
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	way := NewEgress(EgressConfig{
		Allow: config.Allow, Insecure: config.Insecure, Timeout: config.Timeout, Roots: roots, Lookup: config.Lookup,
	})
	if k.mail {
		r.carrier, err = newMailer(&r.config, r.secret, way)
		return r, err
	}
	if k.adapt != nil {
		k.adapt(&r.form, &config)
	}
	base := k.base
	if config.URL != "" {
		base = config.URL
	}
	if r.form.url != "" { // a path follows
		base = strings.TrimSuffix(base, "/")
	}
	r.carrier, err = newProvider(&r.form, base, r.callbackURL(), map[string]string{
		"from": config.From, "user": config.User, "secret": r.secret, "template": config.Template, "language": config.Language,
	}, way, config.Now)
	return r, err
}

var tokenForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,128}$`)

// callbackURL is where the provider is told to send reports, "" if none are
// wanted.
func (r *Relay) callbackURL() string {
	if r.config.PublicURL == "" {
		return ""
	}
	address := r.config.PublicURL + HookPath + r.name
	if r.form.hook.signed == nil {
		address += "." + r.token
	}
	return address
}

// Name is the configured name.
func (r *Relay) Name() string { return r.name }

// Status tells how the relay is now. A rest that is over makes it ready without
// a probe: the next message is the probe.
func (r *Relay) Status() otp.RouteStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := otp.RouteStatus{
		State: otp.RouteReady, Slots: slots, Free: max(0, slots-r.busy), Kind: "relay",
		Reports: r.config.PublicURL != "", Channels: []string{cmp.Or(r.form.channel, otp.ChannelSMS)},
	}
	if r.remains() > 0 {
		s.State, s.Reason, s.Detail, s.Free = r.rest.state, r.rest.reason, r.rest.detail, 0
	}
	return s
}

// Send hands a message to the provider.
func (r *Relay) Send(ctx context.Context, out otp.Outgoing) otp.Verdict {
	switch {
	case r.form.codes && out.Code == "":
		return refused(otp.ReasonRoute, otp.RetryElsewhere, "it carries codes only")
	case ctx.Err() != nil:
		return refused(otp.ReasonTooLate, otp.RetryElsewhere, "its time was over before its turn")
	}
	r.count(1)
	defer r.count(-1)
	began := r.config.Now()
	verdict, pause := r.carrier.carry(ctx, out)
	switch {
	case verdict.Outcome == otp.Unknown && r.form.once:
		verdict.Retry = otp.RetryHere // a repeat is recognised by our id
	case verdict.Retry == otp.RetryHere && r.config.Now().Sub(began) >= slow:
		verdict.Retry = otp.RetryElsewhere
	}
	if pause.length > 0 {
		r.pause(pause)
	}
	return verdict
}

func (r *Relay) count(n int) {
	r.mu.Lock()
	r.busy += n
	r.mu.Unlock()
}

// pause takes the route out of service for a while.
func (r *Relay) pause(pause rest) {
	now := r.config.Now()
	r.mu.Lock()
	first := r.until == 0
	if pause.length > r.remains() {
		r.rest, r.until = pause, now.Add(pause.length)
	}
	r.mu.Unlock()
	if first && pause.state == otp.RouteDown {
		r.config.Log.Error().Str("route", r.name).Str("reason", pause.reason).Str("detail", pause.detail).Msg("the provider refuses; the relay stands aside")
	}
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// Run tells the sink when the relay stands aside and when it is back, until ctx
// ends.
func (r *Relay) Run(ctx context.Context, sink otp.RouteSink) error {
	r.sink.Store(&sink)
	back := time.NewTimer(0)
	defer back.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.changed:
		case <-back.C:
		}
		if left := r.left(); left > 0 {
			back.Reset(left)
		}
		sink.Changed(r.name)
	}
}

// left returns how long the rest goes on; one that is over is forgotten.
func (r *Relay) left() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := r.remains()
	if left == 0 {
		r.until = 0
	}
	return left
}

// remains returns what is left of the rest. One that is longer than any rest is
// of a time that an accepted step back of the clock has undone.
func (r *Relay) remains() time.Duration {
	left := r.until.Sub(r.config.Now())
	if left < 0 || left > restRights {
		return 0
	}
	return left
}
