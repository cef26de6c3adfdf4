package otptest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/pinferry/pinferry/otp"
)

func endedEarly(t *testing.T, s otp.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ran := false
	run := func(otp.Tx) error {
		ran = true
		return nil
	}
	if err := s.Update(ctx, run); !errors.Is(err, context.Canceled) || ran {
		t.Errorf("Update with an ended context: %v, ran %v", err, ran)
	}
	if err := s.View(ctx, run); !errors.Is(err, context.Canceled) || ran {
		t.Errorf("View with an ended context: %v, ran %v", err, ran)
	}
}

func endedQueued(t *testing.T, s otp.Store) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	first := make(chan error)
	go func() {
		first <- s.Update(t.Context(), func(otp.Tx) error {
			close(begun)
			<-goOn
			return nil
		})
	}()
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	ran := false
	second := make(chan error)
	go func() {
		second <- s.Update(ctx, func(tx otp.Tx) error {
			ran = true
			tx.Put(key("a"), nil, 0)
			return nil
		})
	}()
	cancel()
	// The answer comes while the first closure still runs.
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("a closure whose context ended in the queue was answered with %v", err)
	}
	close(goOn)
	if err := <-first; err != nil {
		t.Error(err)
	}
	update(t, s, func(otp.Tx) {}) // the queue has passed the removed one
	if ran {
		t.Error("the removed closure ran")
	}
	expectNone(t, s, "a")
}

func endedRunning(t *testing.T, s otp.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Update(ctx, func(tx otp.Tx) error {
		cancel()
		tx.Put(key("a"), []byte("1"), 0)
		return nil
	})
	if err != nil {
		t.Errorf("a context that ended while its closure ran: %v, want the closure's answer", err)
	}
	expect(t, s, "a", "1")
}

func viewSnapshot(t *testing.T, s otp.Store) {
	update(t, s, func(tx otp.Tx) { tx.Put(key("a"), []byte("=a"), 0) })
	view(t, s, func(tx otp.Tx) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := s.Update(t.Context(), func(tx otp.Tx) error {
				tx.Put(key("a"), []byte("2"), 0)
				tx.Put(key("b"), []byte("2"), 0)
				return nil
			}); err != nil {
				t.Error(err)
			}
		}()
		<-done
		expectIn(t, tx, "a", "=a")
		expectNoneIn(t, tx, "b")
		if parts := scan(t, tx, "", otp.Key{}, 0); !slices.Equal(parts, []string{"a"}) {
			t.Errorf("a scan of an old snapshot met %q", parts)
		}
	})
	expect(t, s, "a", "2")
	expect(t, s, "b", "2")
}

func viewWrites(t *testing.T, s otp.Store) {
	for name, write := range map[string]func(otp.Tx){
		"Put":    func(tx otp.Tx) { tx.Put(key("a"), nil, 0) },
		"Delete": func(tx otp.Tx) { tx.Delete(key("a")) },
	} {
		panicked := func() (panicked bool) {
			defer func() { panicked = recover() != nil }()
			_ = s.View(t.Context(), func(tx otp.Tx) error {
				write(tx)
				return nil
			})
			return false
		}()
		if !panicked {
			t.Errorf("%s in a View did not panic", name)
		}
	}
	update(t, s, func(tx otp.Tx) { tx.Put(key("b"), []byte("1"), 0) }) // the store lives on
	expectNone(t, s, "a")
	expect(t, s, "b", "1")
}

func viewError(t *testing.T, s otp.Store) {
	fault := errors.New("a fault")
	if err := s.View(t.Context(), func(otp.Tx) error { return fault }); !errors.Is(err, fault) {
		t.Errorf("View returned %v, want the closure's error", err)
	}
}
