package modem_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/modem/simulator"
	"github.com/pinferry/pinferry/otp"
)

// tracer keeps every octet that the host wrote.
type tracer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (r *tracer) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(b)
}

func (r *tracer) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

// wired is a gateway on a pseudo terminal of the kernel, in real time.
type wired struct {
	*modem.Gateway
	*simulator.Modem
	pty   *simulator.PTY
	link  string
	sink  *sink
	trace *tracer
}

func wire(t *testing.T, cfg simulator.Config) *wired {
	t.Helper()
	w := &wired{sink: &sink{}, trace: &tracer{}, link: filepath.Join(t.TempDir(), "modem")}
	pty, err := simulator.OpenPTY()
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	w.pty = pty
	if err := pty.Link(w.link); err != nil {
		t.Fatal(err)
	}
	cfg.Trace = w.trace
	w.Modem = simulator.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- simulator.Run(ctx, w.Modem, pty) }()
	w.Gateway = modem.New("gsm0", modem.OpenTTY(w.link), modem.Config{Device: w.link})
	stop := start(t, w.Gateway, w.sink)
	t.Cleanup(func() {
		stop()
		cancel()
		if err := <-served; err != nil {
			t.Errorf("simulator: %v", err)
		}
		pty.Close()
	})
	return w
}

// await waits until the route is in one of the states.
func (w *wired) await(t *testing.T, within time.Duration, states ...otp.RouteState) {
	t.Helper()
	limit, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for {
		status := w.Status()
		for _, state := range states {
			if status.State == state {
				return
			}
		}
		if limit.Err() != nil {
			t.Fatalf("after %v the route is %v %q (%s), want %v", within, status.State, status.Reason, status.Detail, states)
		}
		pause(5 * time.Millisecond)
	}
}

// unit finds what ends like a unit.
var unit = regexp.MustCompile(`[^\r\x1a]*[\r\x1a]`)

// pause lets real time pass: a kernel's tty knows no other.
func pause(d time.Duration) { <-time.After(d) }

func TestTTYCycle(t *testing.T) {
	w := wire(t, simulator.Config{TextMode: true, ReportDelay: 10 * time.Millisecond})
	w.await(t, 5*time.Second, otp.RouteReady)
	text := strings.Repeat("x", 400) + "\x1a\x1b\r\nAT+CMGD=1,4\r\n€"
	v := w.Send(t.Context(), otp.Outgoing{Dial: "41791234567", Text: text})
	if v.Outcome != otp.Sent {
		t.Fatalf("verdict %+v", v)
	}
	got := w.Handset().Messages()
	if len(got) != 1 || got[0].To != "+41791234567" || got[0].Text != text {
		t.Errorf("handset has %d messages", len(got))
	}
	// The whole life of the line, octet by octet.
	trace := w.trace.String() // once: the gateway goes on with its chores
	units := unit.FindAllString(trace, -1)
	checkUnits(t, units)
	if whole := strings.Join(units, ""); whole != trace {
		t.Error("there is more on the line than units")
	}
	if first := units[0]; first != "\x1b\r" {
		t.Errorf("the line begins with %q", first)
	}
	limit, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for len(w.sink.reported()) == 0 && limit.Err() == nil {
		pause(5 * time.Millisecond)
	}
	if got := w.sink.reported(); len(got) != 1 || got[0].Ref != v.Ref {
		t.Errorf("reports %+v for reference %s", got, v.Ref)
	}
}

// Fifty queued messages through a modem that answers at once.
func TestTTYPace(t *testing.T) {
	w := wire(t, simulator.Config{})
	w.await(t, 5*time.Second, otp.RouteReady)
	limit, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for range 50 {
		if v := w.Send(t.Context(), sample()); v.Outcome != otp.Sent {
			t.Fatalf("verdict %+v", v)
		}
	}
	if limit.Err() != nil {
		t.Error("50 messages took more than 1 s")
	}
}

func TestTTYPulledAndPluggedIn(t *testing.T) {
	w := wire(t, simulator.Config{})
	w.await(t, 5*time.Second, otp.RouteReady)
	if err := w.pty.HangUp(); err != nil {
		t.Fatal(err)
	}
	w.await(t, 2*time.Second, otp.RouteComing, otp.RouteDown)
	if reason := w.Status().Reason; reason != "absent" {
		t.Errorf("reason %q", reason)
	}
	pause(1500 * time.Millisecond)
	if err := w.pty.Replug(); err != nil {
		t.Fatal(err)
	}
	w.await(t, 10*time.Second, otp.RouteReady)
	if v := w.Send(t.Context(), sample()); v.Outcome != otp.Sent {
		t.Errorf("verdict %+v", v)
	}
}

// The stick is pulled at each point of a dialogue: what is "refused" has not
// arrived, and what is "sent" has.
func TestTTYPulledInADialogue(t *testing.T) {
	for _, point := range []string{"before-prompt", "after-submit", "before-reply", "after-reply"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w := wire(t, simulator.Config{Replug: 100 * time.Millisecond})
			w.await(t, 5*time.Second, otp.RouteReady)
			if err := w.InjectSpec("hangup=" + point + "@1"); err != nil {
				t.Fatal(err)
			}
			v := w.Send(t.Context(), sample())
			want := map[string]otp.Outcome{"before-prompt": otp.Refused, "after-submit": otp.Unknown, "before-reply": otp.Unknown, "after-reply": otp.Sent}[point]
			if v.Outcome != want {
				t.Errorf("verdict %+v, want %v", v, want)
			}
			pause(300 * time.Millisecond)
			w.await(t, 10*time.Second, otp.RouteReady)
			if v := w.Send(t.Context(), sample()); v.Outcome != otp.Sent {
				t.Errorf("the next message: verdict %+v", v)
			}
		})
	}
}

// A Write into a tty that nobody reads ends at its deadline.
func TestTTYWriteDeadline(t *testing.T) {
	pty, err := simulator.OpenPTY()
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	defer pty.Close()
	port, err := modem.OpenTTY(pty.Path())(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	limit, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	deadline, _ := limit.Deadline()
	if err := port.SetWriteDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err = port.Write(make([]byte, 1<<16)); err != nil {
			break
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v, want a deadline exceeded", err)
	}
}

// Close ends a Read that waits, and lets the next process in.
func TestTTYCloseEndsRead(t *testing.T) {
	pty, err := simulator.OpenPTY()
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	defer pty.Close()
	for range 3 {
		port, err := modem.OpenTTY(pty.Path())(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := port.Read(make([]byte, 1))
			ended <- err
		}()
		pause(10 * time.Millisecond)
		port.Close()
		select {
		case err := <-ended:
			if err == nil || errors.Is(err, io.EOF) {
				t.Errorf("Read ended with %v", err)
			}
		case <-time.After(time.Second):
			t.Fatal("Read goes on")
		}
	}
}

// Four causes, four reasons.
func TestTTYTellsCausesApart(t *testing.T) {
	reason := func(t *testing.T, path string) (string, string) {
		t.Helper()
		port, err := modem.OpenTTY(path)(t.Context())
		if err == nil {
			port.Close()
			t.Fatalf("%s could be opened", path)
		}
		var e *modem.OpenError
		if !errors.As(err, &e) {
			t.Fatalf("error %v is no OpenError", err)
		}
		return e.Reason, e.Detail
	}
	t.Run("not there", func(t *testing.T) {
		if got, _ := reason(t, filepath.Join(t.TempDir(), "ttyUSB9")); got != "absent" {
			t.Errorf("reason %q", got)
		}
	})
	t.Run("no tty", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, detail := reason(t, path); got != "absent" || !strings.Contains(detail, "no serial port") {
			t.Errorf("reason %q: %s", got, detail)
		}
	})
	t.Run("in use", func(t *testing.T) {
		pty, err := simulator.OpenPTY()
		if err != nil {
			t.Skipf("no pseudo terminals here: %v", err)
		}
		defer pty.Close()
		port, err := modem.OpenTTY(pty.Path())(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer port.Close()
		if got, detail := reason(t, pty.Path()); got != "busy" || !strings.Contains(detail, fmt.Sprintf("process %d (", os.Getpid())) {
			t.Errorf("reason %q: %s", got, detail)
		}
	})
	t.Run("not allowed", func(t *testing.T) {
		pty, err := simulator.OpenPTY()
		if err != nil {
			t.Skipf("no pseudo terminals here: %v", err)
		}
		defer pty.Close()
		if got, detail := reasonAsNobody(t, pty.Path()); got != "permission" || !strings.Contains(detail, "group") {
			t.Errorf("reason %q: %s", got, detail)
		}
	})
	t.Run("not allowed, but to a group", func(t *testing.T) {
		pty, err := simulator.OpenPTY()
		if err != nil {
			t.Skipf("no pseudo terminals here: %v", err)
		}
		defer pty.Close()
		group, err := user.LookupGroup("dialout")
		nobody, unknown := user.LookupId("65534")
		if err := errors.Join(err, unknown); err != nil {
			t.Skipf("NOT TESTED: this system has no such names: %v", err)
		}
		id, _ := strconv.Atoi(group.Gid)
		if err := errors.Join(os.Chmod(pty.Path(), 0o660), os.Chown(pty.Path(), -1, id)); err != nil {
			t.Skipf("NOT TESTED: only root can give a terminal to a group: %v", err)
		}
		if got, detail := reasonAsNobody(t, pty.Path()); got != "permission" || !strings.Contains(detail, "sudo usermod -aG dialout "+nobody.Username) {
			t.Errorf("reason %q: %s", got, detail)
		}
	})
	t.Run("in use, to a user who may open it", func(t *testing.T) {
		pty, err := simulator.OpenPTY()
		if err != nil {
			t.Skipf("no pseudo terminals here: %v", err)
		}
		defer pty.Close()
		if err := os.Chmod(pty.Path(), 0o666); err != nil {
			t.Fatal(err)
		}
		port, err := modem.OpenTTY(pty.Path())(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer port.Close()
		if got, detail := reasonAsNobody(t, pty.Path()); got != "busy" || !strings.Contains(detail, "process") {
			t.Errorf("reason %q: %s", got, detail)
		}
	})
}

const pathOfChild = "PINFERRY_TEST_TTY"

// TestMain is also what reasonAsNobody runs.
func TestMain(m *testing.M) {
	path := os.Getenv(pathOfChild)
	if path == "" {
		os.Exit(m.Run())
	}
	_, err := modem.OpenTTY(path)(context.Background())
	var e *modem.OpenError
	if errors.As(err, &e) {
		fmt.Printf("reason=%s|%s\n", e.Reason, e.Detail)
	}
}

// reasonAsNobody opens path in a process of the user 65534.
func reasonAsNobody(t *testing.T, path string) (reason, detail string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: only root can start a process as another user")
	}
	child := exec.Command("/proc/self/exe")
	child.Dir = "/"
	child.Env = []string{pathOfChild + "=" + path}
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	_, found, ok := strings.Cut(string(out), "reason=")
	if !ok {
		t.Fatalf("the child opened %s:\n%s", path, out)
	}
	line, _, _ := strings.Cut(found, "\n")
	reason, detail, _ = strings.Cut(line, "|")
	return reason, detail
}
