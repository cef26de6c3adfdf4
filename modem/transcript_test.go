package modem_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pinferry/pinferry/modem"
	"github.com/pinferry/pinferry/otp"
)

// transcript is the dialogue of one real modem with its host, as its maker
// documents it. A file has one thing a line:
//
//	# what it shows, and the document it was written from
//	! ready home 4g -67  what the status must show: registration, technology
//	                     ("-" if unknown) and dBm
//	! echo               the modem echoes until it has agreed to ATE0
//	> AT+CMGF=0          the host says this; "AT+CMGS=*" anything that begins so
//	< OK                 then the modem says this, or gives the prompt (">")
//	~ 2s                 after a while, of virtual time
//
// Before the first line of the host stands what the modem says unasked when its
// port is opened. In the host's lines ^[ is ESC and ^Z is Ctrl-Z.
//
// Which question comes before which is not the modem's business: a line that
// stands there once may come at any time, and again. Where it stands there more
// than once, a later answer is given when all that stands before it has been
// said.
type transcript struct {
	ready    string
	greeting []string
	say      func(text string) // lets the modem speak later

	mu      sync.Mutex // guards what follows
	echo    bool
	turns   []*turn
	strange []string // what the host said and the file does not know
}

// turn is a line of the host and what the modem says to it.
type turn struct {
	host   string
	answer []string
	played int
}

// readTranscript reads a file of testdata/transcripts.
func readTranscript(t *testing.T, path string) *transcript {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tr := &transcript{}
	said := &tr.greeting
	for n, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		mark, rest, _ := strings.Cut(line, " ")
		switch {
		case mark == "#" || line == "":
		case line == "! echo":
			tr.echo = true
		case strings.HasPrefix(line, "! ready "):
			tr.ready = strings.TrimPrefix(line, "! ready ")
		case mark == ">":
			tr.turns = append(tr.turns, &turn{host: rest})
			said = &tr.turns[len(tr.turns)-1].answer
		case mark == "<" || mark == "~":
			*said = append(*said, line)
		default:
			t.Fatalf("%s:%d: %q is no line of a transcript", path, n+1, line)
		}
	}
	return tr
}

// visible writes a unit of the line as a transcript does.
func visible(unit string) string {
	return strings.NewReplacer("\r", "", "\x1b", "^[", "\x1a", "^Z").Replace(unit)
}

// matches tells whether the host's line is the one of this turn.
func (u *turn) matches(line string) bool {
	prefix, open := strings.CutSuffix(u.host, "*")
	return line == u.host || open && strings.HasPrefix(line, prefix)
}

// answer plays the modem's part, for a [peer].
func (tr *transcript) answer(unit string) string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	line := visible(unit)
	var next *turn
	said := true // all that stands before
	for _, u := range tr.turns {
		if u.matches(line) && (said || next == nil) {
			next = u
		}
		said = said && u.played > 0
	}
	if next == nil {
		tr.strange = append(tr.strange, line)
		return "\r\nERROR\r\n"
	}
	next.played++
	echoed := ""
	if tr.echo && strings.HasPrefix(line, "AT") {
		echoed = unit
	}
	if line == "ATE0" && slices.Contains(next.answer, "< OK") {
		tr.echo = false
	}
	return echoed + tr.speak(next.answer)
}

// speak returns what is said at once, and has the rest said later. The caller
// holds mu.
func (tr *transcript) speak(lines []string) string {
	var now strings.Builder
	for i, line := range lines {
		if wait, later := strings.CutPrefix(line, "~ "); later {
			d, err := time.ParseDuration(wait)
			if err != nil {
				tr.strange = append(tr.strange, line)
				break
			}
			time.AfterFunc(d, func() {
				tr.mu.Lock()
				defer tr.mu.Unlock()
				tr.say(tr.speak(lines[i+1:]))
			})
			break
		}
		if line == "< >" {
			now.WriteString("\r\n> ")
		} else {
			now.WriteString("\r\n" + strings.TrimPrefix(line, "< ") + "\r\n")
		}
	}
	return now.String()
}

// The gateway gets along with the modems that people have: it brings each to
// where it can send, sends one SMS, once, and knows the delivery report for its
// own. It says nothing that the transcript does not know, and nothing in it is
// left unsaid.
func TestTranscripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { replay(t, readTranscript(t, path)) })
		})
	}
}

func replay(t *testing.T, tr *transcript) {
	p := &peer{answer: tr.answer}
	tr.say = p.say
	g := modem.New("gsm0", func(ctx context.Context) (modem.Port, error) {
		port, err := p.open(ctx)
		tr.mu.Lock()
		defer tr.mu.Unlock()
		p.say(tr.speak(tr.greeting))
		return port, err
	}, modem.Config{})
	s := &sink{}
	b := &bench{Gateway: g, sink: s, stop: start(t, g, s)}
	defer b.stop()
	b.await(t, otp.RouteReady, "", 40*time.Second)
	status := b.Status()
	if got := fmt.Sprintf("%s %s %d", status.Registration, cmp.Or(status.Technology, "-"), status.SignalDBm); got != tr.ready {
		t.Errorf("the status shows %q, want %q", got, tr.ready)
	}
	time.Sleep(20 * time.Second) // until it has said all that a modem says when it comes up
	v := b.send()
	if v.Outcome != otp.Sent || v.Ref == "" {
		t.Errorf("verdict %+v, want sent with a reference", v)
	}
	time.Sleep(time.Minute)
	reports := s.reported()
	if len(reports) != 1 || !reports[0].Delivered || reports[0].Ref != v.Ref || reports[0].Dial != sample().Dial {
		t.Errorf("reports %+v, want one delivery of %s", reports, v.Ref)
	}
	if b.Status().State != otp.RouteReady || p.openings() != 1 {
		t.Errorf("after %d openings the route is %v", p.openings(), b.Status().State)
	}
	b.stop()
	checkUnits(t, p.list())
	tr.check(t)
}

// check proves that both sides said what the transcript has, and nothing else.
func (tr *transcript) check(t *testing.T) {
	t.Helper()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, line := range tr.strange {
		t.Errorf("the transcript does not know %q", line)
	}
	for _, u := range tr.turns {
		if u.played == 0 {
			t.Errorf("the gateway never said %q", u.host)
		}
	}
}
