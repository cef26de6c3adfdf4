package twilio

import (
	"bytes"
	"strconv"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// errorWire is an error in an answer. It has none of the members of RFC 9457:
// the vendor's client takes a body that has for one of another service.
type errorWire struct {
	Code     int    `json:"code"`
	Message  string `json:"message"`
	MoreInfo string `json:"more_info"`
	Status   int    `json:"status"`
}

// failure is a refusal in the vendor's words.
type failure struct {
	status, code int
	message      string
}

// codeInvalid is the vendor's code for a parameter that will not do.
const codeInvalid = 60200

// failureOf is total: a test ranges over otp.Codes.
func failureOf(c *web.Call, e *otp.Error) failure {
	switch told(c, e.Code) {
	case otp.InvalidRequest, otp.CaptchaRequired:
		return failure{400, codeInvalid, e.Detail}
	case otp.InvalidPhone:
		return failure{400, codeInvalid, "Invalid parameter `To`: a phone number in E.164 form, such as +41791234567"}
	case otp.CountryRefused:
		return failure{403, 60410, "Verification delivery attempt blocked: this service does not send to that country"}
	case otp.NumberRefused:
		return failure{403, 60205, "SMS is not supported by numbers of this kind"}
	case otp.UnknownApp, otp.NotRegistered, otp.Conflict,
		otp.CodeWrong, otp.CodeExpired, otp.CodeUsed, otp.CodeUnknown:
		return failure{404, 20404, "The requested resource " + resource(c) + " was not found"}
	case otp.CodeExhausted:
		return failure{429, 60202, "Max check attempts reached"}
	case otp.Unauthorized:
		return failure{401, 20003, "Authenticate"}
	case otp.Forbidden, otp.UserDisabled:
		return failure{403, 20003, "Permission denied"}
	case otp.AlreadyRegistered:
		return failure{409, 20409, "Conflict"}
	case otp.LimitPhone:
		return failure{429, 60203, "Max send attempts reached"}
	case otp.LimitAddress:
		return failure{429, 60207, "Max rate limit reached for this service"}
	case otp.LimitBox:
		return failure{429, 20429, "Too many requests"}
	case otp.ChannelUnavailable, otp.Busy, otp.StorageLow, otp.ShuttingDown:
		return failure{503, 20503, "Service unavailable"}
	}
	return failure{500, 20500, "Internal server error"}
}

// told is the code that a caller is told in place of the core's. To a check
// every limit is one of tries. A private app tells the refusals of a check
// apart from limits, and nothing else.
func told(c *web.Call, code otp.Code) otp.Code {
	private := c.Caller.App != nil && c.Caller.App.Private
	switch code {
	case otp.CodeExhausted:
		if private {
			return otp.CodeUnknown
		}
	case otp.LimitPhone, otp.LimitAddress:
		if private {
			return otp.LimitBox
		}
		if checking(c) {
			return otp.CodeExhausted
		}
	}
	return code
}

// refuse answers an error of the core or of the server.
func refuse(c *web.Call, e *otp.Error, status int) {
	f := failureOf(c, e)
	switch status {
	case 0:
	case fasthttp.StatusNotFound:
		f = failure{status, 20404, "The requested resource was not found"}
	case fasthttp.StatusMethodNotAllowed:
		f = failure{status, 20004, "Method not allowed"}
	default:
		f.status = status
	}
	c.Fail(f.status, e.RetryAfter, errorWire{Code: f.code, Message: f.message, MoreInfo: "https://www.twilio.com/docs/errors/" + strconv.Itoa(f.code), Status: f.status})
	h := &c.HTTP.Response.Header
	if f.status == fasthttp.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm="pinferry"`)
	}
	if e.Code == otp.CodeExhausted && e.RetryAfter == 0 {
		h.Del("Retry-After") // no time brings that verification back
	}
}

const checkPath = "/VerificationCheck"

// checking tells a check from the other calls.
func checking(c *web.Call) bool { return bytes.HasSuffix(c.HTTP.Path(), []byte(checkPath)) }

// resource names what was not found as the vendor does, by its path. Nothing
// that a caller typed is repeated, unless it names something here or could.
func resource(c *web.Call) string {
	switch {
	case c.Caller.App == nil:
		return "/Services"
	case checking(c):
		return servicePath(c) + checkPath
	}
	path := servicePath(c) + "/Verifications"
	if _, ok := parseSID(c.Param); ok {
		path += "/" + c.Param
	}
	return path
}

func servicePath(c *web.Call) string { return "/Services/" + c.App }
