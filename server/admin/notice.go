package admin

import (
	"fmt"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// noticeWire is an event as the operator sees it.
type noticeWire struct {
	At     web.Time `json:"at"`
	Type   string   `json:"type"`
	Level  string   `json:"level"` // "info", "good", "warn" or "bad"
	Text   string   `json:"text"`
	App    string   `json:"app,omitempty"`
	ID     string   `json:"id,omitempty"`
	Route  string   `json:"route,omitempty"`
	To     string   `json:"to,omitempty"` // masked
	Reason string   `json:"reason,omitempty"`
	Times  int      `json:"times,omitzero"` // how often in a row, if more than once
}

// saying is how a type of notice is worded.
type saying struct{ level, text string }

// sayings has a line for each type but those of the audit trail. {to}, {route},
// {reason} and {text} stand for what the notice says.
var sayings = map[string]saying{
	"verification.started":   {"info", "A code was asked for {to}."},
	"verification.approved":  {"good", "{to} was verified."},
	"verification.canceled":  {"info", "The verification of {to} was canceled."},
	"verification.exhausted": {"warn", "The code for {to} died of wrong tries."},
	"verification.refused":   {"warn", "A code was refused: {reason}."},
	"message.sending":        {"info", "A message to {to} is being sent by {route}."},
	"message.sent":           {"info", "{route} handed over a message to {to}."},
	"message.delivered":      {"good", "The handset of {to} has its message."},
	"message.undelivered":    {"bad", "The network could not deliver a message to {to}."},
	"message.superseded":     {"info", "A message to {to} was taken back: {reason}."},
	"message.unknown":        {"warn", "Nobody knows whether the message to {to} was sent: {reason}."},
	"message.failed":         {"bad", "A message to {to} could not be sent: {reason}."},
	"message.expired":        {"bad", "A message to {to} was not sent in time: {reason}."},
	"inbound.received":       {"info", "{route} received an SMS."},
	"operator.refused":       {"warn", "Somebody at {text} tried to sign in and could not."},
	"route.ready":            {"good", "Route {route} is ready."},
	"route.coming":           {"warn", "Route {route} is coming up: {reason}."},
	"route.down":             {"bad", "Route {route} is down: {reason}."},
}

// doings word the actions of the audit trail. An action that is missing is shown
// as it is.
var doings = map[string]string{
	"operator.setup": "The first administrator's password was set.", "operator.login": "An operator signed in.",
	"operator.logout": "An operator signed out.", "operator.logout_all": "All operators were signed out.",
	"operator.password": "The administrator's password was changed.", "operator.reset": "The administrator's password was forgotten.",
	"operator.phone": "The second factor was set.", "operator.phone_removed": "The second factor was taken away.",
	"verification.start": "An operator asked for a code.", "verification.check": "An operator typed a code.",
	"verification.resend": "An operator asked for a code again.", "verification.cancel": "An operator canceled a verification.",
	"message.send": "An operator sent a message.", "user.block": "A user was blocked.", "user.unblock": "A user was let in again.",
	"user.remove": "A user was removed.", "user.sign_out": "The sessions of a user were ended.", "limit.lift": "A limit was lifted.",
	"opt_out.lift": "An opt-out was lifted.", "phone.reveal": "An operator looked at a whole number.", "backup.take": "A backup was taken.",
	"clock.accept": "Box time was set to the wall clock.", "modem.at": "A command was given to a modem.", "modem.ussd": "A USSD code was sent by a modem.",
	"modem.pin": "The PIN of a SIM was entered.", "modem.reset": "A modem was reset.", "events.replay": "Webhook events were sent again.",
}

func noticeOf(n *otp.Notice) noticeWire {
	w := noticeWire{
		At: web.Time(n.At), Type: n.Type, Level: "info", App: n.App, Route: n.Route, To: n.To, Reason: n.Reason,
	}
	said, ok := sayings[n.Type]
	switch noun, what, _ := strings.Cut(n.Type, "."); {
	case ok:
		w.Level = said.level
		w.Text = strings.NewReplacer("{to}", n.To, "{route}", n.Route, "{reason}", reasonWords(n.Reason), "{text}", n.Text).Replace(said.text)
	case noun == "admin":
		w.Text = doings[what]
		if w.Text == "" {
			w.Text = "An operator: " + what + "."
		}
		if n.Text != "" {
			w.Text = strings.TrimSuffix(w.Text, ".") + " (" + n.Text + ")."
		}
	default:
		w.Text = n.Type
	}
	switch noun, _, _ := strings.Cut(n.Type, "."); noun {
	case "verification":
		w.ID = idOf(verificationPrefix, n.ID)
	case "message":
		w.ID = idOf(messagePrefix, n.ID)
	case "inbound":
		w.ID = idOf(inboundPrefix, n.ID)
	}
	if n.Times > 1 {
		w.Times = n.Times
		w.Text = fmt.Sprintf("%s (%d times)", strings.TrimSuffix(w.Text, "."), n.Times)
	}
	return w
}

// reasons words the reasons of messages and routes, and the codes of refusals. The
// word itself stands for one that is missing.
var reasons = map[string]string{
	"recipient_refused": "the network does not reach this number", "sim_refused": "the SIM may not send", "encoding": "the modem did not take it",
	"route_refused": "the provider refused it", "storage_full": "the memory of the SIM is full", "network_temporary": "the network was busy",
	"modem_busy": "the modem was busy", "no_answer": "there was no answer", "route_gone": "the route went away", "no_route": "no route was ready",
	"restart": "the box was restarted", "resent": "a newer one replaced it", "approved": "its code had been verified", "canceled": "it was canceled",
	"too_late": "it was too late", "not_received": "the handset did not get it", "app_removed": "its app is not configured any more",
	"route_fault": "there is a defect in the route", "opted_out": "the number has opted out", "test_number": "it is a test number",
	"limit_phone": "too many for one number", "limit_address": "too many from one address, or too many that are still valid for one number", "limit_box": "too many at once for the box, a country or a block of numbers",
	"country_refused": "the country is not allowed", "number_refused": "the number gets no messages", "channel_unavailable": "no route could send",
	"busy": "too many were waiting", "storage_low": "the disk is nearly full",
	"absent": "the stick is not plugged in", "permission": "the port may not be opened", "storage_mode": "the stick is in storage mode",
	"starting": "it is being opened", "hung": "the modem hangs", "stopped": "it has stopped", "no_sim": "there is no SIM", "sim_pin": "the SIM wants its PIN",
	"sim_puk": "the SIM wants its PUK", "no_network": "there is no network", "credit": "the credit is probably used up", "failing": "one attempt after the other failed",
	"daily_cap": "its daily cap is reached", "unauthorized": "the provider refuses the credentials", "throttled": "the provider asks for a pause",
}

func reasonWords(reason string) string {
	if words, ok := reasons[reason]; ok {
		return words
	}
	return strings.ReplaceAll(reason, "_", " ")
}
