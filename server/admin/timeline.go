package admin

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// stepWire is one thing that happened to a verification or a message.
type stepWire struct {
	At      web.Time   `json:"at"`
	What    string     `json:"what"`
	Text    string     `json:"text"`
	Route   string     `json:"route,omitempty"`
	Reason  otp.Reason `json:"reason,omitempty"`
	Message string     `json:"message,omitempty"`
}

// messageSteps is the life of a message, the oldest step first.
func messageSteps(m *otp.Message) []stepWire {
	first := stepWire{At: web.Time(m.Created), What: "accepted", Text: "Accepted and queued.", Message: idOf(messagePrefix, m.ID)}
	if m.Resend {
		first.What, first.Text = "resent", "Asked for once more and queued."
	}
	steps, tries := []stepWire{first}, 0
	for _, s := range m.Steps {
		w := stepWire{At: web.Time(s.At), What: string(s.State), Route: s.Route, Reason: s.Reason, Message: first.Message}
		if s.State == otp.MessageSending {
			tries++
		}
		w.Text = stepText(s, tries)
		steps = append(steps, w)
	}
	if m.Reason == otp.ReasonTestNumber {
		steps = append(steps, stepWire{At: web.Time(m.Updated), What: string(m.State), Reason: m.Reason, Text: "Nothing is sent to a test number.", Message: first.Message})
	}
	return steps
}

// stepText words a step of a message.
func stepText(s otp.Step, tries int) string {
	because := ""
	if s.Reason != otp.ReasonNone {
		because = ": " + reasonWords(string(s.Reason))
	}
	switch s.State {
	case otp.MessageAccepted:
		return "Back in the queue" + because + "."
	case otp.MessageSending:
		return fmt.Sprintf("%s begins to send it, attempt %d.", s.Route, tries)
	case otp.MessageSent:
		return s.Route + " handed it over to the network."
	case otp.MessageDelivered:
		return "The handset has it."
	case otp.MessageUndelivered:
		return "The network gave up" + because + "."
	case otp.MessageSuperseded:
		return "Taken back" + because + "."
	case otp.MessageUnknown:
		return "Nobody knows whether it was sent" + because + "."
	case otp.MessageFailed:
		return "Not sent" + because + "."
	case otp.MessageExpired:
		return "Not sent in time" + because + "."
	}
	return string(s.State) + because + "."
}

// endings word how a verification ended.
var endings = map[otp.Status]string{
	otp.Approved: "The right code was typed.", otp.Canceled: "Canceled.", otp.Exhausted: "Too many wrong tries: the code is dead.",
	otp.Expired: "The code expired.",
}

// historySteps is the life of a verification with its messages, the oldest step
// first.
func historySteps(h *otp.History) []stepWire {
	v := &h.Verification
	steps := []stepWire{{At: web.Time(v.Created), What: "created", Text: "A code was asked for."}}
	for i := range h.Messages {
		steps = append(steps, messageSteps(&h.Messages[i])...)
	}
	for i, at := range v.Wrong {
		steps = append(steps, stepWire{At: web.Time(at), What: "wrong_code", Text: fmt.Sprintf("A wrong code was typed, try %d of %d.", i+1, v.MaxTries)})
	}
	ended := v.Ended
	if v.Status == otp.Expired {
		ended = v.Expires
	}
	if text := endings[v.Status]; text != "" {
		steps = append(steps, stepWire{At: web.Time(ended), What: string(v.Status), Text: text})
	}
	slices.SortStableFunc(steps, func(a, b stepWire) int { return cmp.Compare(a.At, b.At) })
	return steps
}
