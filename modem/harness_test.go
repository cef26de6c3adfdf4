package modem_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
)

// sink keeps what a route tells.
type sink struct {
	mu        sync.Mutex
	reports   []otp.Report
	confirmed []otp.ID
	changed   int
	onReport  func()
	inbound   []otp.Incoming
	deaf      bool // Received fails
}

func (s *sink) Received(_ context.Context, in otp.Incoming) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deaf {
		return errors.New("the store is full")
	}
	s.inbound = append(s.inbound, in)
	return nil
}

func (s *sink) received() []otp.Incoming {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]otp.Incoming(nil), s.inbound...)
}

func (s *sink) refuse(all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deaf = all
}

func (s *sink) Changed(string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed++
}

func (s *sink) Reported(r otp.Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, r)
	if s.onReport != nil {
		s.onReport()
	}
}

func (s *sink) Confirmed(_ string, message otp.ID, _ otp.Reference) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.confirmed = append(s.confirmed, message)
}

func (s *sink) changes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *sink) confirmations() []otp.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]otp.ID(nil), s.confirmed...)
}

func (s *sink) reported() []otp.Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]otp.Report(nil), s.reports...)
}

// recorder is a port that keeps each Write as one unit.
type recorder struct {
	modem.Port
	log *units
}

func (r *recorder) Write(b []byte) (int, error) {
	r.log.add(string(b))
	return r.Port.Write(b)
}

// units are the writes of all ports of one stick.
type units struct {
	mu  sync.Mutex
	all []string
}

func (u *units) add(unit string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.all = append(u.all, unit)
}

func (u *units) list() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]string(nil), u.all...)
}

// count returns how many units match.
func (u *units) count(match func(string) bool) (n int) {
	for _, unit := range u.list() {
		if match(unit) {
			n++
		}
	}
	return n
}

func isSubmit(unit string) bool { return strings.HasPrefix(unit, "AT+CMGS=") }
func isPDU(unit string) bool    { return len(unit) > 1 && strings.HasSuffix(unit, "\x1a") }

// allowed is what may stand in one Write.
var allowed = regexp.MustCompile(`^(\x1b(\r\n?)?|\x1a|AT[\x20-\x7e]*\r\n?|[0-9A-F]+\x1a)$`)

// stick is a simulated modem that can be opened as a port, inside a bubble.
type stick struct {
	*simulator.Modem
	units   units
	opened  int
	absent  bool
	mu      sync.Mutex
	current net.Conn
}

// plug returns a stick with the given modem; its lines end with the test.
func plug(cfg simulator.Config) *stick { return &stick{Modem: simulator.New(cfg)} }

func (s *stick) open(ctx context.Context) (modem.Port, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.absent {
		return nil, &modem.OpenError{Reason: "absent", Detail: "not there", Err: errors.New("no such file")}
	}
	s.opened++
	host, device := net.Pipe()
	s.current = device
	go s.Serve(context.Background(), device)
	return &recorder{host, &s.units}, nil
}

// pull takes the stick out, or puts it back.
func (s *stick) pull(out bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.absent = out
	if out {
		s.current.Close()
	}
}

func (s *stick) openings() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// inject adds faults to a stick.
func (s *stick) inject(t *testing.T, specs ...string) {
	t.Helper()
	for _, spec := range specs {
		if err := s.InjectSpec(spec); err != nil {
			t.Fatal(err)
		}
	}
}

// bench is a gateway at work on a stick, in a bubble.
type bench struct {
	*modem.Gateway
	*stick
	sink *sink
	stop func() // ends Run and waits for it
}

// run starts a gateway on s and waits until the bubble is still.
func run(t *testing.T, s *stick, cfg modem.Config) *bench {
	t.Helper()
	b := &bench{Gateway: modem.New("gsm0", s.open, cfg), stick: s, sink: &sink{}}
	b.stop = start(t, b.Gateway, b.sink)
	return b
}

// start runs a route; stop ends it and waits for that.
func start(t testing.TB, route otp.Route, s otp.RouteSink) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- route.Run(ctx, s) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// peer is a modem whose every answer is scripted: answer is called with each
// unit as it is written, and what it returns can be read.
type peer struct {
	units
	answer func(unit string) string

	lock sync.Mutex  // guards all below
	all  []*scripted // every port that was opened
}

// say lets the modem speak unasked.
func (p *peer) say(text string) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.all[len(p.all)-1].answers <- text
}

func (p *peer) openings() int {
	p.lock.Lock()
	defer p.lock.Unlock()
	return len(p.all)
}

func (p *peer) open(context.Context) (modem.Port, error) {
	near, far := net.Pipe()
	answers := make(chan string, 256)
	go func() { // what the modem says waits for nobody
		for text := range answers {
			if _, err := io.WriteString(far, text); err != nil {
				far.Close()
			}
		}
		far.Close()
	}()
	port := &scripted{Conn: near, peer: p, answers: answers}
	p.lock.Lock()
	defer p.lock.Unlock()
	p.all = append(p.all, port)
	return port, nil
}

// scripted is one port of a peer. Read is the pipe's.
type scripted struct {
	net.Conn
	peer    *peer
	answers chan string
	once    sync.Once
}

func (s *scripted) Write(b []byte) (int, error) {
	s.peer.add(string(b))
	s.answers <- s.peer.answer(string(b))
	return len(b), nil
}

func (s *scripted) Close() error {
	s.once.Do(func() { close(s.answers) })
	return s.Conn.Close()
}

// obliging answers as a plain modem that can send.
func obliging(unit string) string {
	switch {
	case strings.HasPrefix(unit, "\x1b"), unit == "\x1a":
		return ""
	case strings.HasPrefix(unit, "AT+CPIN?"):
		return "\r\n+CPIN: READY\r\n\r\nOK\r\n"
	case strings.HasPrefix(unit, "AT+CREG?"):
		return "\r\n+CREG: 1,1\r\n\r\nOK\r\n"
	case strings.HasPrefix(unit, "AT+CMGF?"):
		return "\r\n+CMGF: 0\r\n\r\nOK\r\n"
	case isSubmit(unit):
		return "\r\n> "
	case isPDU(unit):
		return "\r\n+CMGS: 1\r\n\r\nOK\r\n"
	}
	return "\r\nOK\r\n"
}

// statusReport is an SMS-STATUS-REPORT of 25 octets behind an SMSC address,
// for 41791234567.
func statusReport(reference, status byte) string {
	return fmt.Sprintf("07911497000000F006%02X0B911497214365F70010101010100010101010101000%02X", reference, status)
}

// bubble runs fn with a stick that is ready to send, and checks each Write.
func bubble(t *testing.T, sim simulator.Config, cfg modem.Config, fn func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := run(t, plug(sim), cfg)
		defer b.stop()
		b.await(t, otp.RouteReady, "", 3*time.Second)
		fn(t, b)
		b.stop()
		checkUnits(t, b.units.list())
	})
}

// await lets virtual time pass until the state is there.
func (b *bench) await(t *testing.T, state otp.RouteState, reason string, within time.Duration) time.Duration {
	t.Helper()
	const step = 10 * time.Millisecond
	for passed := time.Duration(0); ; passed += step {
		status := b.Status()
		if status.State == state && status.Reason == reason {
			return passed
		}
		if passed >= within {
			t.Fatalf("after %v the route is %v %q (%s), want %v %q", passed, status.State, status.Reason, status.Detail, state, reason)
		}
		time.Sleep(step)
	}
}

// send sends one short message.
func (b *bench) send() otp.Verdict { return b.Send(context.Background(), sample()) }

// sample is a message that fits in one SMS.
func sample() otp.Outgoing {
	return otp.Outgoing{Message: otp.NewID(), Dial: "41791234567", Text: "Your code is 123456."}
}

// checkUnits proves R-50 on the writes of a whole life.
func checkUnits(t *testing.T, all []string) {
	t.Helper()
	for i, unit := range all {
		if !allowed.MatchString(unit) {
			t.Errorf("unit %d of the line is none of the allowed forms: %q", i, unit)
		}
		if isPDU(unit) {
			if i == 0 || !isSubmit(all[i-1]) {
				t.Errorf("unit %d is a PDU that follows no AT+CMGS", i)
				continue
			}
			hex := strings.TrimSuffix(unit, "\x1a")
			if want := "AT+CMGS=" + itoa(len(hex)/2-1) + "\r"; all[i-1] != want {
				t.Errorf("unit %d announces %q before a PDU of %d octets", i-1, all[i-1], len(hex)/2-1)
			}
		}
	}
}
