package simulator_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/modem/simulator"
)

// TestBench has a fault from the start, takes what is typed, says what it does
// not understand and goes on, and takes its link away with it.
func TestBench(t *testing.T) {
	fault, err := simulator.ParseFault("sim=pin")
	if err != nil {
		t.Fatal(err)
	}
	typed, keyboard := io.Pipe()
	screen, out := io.Pipe()
	complaints, errs := io.Pipe()
	link := filepath.Join(t.TempDir(), "gsm")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	bench := simulator.Bench{Faults: []simulator.Fault{fault}, Link: link, In: typed, Out: out, Err: errs}
	go func() { ended <- bench.Run(ctx) }()
	path, err := bufio.NewReader(screen).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(link); err != nil || target != strings.TrimSpace(path) {
		t.Errorf("the link leads to %q (%v), want %q", target, err, path)
	}
	c := open(t, link)
	defer c.tty.Close()
	c.expect("AT+CPIN?\r", "SIM PIN")
	go io.WriteString(keyboard, "clear\n\nsim=cat\n")
	if said, err := bufio.NewReader(complaints).ReadString('\n'); err != nil || !strings.Contains(said, "cat") {
		t.Errorf("it said %q (%v)", said, err)
	}
	c.expect("AT+CPIN?\r", "READY")
	stop()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it left its link (%v)", err)
	}
	keyboard.Close()
}
