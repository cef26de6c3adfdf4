package strike

import (
	"strconv"
	"strings"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// dialect is where the doors differ.
type dialect interface {
	// creates tells what create_user is where it is left out.
	creates() bool
	// reveals tells whether a start says at once that its number is not
	// registered, or that its user is disabled.
	reveals(create bool) bool
	// spell turns a phone as clients write it into what the core reads.
	spell(phone string) string
	// sent is the answer to a send.
	sent(*otp.Progress) sentWire
	// resent is the answer to a resend, nil being the progress where no code
	// waits.
	resent(*otp.Progress) (any, error)
	// head sets the headers that every answer has.
	head(*web.Call)
	// failure is the total map of the core's refusals.
	failure(c *web.Call, e *otp.Error) *failure
	// on is a refusal that its call tells apart from others of the same code; e
	// is the core's, or nil.
	on(o occasion, e *otp.Error) *failure
	// body is how a failure is written.
	body(*web.Call, *failure) any
}

// The headers of Strike's rate limits.
const (
	limitHeader     = "X-RateLimit-Limit"
	remainingHeader = "X-RateLimit-Remaining"
	resetHeader     = "X-RateLimit-Reset"
)

type strikeDialect struct{ verifications Verifications }

func (*strikeDialect) creates() bool             { return false }
func (*strikeDialect) reveals(create bool) bool  { return !create }
func (*strikeDialect) spell(phone string) string { return phone }

func (*strikeDialect) sent(p *otp.Progress) sentWire {
	return sentWire{MessageID: messagePrefix + p.Message.ID.String(), Phone: masked(p.Verification.Address)}
}

func (d *strikeDialect) resent(p *otp.Progress) (any, error) {
	if p == nil {
		return nil, web.Invalid("No code waits for this number. Ask for a new one with POST /otp.")
	}
	return d.sent(p), nil
}

// head tells what the tightest limit leaves the caller. A caller that is not
// known, and a box that cannot tell, leave nothing.
func (d *strikeDialect) head(c *web.Call) {
	h := &c.HTTP.Response.Header
	if len(h.Peek(limitHeader)) > 0 {
		return // told when the call's context still lived
	}
	var a otp.Allowance
	if c.Caller.App != nil {
		var body struct {
			Phone string `json:"phone"`
		}
		if c.Loose(&body) != nil {
			body.Phone = ""
		}
		// A fault shows in the answer of the call itself, if it matters to it.
		a, _ = d.verifications.Allowance(c.Context, c.Caller, body.Phone)
	}
	h.Set(limitHeader, strconv.Itoa(a.Limit))
	h.Set(remainingHeader, strconv.Itoa(a.Remaining))
	h.Set(resetHeader, strconv.Itoa(web.Seconds(a.Reset)))
}

// masked shows a phone as Strike does: calling code, stars, last four digits.
func masked(a otp.Address) string {
	const last = 4
	calling := strconv.Itoa(int(a.Calling))
	if len(a.Dial) < len(calling)+last {
		return "***"
	}
	return "+" + calling + "***-***-" + a.Dial[len(a.Dial)-last:]
}

// The headers of GoTrue's error forms.
const (
	versionHeader = "X-Supabase-Api-Version"
	errorHeader   = "X-Sb-Error-Code"
)

// codesVersion is the first version whose errors carry their code as a word in
// "code". It is the newest that there is.
const codesVersion = "2024-01-01"

type gotrueDialect struct{}

func (gotrueDialect) creates() bool     { return true }
func (gotrueDialect) reveals(bool) bool { return true }

// spell gives a phone its plus sign: Supabase stores and shows phones without.
func (gotrueDialect) spell(phone string) string {
	phone = strings.TrimLeft(phone, " ")
	if phone != "" && phone[0] >= '1' && phone[0] <= '9' {
		return "+" + phone
	}
	return phone
}

func (gotrueDialect) sent(p *otp.Progress) sentWire {
	return sentWire{MessageID: messagePrefix + p.Message.ID.String()}
}

// resent never tells whether a code waits: anybody may ask it of any number.
func (gotrueDialect) resent(*otp.Progress) (any, error) { return struct{}{}, nil }

func (gotrueDialect) head(c *web.Call) {
	if spellsCodes(c) {
		c.HTTP.Response.Header.Set(versionHeader, codesVersion)
	}
}

// spellsCodes tells whether the client asks for a version with codes as words.
func spellsCodes(c *web.Call) bool {
	version := c.Header(versionHeader)
	_, err := time.Parse(time.DateOnly, version)
	return err == nil && version >= codesVersion
}
