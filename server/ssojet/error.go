package ssojet

import (
	"cmp"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// failure is a refusal as this door words it. The vendor publishes statuses
// alone; the body is that of the family of services that it belongs to, and its
// number is the status.
type failure struct {
	status      int
	message     string
	description string // "" takes what the core says
}

const (
	rejectedText = "The otp or the state is wrong, expired or used. Ask for a new code if it does not pass."
	limitText    = "Wait for the seconds that Retry-After tells."
	faultText    = "The box could not do this. Its log has the reason under the request id."
)

// failureOf is total: a test ranges over otp.Codes. The vendor has one answer
// for every code that does not pass, so a private app needs no other.
func failureOf(code otp.Code) (failure, bool) {
	switch code {
	case otp.InvalidRequest, otp.CaptchaRequired, otp.Conflict:
		return failure{400, "Invalid request", ""}, true
	case otp.InvalidPhone, otp.NumberRefused, otp.CountryRefused:
		return failure{400, "Invalid phone", ""}, true
	case otp.UnknownApp:
		return failure{400, "Invalid client_id", ""}, true
	case otp.Unauthorized:
		return failure{401, "Unauthorized", ""}, true
	case otp.Forbidden:
		return failure{403, "Forbidden", ""}, true
	case otp.UserDisabled:
		return failure{403, "User is not active", ""}, true
	case otp.NotRegistered:
		return failure{400, "User not found", ""}, true
	case otp.AlreadyRegistered:
		return failure{400, "User already exists", ""}, true
	case otp.CodeWrong, otp.CodeExpired, otp.CodeUsed, otp.CodeExhausted, otp.CodeUnknown:
		return failure{400, "Invalid OTP", rejectedText}, true
	case otp.LimitPhone, otp.LimitAddress, otp.LimitBox:
		return failure{429, "Too many requests", limitText}, true
	case otp.ChannelUnavailable, otp.Busy, otp.StorageLow, otp.ShuttingDown:
		return failure{503, "Service unavailable", ""}, true
	case otp.Internal:
		return failure{500, "Internal server error", faultText}, true
	}
	return failure{}, false
}

// refuse answers an error of the core or of the server.
func refuse(c *web.Call, e *otp.Error, status int) {
	f, known := failureOf(e.Code)
	if !known {
		f, _ = failureOf(otp.Internal)
	}
	if f.description == "" {
		f.description = e.Detail
	}
	f.status = cmp.Or(status, f.status)
	c.Fail(f.status, e.RetryAfter, failureWire{f.status, f.message, f.description})
}
