package descope

import (
	"cmp"
	"errors"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// The vendor's codes that an answer of ours has. SDKs know most of them by name.
const (
	badRequest       = "E011001"
	missingArguments = "E011002"
	invalidRequest   = "E011003"
	invalidArguments = "E011004"
	wrongCode        = "E061102"
	tooManyTries     = "E061103"
	expiredCode      = "E061104"
	userExists       = "E062107"
	userNotFound     = "E062108"
	deadToken        = "E064001"
	rateLimit        = "E130429"
	// fault is our own: the vendor publishes no code for one.
	fault = "E130500"
)

// kind is what a code of the core is at this door.
type kind struct {
	status      int
	code        string
	description string
	// message replaces what the core says, where saying more would tell a
	// guesser something; "" leaves it.
	message string
}

const (
	invalidText  = "Request is invalid"
	rejectedText = "This code is wrong, expired or used. Ask for a new one if it does not pass."
	limitText    = "https://docs.descope.com/rate-limit" // what the vendor puts there
	limitMessage = "API rate limit exceeded."
)

// kindOf is total: a test ranges over otp.Codes. None is a 503, which SDKs
// repeat by themselves, and each repetition could be an SMS.
func kindOf(code otp.Code) (kind, bool) {
	switch code {
	case otp.InvalidRequest, otp.CaptchaRequired:
		return kind{400, invalidRequest, invalidText, ""}, true
	case otp.InvalidPhone, otp.CountryRefused, otp.NumberRefused:
		return kind{400, invalidArguments, "Request arguments are invalid", ""}, true
	case otp.UnknownApp:
		return kind{401, invalidRequest, "Unknown project", ""}, true
	case otp.Unauthorized:
		return kind{401, deadToken, "Token is not valid", ""}, true
	case otp.Forbidden:
		return kind{403, invalidRequest, "Operation is not allowed", ""}, true
	case otp.NotRegistered:
		return kind{400, userNotFound, "User not found", ""}, true
	case otp.AlreadyRegistered:
		return kind{400, userExists, "User already exists", ""}, true
	case otp.UserDisabled:
		return kind{403, invalidRequest, "User is disabled", ""}, true
	case otp.CodeWrong, otp.CodeUsed, otp.CodeUnknown:
		return kind{401, wrongCode, "Code is not valid", rejectedText}, true
	case otp.CodeExhausted:
		return kind{401, tooManyTries, "Too many wrong codes", rejectedText}, true
	case otp.CodeExpired:
		return kind{401, expiredCode, "Code is expired", rejectedText}, true
	case otp.LimitPhone, otp.LimitAddress, otp.LimitBox:
		return kind{429, rateLimit, limitText, limitMessage}, true
	case otp.ChannelUnavailable, otp.Busy, otp.StorageLow, otp.ShuttingDown:
		return kind{429, rateLimit, limitText, ""}, true
	case otp.Conflict:
		return kind{409, badRequest, "Bad request", ""}, true
	case otp.Internal:
		return kind{500, fault, "Internal error", "The box could not do this. Its log has the reason under the request id."}, true
	}
	return kind{}, false
}

// errorWire is the body of every refusal.
type errorWire struct {
	Code        string `json:"errorCode"`
	Description string `json:"errorDescription"`
	Message     string `json:"errorMessage"`
}

// refuse answers with an error, in place of whatever the answer was so far. In
// a private app every refusal of a check is one answer.
func refuse(c *web.Call, e *otp.Error, status int) {
	code := e.Code
	if app := c.Caller.App; app != nil && app.Private {
		switch code {
		case otp.CodeExpired, otp.CodeExhausted:
			code = otp.CodeWrong
		}
	}
	k, ok := kindOf(code)
	if !ok {
		k, _ = kindOf(otp.Internal)
	}
	if k.code == invalidRequest && errors.Is(e.Err, errMissing) {
		k.code, k.description = missingArguments, "Request is missing required arguments"
	}
	if k.message == "" {
		k.message = e.Detail
	}
	c.Fail(cmp.Or(status, k.status), e.RetryAfter, errorWire{k.code, k.description, k.message})
}
