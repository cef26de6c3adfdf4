package otp

import (
	"cmp"
	"slices"
	"strings"
)

// The channels that messages go by. A route says which of them it carries; one
// that no route carries is refused, and never replaced by another.
const (
	ChannelSMS      = "sms"
	ChannelWhatsApp = "whatsapp"
	ChannelEmail    = "email"
)

// implied returns the channel that the start means: that of where it goes, if it
// names none.
func (r *StartRequest) implied() string {
	if r.Channel == "" && r.Email && isEmail(r.To) {
		return ChannelEmail
	}
	return r.Channel
}

// isEmail tells whether what was typed is meant as an email address: no phone
// number has an at sign.
func isEmail(to string) bool { return strings.Contains(to, "@") }

// checkChannel refuses a channel that is not the app's, or that no route of the
// box carries; "" is that of the address.
func (o *Outbox) checkChannel(app *App, channel string) *Error {
	switch {
	case channel == "" || channel == ChannelSMS:
		return nil // whether it can be sent now is for the admission to say
	case channel == ChannelEmail && !app.Email:
		return noEmail()
	case channel == ChannelEmail && !o.configured(channel):
		return refuse(ChannelUnavailable, "No relay of this box carries email. Configure a [[relay]] of kind smtp, or give a phone number.")
	case !o.configured(channel):
		return refuse(InvalidRequest, "That channel is not configured on this box. Leave channel out, or set it to sms.")
	}
	return nil
}

// suits refuses a channel that does not lead to addresses of that kind; "" is
// the usual one of the address.
func suits(channel string, kind AddressKind) *Error {
	switch {
	case channel == "" || kind == loginName || (channel == ChannelEmail) == (kind == Email):
		return nil
	case kind == Email:
		return refuse(InvalidRequest, "The channel "+channelLabel(channel)+" goes to phones, and this is an email address. Leave channel out, or give a phone number such as +41791234567.")
	}
	return refuse(InvalidRequest, "The channel email goes to email addresses, and this is a phone number. Leave channel out, or give an address such as ann@example.com.")
}

// usual returns the channel that leads to an address if nothing else is said.
func (a Address) usual() string {
	if a.Kind == Email {
		return ChannelEmail
	}
	return ChannelSMS
}

func noEmail() *Error {
	return refuse(InvalidRequest, "This app sends nothing to email addresses, for its configuration does not say email = true. Give a phone number, such as +41791234567, and leave channel out.")
}

// configured tells whether any route carries the channel.
func (o *Outbox) configured(channel string) bool {
	return slices.ContainsFunc(o.lanes, func(l *lane) bool { return l.route.Status().Carries(channel) })
}

// channelLabel is a channel as it may label a metric: callers must not be able
// to make up labels.
func channelLabel(channel string) string {
	switch channel = cmp.Or(channel, ChannelSMS); channel {
	case ChannelSMS, ChannelWhatsApp, ChannelEmail, "inbound":
		return channel
	}
	return "other"
}
