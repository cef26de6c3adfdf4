package modem

import (
	"context"
	"errors"

	"github.com/pinferry/pinferry/otp"
)

// refused returns a verdict of something certainly not sent.
func refused(reason otp.Reason, retry otp.Retry, detail string) otp.Verdict {
	return otp.Verdict{Outcome: otp.Refused, Reason: reason, Retry: retry, Detail: detail}
}

// unknown returns a verdict of something that may have been sent.
func unknown(reason otp.Reason, detail string) otp.Verdict {
	return otp.Verdict{Outcome: otp.Unknown, Reason: reason, Detail: detail}
}

// overdue returns the verdict of a message whose ctx ended before its turn.
func overdue(ctx context.Context) otp.Verdict {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return refused(otp.ReasonTooLate, otp.RetryNever, "its time was over before its turn")
	}
	return refused(otp.ReasonRouteGone, otp.RetryElsewhere, "the box stops")
}

// unencodable returns the verdict of a message that has no PDU.
func unencodable(err error) otp.Verdict {
	reason := otp.ReasonEncoding
	if errors.Is(err, errNumber) {
		reason = otp.ReasonRecipient
	}
	return refused(reason, otp.RetryNever, err.Error())
}
