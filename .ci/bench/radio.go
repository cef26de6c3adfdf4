package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/pinferry/pinferry/modem/simulator"
)

// tap tells when the host began to hand a message to the modem.
type tap struct {
	mu    sync.Mutex
	line  []byte
	heard chan time.Time
}

func (t *tap) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line = append(t.line, p...)
	if bytes.Contains(t.line, []byte("AT+CMGS")) {
		select {
		case t.heard <- now():
		default:
		}
		t.line = t.line[:0]
	}
	if len(t.line) > 4096 {
		t.line = t.line[len(t.line)-16:]
	}
	return len(p), nil
}

// radio measures the way to the modem: from a request on an idle box to its
// AT+CMGS, and a full queue through a modem that answers at once.
func radio(dir, program string) error {
	pty, err := simulator.OpenPTY()
	if err != nil {
		return err
	}
	defer pty.Close()
	t := &tap{heard: make(chan time.Time, 1)}
	m := simulator.New(simulator.Config{Trace: t})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go simulator.Run(ctx, m, pty)
	b, err := newBox(filepath.Join(dir, "radio"), program, fmt.Sprintf("device = %q", pty.Path()))
	if err != nil {
		return err
	}
	defer b.stop()
	for began := now(); ; time.Sleep(20 * time.Millisecond) {
		if _, err := b.begin(0); err == nil {
			break
		} else if time.Since(began) > 10*time.Second {
			return err
		}
	}
	<-t.heard
	var delays []time.Duration
	for range 300 {
		time.Sleep(20 * time.Millisecond)
		select { // of a message that was late
		case <-t.heard:
		default:
		}
		start := now()
		if _, err := b.begin(0); err != nil {
			return err
		}
		delays = append(delays, (<-t.heard).Sub(start))
	}
	slices.Sort(delays)
	fmt.Printf("request to AT+CMGS on an idle box: p50 %.2f ms, p99 %.2f ms\n", quantile(delays, 0.5), quantile(delays, 0.99))

	time.Sleep(100 * time.Millisecond)
	before := len(m.Handset().Messages())
	start := now()
	var all sync.WaitGroup
	for worker := range 50 {
		all.Go(func() { _, _ = b.begin(worker) })
	}
	all.Wait()
	for len(m.Handset().Messages()) < before+50 {
		if time.Since(start) > 30*time.Second {
			return fmt.Errorf("only %d of 50 queued messages arrived", len(m.Handset().Messages())-before)
		}
		time.Sleep(time.Millisecond)
	}
	fmt.Printf("50 messages queued at once through an instant modem: %.0f ms\n", time.Since(start).Seconds()*1000)
	return nil
}
