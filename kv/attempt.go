package kv

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"

	"github.com/dgraph-io/badger/v4"

	"github.com/pinferry/pinferry/otp"
)

// attempt runs one closure and merges its writes if it succeeds.
func (w *writer) attempt(snapshot *badger.Txn, fn func(otp.Tx) error) (err error) {
	t := &tx{snapshot: snapshot, own: w.own, earlier: w.merged}
	defer func() {
		t.over = true
		if p := recover(); p != nil {
			err = fault(fmt.Errorf("run closure: panic at %s: %s", culprit(), mask(fmt.Sprint(p))))
		}
		w.own.reset()
	}()
	if err := fn(t); err != nil {
		return err
	}
	if t.err == nil {
		t.merge()
	}
	if t.err != nil {
		return fault(fmt.Errorf("run closure: %w", t.err))
	}
	return nil
}

// merge moves a closure's writes into the batch.
func (t *tx) merge() {
	for _, wr := range t.own.writes {
		t.earlier.expire(wr)
		t.earlier.put(wr.key, wr.row)
	}
}

// fault answers a caller whose closure is at fault.
func fault(cause error) error {
	return &otp.Error{Code: otp.Internal, Detail: "The box could not do this. Its log has the reason.", Err: cause}
}

// name returns the function that a closure was written in, "otp.(*Outbox).Send.func1".
func name(fn func(otp.Tx) error) string {
	f := runtime.FuncForPC(reflect.ValueOf(fn).Pointer())
	return f.Name()[strings.LastIndexByte(f.Name(), '/')+1:]
}

// culprit returns the file and line that panicked. It is called by a deferred
// function while the panic unwinds.
func culprit() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for unwinding := false; ; {
		frame, more := frames.Next()
		if inside := strings.HasPrefix(frame.Function, "runtime."); inside {
			unwinding = true
		} else if unwinding {
			return fmt.Sprintf("%s:%d", frame.File[strings.LastIndexByte(frame.File, '/')+1:], frame.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}
