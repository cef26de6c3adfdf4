package web

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/valyala/fasthttp"
)

// CodeRejected is what every refusal of a check becomes, where the reason
// would help a guesser.
const CodeRejected = "code_rejected"

// Problem is a refusal as RFC 9457 words it. A handler may return one in place
// of an [otp.Error] when it knows the status better.
type Problem struct {
	Status int
	// Code is a word of the closed list of [otp.Code], or CodeRejected.
	Code string
	// Title is the same for every problem of this code; "" takes the table's.
	Title string
	// Detail says what is wrong with this request and what to do. It never holds
	// a value that was sent.
	Detail string
	// RetryAfter is told with 429 and 503.
	RetryAfter time.Duration
	// Err is the cause. It is for the log, never for the caller.
	Err error
}

// Error returns the code and the detail.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// Invalid returns a 400 for a request that cannot be understood.
func Invalid(detail string) *Problem {
	return &Problem{Status: fasthttp.StatusBadRequest, Code: string(otp.InvalidRequest), Detail: detail}
}

// NoPath returns the 404 of a path that is not there, or is nobody's business.
func NoPath() *Problem {
	return &Problem{Status: fasthttp.StatusNotFound, Code: string(otp.InvalidRequest), Title: "Not found", Detail: "There is no such path."}
}

// kind is what a code is over HTTP.
type kind struct {
	status int
	code   string
	title  string
	// detail replaces what the core says, where saying more would tell a
	// guesser something; "" leaves it.
	detail string
}

const (
	rejectedTitle  = "Code rejected"
	rejectedDetail = "This code is wrong, expired or used. Ask for a new one if it does not pass."
	limitTitle     = "Too many requests"
	limitDetail    = "Too many requests. Wait for the time in retry_after."
)

// kindOf is total: a test ranges over otp.Codes.
func kindOf(code otp.Code) (kind, bool) {
	k := kind{code: string(code)}
	switch code {
	case otp.InvalidRequest:
		k.status, k.title = 400, "Invalid request"
	case otp.InvalidPhone:
		k.status, k.title = 400, "Invalid phone number"
	case otp.CountryRefused:
		k.status, k.title = 403, "Country refused"
	case otp.NumberRefused:
		k.status, k.title = 400, "Number refused"
	case otp.UnknownApp:
		k.status, k.title = 404, "Unknown app"
	case otp.Unauthorized:
		k.status, k.title = 401, "Unauthorized"
	case otp.Forbidden:
		k.status, k.title = 403, "Forbidden"
	case otp.NotRegistered:
		k.status, k.title = 422, "Not registered"
	case otp.AlreadyRegistered:
		k.status, k.title = 409, "Already registered"
	case otp.UserDisabled:
		k.status, k.title = 403, "User disabled"
	case otp.CodeWrong, otp.CodeExpired, otp.CodeUsed, otp.CodeExhausted, otp.CodeUnknown:
		k = kind{422, CodeRejected, rejectedTitle, rejectedDetail}
	case otp.LimitPhone, otp.LimitAddress, otp.LimitBox:
		k.status, k.title, k.detail = 429, limitTitle, limitDetail
	case otp.CaptchaRequired:
		k.status, k.title = 400, "Captcha required"
	case otp.ChannelUnavailable:
		k.status, k.title = 503, "Channel unavailable"
	case otp.Busy:
		k.status, k.title = 503, "Busy"
	case otp.StorageLow:
		k.status, k.title = 503, "Storage low"
	case otp.ShuttingDown:
		k.status, k.title = 503, "Shutting down"
	case otp.Conflict:
		k.status, k.title = 409, "Conflict"
	case otp.Internal:
		k.status, k.title = 500, "Internal error"
	default:
		return kind{}, false
	}
	return k, true
}

// ProblemOf returns err as the native door and private doors answer it: all
// refusals of a code are one, all limits have one text, and a fault says
// nothing of itself.
func ProblemOf(err error) *Problem {
	var own *Problem
	if errors.As(err, &own) {
		p := *own
		if p.Title == "" {
			if k, ok := kindOf(otp.Code(p.Code)); ok {
				p.Title = k.title
			}
		}
		return &p
	}
	e := ErrorOf(err)
	k, _ := kindOf(e.Code)
	p := &Problem{Status: k.status, Code: k.code, Title: k.title, Detail: k.detail, RetryAfter: e.RetryAfter, Err: e.Err}
	if p.Detail == "" {
		p.Detail = e.Detail
	}
	return p
}

// ErrorOf returns err as a vendor's door answers it: always a code of the
// closed list. A call that was not answered in its time is [otp.Busy], one that
// the end of the server cut off is [otp.ShuttingDown]; neither is a fault of the
// box's code. A fault is [otp.Internal] and says nothing of itself but in Err.
func ErrorOf(err error) *otp.Error {
	var own *Problem
	if errors.As(err, &own) {
		e := &otp.Error{Code: otp.Code(own.Code), Detail: own.Detail, RetryAfter: own.RetryAfter, Err: own.Err}
		if own.Code == CodeRejected {
			e.Code = otp.CodeWrong
		}
		err = e
	}
	e := otp.AsError(err)
	_, known := kindOf(e.Code)
	switch {
	case known && e.Code != otp.Internal:
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return &otp.Error{Code: otp.Busy, Detail: "The box is too busy to answer in time. Try again.", Err: err}
	case errors.Is(err, context.Canceled):
		return &otp.Error{Code: otp.ShuttingDown, Detail: "The box is stopping. Try again in a moment.", Err: err}
	}
	// A detail that came with a fault may have been written for the log.
	fault := otp.AsError(errors.New(string(otp.Internal)))
	fault.Err = err
	return fault
}

// StatusOf returns the status that HTTP itself has for err, the refusal of a
// request that no handler could take: no such path (404), another method (405),
// a body too large (413) or encoded (415), and the like. It is 0 for all that
// has a code of its own.
func StatusOf(err error) int {
	var own *Problem
	if errors.As(err, &own) && own.Code == string(otp.InvalidRequest) && own.Status != fasthttp.StatusBadRequest {
		return own.Status
	}
	return 0
}

// Retry tells whether the problem comes with a time to wait, and returns it in
// whole seconds.
func (p *Problem) Retry() (seconds int, ok bool) { return retry(p.Status, p.RetryAfter) }

// retry returns a time to wait in whole seconds, rounded up and at least 1, if
// an answer of this status tells one.
func retry(status int, wait time.Duration) (seconds int, ok bool) {
	if status != fasthttp.StatusTooManyRequests && status != fasthttp.StatusServiceUnavailable {
		return 0, false
	}
	return max(1, Seconds(wait)), true
}

// problemWire is the body, in the order of the members.
type problemWire struct {
	Type       string `json:"type"`
	Title      string `json:"title"`
	Status     int    `json:"status"`
	Detail     string `json:"detail,omitempty"`
	Code       string `json:"code"`
	RequestID  string `json:"request_id"`
	RetryAfter int    `json:"retry_after,omitzero"`
}

// Refuse answers with a problem, in place of whatever the answer was so far.
func (c *Call) Refuse(p *Problem) {
	c.HTTP.Response.ResetBody()
	wire := problemWire{
		Type: "/docs/errors#" + p.Code, Title: p.Title, Status: p.Status,
		Detail: p.Detail, Code: p.Code, RequestID: c.RequestID,
	}
	if seconds, ok := p.Retry(); ok {
		wire.RetryAfter = seconds
		c.HTTP.Response.Header.Set("Retry-After", strconv.Itoa(seconds))
	}
	if p.Status == fasthttp.StatusUnauthorized {
		c.HTTP.Response.Header.Set("WWW-Authenticate", `Bearer realm="pinferry"`)
	}
	if err := c.write(p.Status, "application/problem+json", wire); err != nil {
		// Strings that are no UTF-8 cannot be encoded; the status still stands.
		c.HTTP.SetStatusCode(p.Status)
	}
}
