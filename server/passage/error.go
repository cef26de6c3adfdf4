package passage

import (
	"cmp"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// The vendor's codes that this door answers with. It invents none: readers in
// typed languages know a closed list.
const (
	invalidRequest      = "invalid_request"
	invalidAccessToken  = "invalid_access_token"
	invalidRefreshToken = "invalid_refresh_token"
	exceededAttempts    = "exceeded_attempts"
	operationNotAllowed = "operation_not_allowed"
	userNotActive       = "user_not_active"
	appNotFound         = "app_not_found"
	userNotFound        = "user_not_found"
	internalServerError = "internal_server_error"
)

const (
	// existsText is compared letter by letter by an SDK.
	existsText    = "user: already exists."
	rejectedText  = "Either the otp or the otp_id is not valid. Check the digits, or ask for a new code."
	exhaustedText = "Too many wrong tries. Ask for a new code."
	limitText     = "Too many requests. Wait for the seconds that Retry-After tells."
	faultText     = "The box could not do this. Its log has the reason under the request id."
)

// failure is a refusal in the vendor's words.
type failure struct {
	status int
	code   string
	text   string // "" takes what the core says
}

// failureOf is total: a test ranges over otp.Codes. A private app tells nothing
// of what became of a code.
func failureOf(code otp.Code, private bool) (failure, bool) {
	switch code {
	case otp.InvalidRequest, otp.InvalidPhone, otp.NumberRefused, otp.CaptchaRequired, otp.Conflict:
		return failure{400, invalidRequest, ""}, true
	case otp.CountryRefused, otp.Forbidden:
		return failure{403, operationNotAllowed, ""}, true
	case otp.UnknownApp:
		return failure{404, appNotFound, ""}, true
	case otp.Unauthorized:
		return failure{401, invalidAccessToken, ""}, true
	case otp.NotRegistered:
		return failure{404, userNotFound, ""}, true
	case otp.AlreadyRegistered:
		return failure{400, invalidRequest, existsText}, true
	case otp.UserDisabled:
		return failure{403, userNotActive, ""}, true
	case otp.CodeExhausted:
		if !private {
			return failure{401, exceededAttempts, exhaustedText}, true
		}
		return failure{400, invalidRequest, rejectedText}, true
	case otp.CodeWrong, otp.CodeExpired, otp.CodeUsed, otp.CodeUnknown:
		return failure{400, invalidRequest, rejectedText}, true
	case otp.LimitPhone, otp.LimitAddress, otp.LimitBox:
		return failure{429, exceededAttempts, limitText}, true
	case otp.ChannelUnavailable, otp.Busy, otp.StorageLow, otp.ShuttingDown:
		return failure{503, internalServerError, ""}, true
	case otp.Internal:
		return failure{500, internalServerError, faultText}, true
	}
	return failure{}, false
}

// refuse answers an error of the core or of the server.
func refuse(c *web.Call, e *otp.Error, status int) {
	f, known := failureOf(e.Code, c.Caller.App != nil && c.Caller.App.Private)
	if !known {
		f, _ = failureOf(otp.Internal, false)
	}
	if f.text == "" {
		f.text = e.Detail
	}
	c.Fail(cmp.Or(status, f.status), e.RetryAfter, failureWire{f.code, f.text})
}

// unauthorizedAs answers with f where the core's refusal of a token is the
// reason, and leaves all other errors to the server.
func unauthorizedAs(c *web.Call, err error, f failure) error {
	if otp.AsError(err).Code != otp.Unauthorized {
		return err
	}
	c.Fail(f.status, 0, failureWire{f.code, f.text})
	return nil
}

// missing refuses a body without one of its members.
func missing(name string) error {
	return web.Invalid(`"` + name + `" is missing.`)
}
