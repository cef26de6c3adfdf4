package otptest

import (
	"testing"

	"github.com/pinferry/pinferry/otp"
)

// Conformance proves that a store keeps the contract of [otp.Store]. open
// returns an empty store and closes it, if need be, by t.Cleanup.
func Conformance(t *testing.T, open func(t *testing.T) otp.Store) {
	for _, rule := range []struct {
		name string
		test func(*testing.T, otp.Store)
	}{
		{"a write is there afterwards", writes},
		{"a delete leaves nothing", deletes},
		{"an error leaves nothing", faults},
		{"a panic leaves nothing", panics},
		{"a closure sees its own writes", ownWrites},
		{"a closure sees earlier closures", earlierWrites},
		{"a closure runs exactly once", runsOnce},
		{"closures run alone", runsAlone},
		{"counting is exact", counts},
		{"bytes are copied", copies},
		{"an empty value is a value", emptyValue},
		{"kinds are apart", kindsApart},
		{"an unknown kind is a fault", unknownKind},
		{"a key may hold any byte", anyByte},
		{"until keeps a row", untilKeeps},
		{"a context ended early", endedEarly},
		{"a context ended while queued", endedQueued},
		{"a context ended while running", endedRunning},
		{"a view is a snapshot", viewSnapshot},
		{"a view cannot write", viewWrites},
		{"a view hands on its error", viewError},
		{"a scan is in order", scanOrder},
		{"a scan keeps to its prefix", scanPrefix},
		{"a scan goes on after a key", scanAfter},
		{"a scan keeps to its limit", scanLimit},
		{"a scan stops early", scanStops},
		{"a scan refuses its own writes", scanDirty},
		{"a scan sees earlier closures", scanEarlier},
		{"a scan may delete what it meets", scanDeletes},
		{"a scan within a scan", scanNested},
	} {
		t.Run(rule.name, func(t *testing.T) { rule.test(t, open(t)) })
	}
}

// key names a row of the kind that most rules use.
func key(part string) otp.Key { return otp.Key{Kind: otp.KindMessage, Part: part} }

func update(t *testing.T, s otp.Store, fn func(otp.Tx)) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx otp.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func view(t *testing.T, s otp.Store, fn func(otp.Tx)) {
	t.Helper()
	if err := s.View(t.Context(), func(tx otp.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatalf("View: %v", err)
	}
}

func expect(t *testing.T, s otp.Store, part, want string) {
	t.Helper()
	view(t, s, func(tx otp.Tx) { expectIn(t, tx, part, want) })
}

func expectNone(t *testing.T, s otp.Store, part string) {
	t.Helper()
	view(t, s, func(tx otp.Tx) { expectNoneIn(t, tx, part) })
}

func expectIn(t *testing.T, tx otp.Tx, part, want string) {
	t.Helper()
	if got, ok := tx.Get(key(part)); !ok || got == nil || string(got) != want {
		t.Errorf("row %.20q is %.40q, %v, want %.40q", part, got, ok, want)
	}
}

func expectNoneIn(t *testing.T, tx otp.Tx, part string) {
	t.Helper()
	if got, ok := tx.Get(key(part)); ok || got != nil {
		t.Errorf("row %.20q is %.40q, want none", part, got)
	}
}
