package strike

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// failure is a refusal in the vendor's words. A handler returns one where the
// call itself, and not only the core's code, decides what is said.
type failure struct {
	status int
	code   string // GoTrue's error_code
	text   string
	detail string // Strike's details
	wait   time.Duration
}

// Error returns the status and the text.
func (f *failure) Error() string { return strconv.Itoa(f.status) + ": " + f.text }

// occasion is what a call was at when it was refused.
type occasion uint8

const (
	badBody    occasion = iota // the body cannot be read
	noToken                    // a call in a user's name without a token
	badToken                   // or with one that is not good
	badRefresh                 // the refresh token is not good
	manyChecks                 // too many tries of codes
)

// answer lets handle answer with the headers of the dialect, and its failures
// in the dialect's form. What else it returns is left to the server, which
// logs faults.
func (d *Door) answer(handle web.Handler) web.Handler {
	return func(c *web.Call) error {
		err := handle(c)
		d.head(c)
		var f *failure
		if errors.As(err, &f) {
			d.write(c, f)
			return nil
		}
		return err
	}
}

// refuse answers an error of the core or of the server.
func (d *Door) refuse(c *web.Call, e *otp.Error, status int) {
	f := d.failure(c, e)
	f.status = cmp.Or(status, f.status)
	d.write(c, f)
}

func (d *Door) write(c *web.Call, f *failure) {
	d.head(c)
	c.Fail(f.status, f.wait, d.body(c, f))
}

// The texts that more than one refusal has.
const (
	rejectedText = "Token has expired or is invalid"
	faultDetail  = "The box could not do this. Its log has the reason."
)

func (*strikeDialect) failure(_ *web.Call, e *otp.Error) *failure {
	f := &failure{detail: e.Detail, wait: e.RetryAfter}
	switch e.Code {
	case otp.InvalidRequest:
		f.status, f.text = 400, "Invalid request"
	case otp.InvalidPhone:
		f.status, f.text = 400, "Invalid phone number format"
		f.detail = "Phone number must be in E.164 format (e.g., +1234567890)"
	case otp.NumberRefused:
		f.status, f.text = 400, "Phone number not supported"
	case otp.CountryRefused:
		f.status, f.text = 403, "Country not supported"
	case otp.UnknownApp, otp.Unauthorized:
		f.status, f.text = 401, "Unauthorized"
	case otp.Forbidden:
		f.status, f.text = 403, "Forbidden"
	case otp.NotRegistered:
		f.status, f.text = 404, "User not found"
		f.detail = "No user has this phone number. Set create_user to true to register one."
	case otp.AlreadyRegistered:
		f.status, f.text = 400, "User already registered"
	case otp.UserDisabled:
		f.status, f.text = 403, "User is disabled"
	case otp.CodeWrong, otp.CodeExpired, otp.CodeUsed, otp.CodeExhausted, otp.CodeUnknown:
		f.status, f.text, f.detail = 403, rejectedText, ""
	case otp.LimitPhone, otp.LimitAddress, otp.LimitBox:
		f.status, f.text = 429, "Rate limit exceeded"
		f.detail = "Wait for the seconds in Retry-After, then try again."
	case otp.CaptchaRequired:
		f.status, f.text = 400, "Captcha verification failed"
	case otp.ChannelUnavailable, otp.Busy, otp.StorageLow, otp.ShuttingDown:
		f.status, f.text = 503, "Service unavailable"
	case otp.Conflict:
		f.status, f.text = 400, "Conflict"
	default: // otp.Internal
		f.status, f.text, f.detail = 500, "Internal server error", faultDetail
	}
	return f
}

func (d *strikeDialect) on(o occasion, e *otp.Error) *failure {
	switch o {
	case noToken:
		return &failure{status: 401, text: "Unauthorized", detail: "This call needs an access token: send Authorization: Bearer."}
	case badToken:
		return &failure{status: 401, text: "Unauthorized", detail: "The access token is not valid, or its session has ended."}
	case badRefresh:
		return &failure{status: 401, text: "Invalid refresh token", detail: "The refresh token is not valid, was used before, or its session has ended."}
	}
	return d.failure(nil, e)
}

// strikeError is an error as Strike writes it.
type strikeError struct {
	Code    int    `json:"code"` // the status
	Msg     string `json:"msg"`
	Details string `json:"details,omitempty"`
}

func (*strikeDialect) body(_ *web.Call, f *failure) any {
	return strikeError{Code: f.status, Msg: f.text, Details: f.detail}
}

func (d gotrueDialect) failure(c *web.Call, e *otp.Error) *failure {
	f := &failure{text: e.Detail, wait: e.RetryAfter}
	switch e.Code {
	case otp.InvalidRequest:
		f.status, f.code = 400, "validation_failed"
	case otp.InvalidPhone:
		f.status, f.code, f.text = 400, "validation_failed", "Invalid phone number format (E.164 required)"
	case otp.NumberRefused, otp.CountryRefused:
		f.status, f.code = 422, "sms_send_failed"
	case otp.UnknownApp, otp.Unauthorized:
		f.status, f.code = 401, "no_authorization"
	case otp.Forbidden:
		f.status, f.code = 403, "not_admin"
	case otp.NotRegistered:
		f.status, f.code, f.text = 422, "otp_disabled", "Signups not allowed for otp"
	case otp.AlreadyRegistered:
		f.status, f.code, f.text = 422, "phone_exists", "A user with this phone number has already been registered"
	case otp.UserDisabled:
		f.status, f.code, f.text = 403, "user_banned", "User is banned"
	case otp.CodeWrong, otp.CodeExpired, otp.CodeUsed, otp.CodeExhausted, otp.CodeUnknown:
		f.status, f.code, f.text = 403, "otp_expired", rejectedText
	case otp.LimitPhone:
		if c.Caller.App != nil && c.Caller.App.Private {
			return d.on(manyChecks, e) // a private app has one text for all limits
		}
		f.status, f.code = 429, "over_sms_send_rate_limit"
		f.text = fmt.Sprintf("For security purposes, you can only request this after %d seconds.", max(1, web.Seconds(f.wait)))
	case otp.LimitAddress, otp.LimitBox:
		return d.on(manyChecks, e)
	case otp.CaptchaRequired:
		f.status, f.code = 400, "captcha_failed"
	case otp.ChannelUnavailable:
		f.status, f.code = 503, "sms_send_failed"
	case otp.Busy, otp.StorageLow, otp.ShuttingDown:
		f.status, f.code = 503, "unexpected_failure"
	case otp.Conflict:
		f.status, f.code = 409, "conflict"
	default: // otp.Internal
		f.status, f.code, f.text = 500, "unexpected_failure", faultDetail
	}
	return f
}

func (gotrueDialect) on(o occasion, e *otp.Error) *failure {
	switch o {
	case badBody:
		return &failure{status: 400, code: "bad_json", text: e.Detail}
	case noToken:
		return &failure{status: 401, code: "no_authorization", text: "This endpoint requires a valid Bearer token"}
	case badToken:
		return &failure{status: 403, code: "bad_jwt", text: "The access token is not valid, or its session has ended"}
	case badRefresh:
		if errors.Is(e, otp.ErrReused) {
			return &failure{status: 400, code: "refresh_token_already_used", text: "Invalid Refresh Token: Already Used"}
		}
		return &failure{status: 400, code: "refresh_token_not_found", text: "Invalid Refresh Token: Refresh Token Not Found"}
	default: // manyChecks
		return &failure{status: 429, code: "over_request_rate_limit", text: "Request rate limit reached", wait: e.RetryAfter}
	}
}

// gotrueError is an error as GoTrue writes it for clients that name no version.
type gotrueError struct {
	Code      int    `json:"code"` // the status
	ErrorCode string `json:"error_code"`
	Msg       string `json:"msg"`
}

// gotrueError2024 is the form since codesVersion.
type gotrueError2024 struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (gotrueDialect) body(c *web.Call, f *failure) any {
	c.HTTP.Response.Header.Set(errorHeader, f.code)
	if spellsCodes(c) {
		return gotrueError2024{Code: f.code, Message: f.text}
	}
	return gotrueError{Code: f.status, ErrorCode: f.code, Msg: f.text}
}
