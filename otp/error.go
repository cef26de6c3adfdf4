package otp

import (
	"errors"
	"time"
)

// Code names a refusal or a fault. The list is closed: every door has a total
// map from it to its own errors.
type Code string

// The codes.
const (
	InvalidRequest     Code = "invalid_request"
	InvalidPhone       Code = "invalid_phone"
	CountryRefused     Code = "country_refused"
	NumberRefused      Code = "number_refused"
	UnknownApp         Code = "unknown_app"
	Unauthorized       Code = "unauthorized"
	Forbidden          Code = "forbidden"
	NotRegistered      Code = "not_registered"
	AlreadyRegistered  Code = "already_registered"
	UserDisabled       Code = "user_disabled"
	CodeWrong          Code = "code_wrong"
	CodeExpired        Code = "code_expired"
	CodeUsed           Code = "code_used"
	CodeExhausted      Code = "code_exhausted"
	CodeUnknown        Code = "code_unknown"
	LimitPhone         Code = "limit_phone"
	LimitAddress       Code = "limit_address"
	LimitBox           Code = "limit_box"
	CaptchaRequired    Code = "captcha_required"
	ChannelUnavailable Code = "channel_unavailable"
	Busy               Code = "busy"
	StorageLow         Code = "storage_low"
	ShuttingDown       Code = "shutting_down"
	Conflict           Code = "conflict"
	Internal           Code = "internal"
)

// Codes returns the closed list, so that a door's test can range over it.
func Codes() []Code {
	return []Code{
		InvalidRequest, InvalidPhone, CountryRefused, NumberRefused, UnknownApp, Unauthorized, Forbidden,
		NotRegistered, AlreadyRegistered, UserDisabled, CodeWrong, CodeExpired, CodeUsed, CodeExhausted,
		CodeUnknown, LimitPhone, LimitAddress, LimitBox, CaptchaRequired, ChannelUnavailable, Busy,
		StorageLow, ShuttingDown, Conflict, Internal,
	}
}

// Error is the one error that crosses rooms.
type Error struct {
	Code Code
	// Detail is a sentence for the caller: what is wrong and what to do. It
	// holds no code, no full number and no text of an internal error.
	Detail string
	// RetryAfter is how long the caller should wait, 0 if waiting does not help.
	RetryAfter time.Duration
	// Err is the cause. It is for the log, never for the caller.
	Err error
	// closings are what the refusal has shut, to be told once it is durable.
	closings []closing
}

// Errorf would invite format verbs near numbers and codes, so there is none.
func refuse(code Code, detail string) *Error { return &Error{Code: code, Detail: detail} }

func refuseFor(code Code, wait time.Duration, detail string) *Error {
	return &Error{Code: code, Detail: detail, RetryAfter: wait}
}

// Error returns the code, the detail and the cause, for a log.
func (e *Error) Error() string {
	s := string(e.Code)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// AsError returns err as an [Error]. What is not one is a fault: its code is
// [Internal] and its text stays in Err.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Detail: "The box could not do this. Its log has the reason under the request id.", Err: err}
}
