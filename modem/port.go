package modem

import (
	"context"
	"io"
	"time"
)

// Port is an opened line to a modem. Close must end a Read that waits. Write
// must honour the deadline, tell how many octets it has handed on, and write
// nothing of its own.
type Port interface {
	io.ReadWriteCloser
	SetWriteDeadline(t time.Time) error
}

// OpenError tells why a port could not be opened, in words of the route's
// closed list. An open function that returns another error stands for a port
// that is absent.
type OpenError struct {
	// Reason is "absent", "busy", "permission", "no_answer" or "storage_mode".
	Reason string
	// Detail is a sentence for the operator: what is wrong and what to do.
	Detail string
	// Err is the cause.
	Err error

	// silent opens the port of a modem that is there, is this route's and does
	// not answer, so that the ladder can be climbed at it; nil: there is none.
	silent func(ctx context.Context) (Port, error)
}

// Error returns the reason, the detail and the cause, for a log.
func (e *OpenError) Error() string { return e.Reason + ": " + e.Detail + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *OpenError) Unwrap() error { return e.Err }
