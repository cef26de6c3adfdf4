package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/pinferry/pinferry/otp"
)

// Words of the closed list of reasons for a route that is not ready.
const (
	downRights    = "unauthorized"
	downThrottled = "throttled"
)

// How long a route stands aside. After that the next message tries it again:
// somebody may have paid, or put another key in place.
const (
	restRights   = 10 * time.Minute
	restMost     = 5 * time.Minute // a provider may not ask for longer
	restPatience = 10 * time.Second
)

// rest is what an answer asks of the whole route; the zero value nothing.
type rest struct {
	state          otp.RouteState
	reason, detail string
	length         time.Duration
}

func refused(reason otp.Reason, retry otp.Retry, detail string) otp.Verdict {
	return otp.Verdict{Outcome: otp.Refused, Reason: reason, Retry: retry, Detail: detail}
}

// unanswered is the verdict when no answer came.
func unanswered(ctx context.Context, err error) (otp.Verdict, rest) {
	var f *Fault
	left := errors.As(err, &f) && f.Left
	detail := "no answer: " + shown(err.Error())
	switch {
	case errors.Is(err, errLong):
		return refused(otp.ReasonRoute, otp.RetryElsewhere, "what answered is not the provider: "+err.Error()), rest{}
	case left:
		return otp.Verdict{Outcome: otp.Unknown, Reason: otp.ReasonNoAnswer, Detail: detail}, rest{}
	case errors.Is(err, errPrivate), errors.Is(err, errScheme):
		return refused(otp.ReasonRoute, otp.RetryElsewhere, shown(err.Error())), rest{}
	case ctx.Err() != nil:
		return refused(otp.ReasonTooLate, otp.RetryElsewhere, detail), rest{}
	}
	return refused(otp.ReasonRouteGone, otp.RetryHere, detail), rest{}
}

// answered is the verdict on an answer of an HTTP provider. It fails closed.
// What is quiet must not be told, though the answer may repeat it.
func (f *form) answered(a *http.Response, now otp.Time, quiet ...string) (otp.Verdict, rest) {
	body, _ := io.ReadAll(a.Body) // it is in memory
	status := a.StatusCode
	if f.success.taken(status, body) {
		return otp.Verdict{Outcome: otp.Sent, Ref: otp.Reference(f.ref.scalar(body)), Detail: "HTTP " + strconv.Itoa(status)}, rest{}
	}
	detail := f.explain(a, body, quiet)
	switch kind := f.faults[f.code.scalar(body)]; {
	case kind == faultRecipient:
		return refused(otp.ReasonRecipient, otp.RetryNever, detail), rest{}
	case kind == faultNumber:
		return refused(otp.ReasonRecipient, otp.RetryElsewhere, detail), rest{}
	case kind == faultRights, status == 401, status == 402, status == 403:
		return refused(otp.ReasonRoute, otp.RetryElsewhere, detail), rest{
			otp.RouteDown, downRights, "The provider refuses this box: check the credentials, the rights and the credit. " + detail, restRights,
		}
	case kind == faultThrottled, status == 429, status == 503 && a.Header.Get("Retry-After") != "":
		return throttled(detail, retryAfter(a.Header.Get("Retry-After"), now))
	case status == 502, status == 504:
		// A gateway gave up on the provider, who may have the message.
		return otp.Verdict{Outcome: otp.Unknown, Reason: otp.ReasonNoAnswer, Detail: detail}, rest{}
	case status == 408, status >= 500:
		return refused(otp.ReasonTemporary, otp.RetryHere, detail), rest{}
	case status >= 400:
		return refused(otp.ReasonRoute, otp.RetryOnce, detail), rest{}
	}
	// A redirect, a portal's page, an answer of another shape.
	return refused(otp.ReasonRoute, otp.RetryElsewhere, "nothing proves that it was taken: "+detail), rest{}
}

// throttled obeys a wait that is short and goes elsewhere for one that is long.
func throttled(detail string, wait time.Duration) (otp.Verdict, rest) {
	pause := rest{otp.RouteComing, downThrottled, "The provider asks for a pause.", wait}
	if wait <= restPatience {
		return refused(otp.ReasonTemporary, otp.RetryHere, detail), pause
	}
	pause.state, pause.length = otp.RouteDown, min(wait, restMost)
	return refused(otp.ReasonTemporary, otp.RetryElsewhere, detail), pause
}

// retryAfter reads the header: seconds, or a moment. What cannot be read is no
// wait.
func retryAfter(header string, now otp.Time) time.Duration {
	if n, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(n, 0), 86400)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, otp.TimeOf(at).Sub(now))
	}
	return 0
}

// explain says what an answer is: its status, the provider's error code, and
// its words unless they repeat what nobody may read.
func (f *form) explain(a *http.Response, body []byte, quiet []string) string {
	detail := fmt.Sprintf("HTTP %d", a.StatusCode)
	if kind := mediaType(a.Header.Get("Content-Type")); kind != "" && !isJSON(kind) {
		detail += ", " + shown(masked(kind))
	}
	for _, told := range []struct {
		text string
		most int // a longer one loses its digits
	}{{f.code.scalar(body), maxCode}, {f.words.scalar(body), 0}} {
		repeats := func(q string) bool { return q != "" && strings.Contains(told.text, q) }
		if told.text == "" || slices.ContainsFunc(quiet, repeats) {
			continue
		}
		if len(told.text) > told.most {
			told.text = masked(told.text)
		}
		detail += ", " + shown(told.text)
	}
	return detail
}

// maxCode is the length of the longest number that is taken for an error code,
// and not for that of a phone.
const maxCode = 6

// masked hides digits: words about a number would tell it.
func masked(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return '#'
		}
		return r
	}, s)
}

// shown is foreign text as a log may have it: printable ASCII, 200 characters
// at most.
func shown(s string) string {
	const most = 200
	s = strconv.QuoteToASCII(s)
	s = s[1 : len(s)-1]
	if len(s) > most {
		s = s[:most-3] + "..."
	}
	return s
}
