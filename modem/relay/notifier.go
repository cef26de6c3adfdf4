package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/rs/zerolog"

	"github.com/pinferry/pinferry/otp"
)

// Queue is what a [Notifier] asks of [otp.Events].
type Queue interface {
	News() <-chan struct{}
	Due(ctx context.Context, app string, limit int) (due []otp.Event, wait time.Duration, err error)
	Settle(ctx context.Context, e otp.Event, delivered bool) (dead bool, err error)
	Tidy(ctx context.Context, app string) error
	Text(ctx context.Context, e otp.Event) (string, error)
}

// faultPause is the pause after the store failed.
const faultPause = 5 * time.Second

// Notifier tells the servers of apps what happened, by the Standard Webhooks
// scheme: signed, at least once, in any order, and again until they take it or
// the queue gives it up. One that is slow holds up nobody but its own app, and
// one that is down is asked from time to time, not by each event.
type Notifier struct {
	queue   Queue
	targets []*target
	now     func() otp.Time
	count   func(app, result string)
	log     zerolog.Logger
}

// NewNotifier returns a notifier of a queue. now is box time; count hears of
// each delivery by its result: "delivered", "failed" or "dead". The error names
// the app and the key of its config that is at fault.
func NewNotifier(queue Queue, targets []Target, now func() otp.Time, count func(app, result string), log zerolog.Logger) (*Notifier, error) {
	n := &Notifier{queue: queue, now: now, count: count, log: log}
	for _, t := range targets {
		if err := t.Check(); err != nil {
			return nil, fmt.Errorf("[[app]] %q: %w", t.App, err)
		}
		secrets, err := signingSecrets(t.SecretFile)
		if err != nil {
			return nil, fmt.Errorf("[[app]] %q: webhook_secret_file: %w", t.App, err)
		}
		n.targets = append(n.targets, &target{t.App, t.URL, secrets, NewEgress(t.Egress)})
	}
	return n, nil
}

// Run delivers until ctx ends.
func (n *Notifier) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, t := range n.targets {
		running.Go(func() { n.serve(ctx, t) })
	}
	running.Wait()
}

// handle delivers one event, once. What a stop cuts short is tried again at the
// next start.
func (n *Notifier) handle(ctx context.Context, t *target, e otp.Event) landing {
	err := n.deliver(ctx, t, e)
	l := landing{event: e.ID, taken: err == nil}
	if ctx.Err() != nil {
		return l
	}
	dead, fault := n.queue.Settle(ctx, e, l.taken)
	result := "delivered"
	switch {
	case dead:
		result = "dead"
	case err != nil:
		result = "failed"
	}
	n.count(t.app, result)
	if err != nil {
		n.log.Warn().Err(err).Str("app", t.app).Str("event", eventPrefix+e.ID.String()).Bool("dead", dead).Msg("an event was not taken")
	}
	if fault != nil && ctx.Err() == nil {
		l.fault = true
		n.log.Error().Err(fault).Str("app", t.app).Msg("the queue of events could not be written")
	}
	return l
}

// The prefixes of ids, as the native API has them.
const (
	eventPrefix        = "evt_"
	verificationPrefix = "vrf_"
	messagePrefix      = "msg_"
	inboundPrefix      = "inb_"
)

// notice is the body of a delivery.
type notice struct {
	Type      otp.EventType `json:"type"`
	Timestamp string        `json:"timestamp"`
	Data      subject       `json:"data"`
}

// subject is what an event is about.
type subject struct {
	App          string      `json:"app"`
	Verification string      `json:"verification,omitempty"`
	Message      string      `json:"message,omitempty"`
	Inbound      string      `json:"inbound,omitempty"`
	To           string      `json:"to,omitempty"` // masked
	From         string      `json:"from,omitempty"`
	Text         string      `json:"text,omitempty"` // of a received SMS
	Route        string      `json:"route,omitempty"`
	Reason       otp.Reason  `json:"reason,omitempty"`
	Purpose      otp.Purpose `json:"purpose,omitempty"`
	Channel      string      `json:"channel,omitempty"`
}

// body writes an event.
func (n *Notifier) body(ctx context.Context, e *otp.Event) ([]byte, error) {
	s := subject{
		App: e.App, Verification: idOf(verificationPrefix, e.Verification), Message: idOf(messagePrefix, e.Message),
		Inbound: idOf(inboundPrefix, e.Inbound), To: e.To, From: e.From, Route: e.Route, Reason: e.Reason,
		Purpose: e.Purpose, Channel: e.Channel,
	}
	if e.Type == otp.EventInboundReceived {
		var err error
		if s.Text, err = n.queue.Text(ctx, *e); err != nil {
			return nil, fmt.Errorf("read the SMS: %w", err)
		}
	}
	return json.Marshal(notice{e.Type, e.At.Std().Format(time.RFC3339Nano), s})
}

// idOf writes an id, "" for none.
func idOf(prefix string, id otp.ID) string {
	if id.IsZero() {
		return ""
	}
	return prefix + id.String()
}

// deliver posts one event. Any status but 2xx is an error.
func (n *Notifier) deliver(ctx context.Context, t *target, e otp.Event) error {
	body, err := n.body(ctx, &e)
	if err != nil {
		return err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL cannot be requested") // the cause would show it
	}
	id, at := eventPrefix+e.ID.String(), strconv.FormatInt(n.now().Std().Unix(), 10)
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("User-Agent", "pinferry")
	q.Header.Set("webhook-id", id)
	q.Header.Set("webhook-timestamp", at)
	q.Header.Set("webhook-signature", t.sign(id, at, body))
	a, err := t.way.Do(q)
	if err != nil {
		return err
	}
	if a.StatusCode/100 != 2 {
		return fmt.Errorf("the server answered %d", a.StatusCode)
	}
	return nil
}
