package otp

import (
	"cmp"
	"slices"
)

// The channels that messages go by. A route says which of them it carries; one
// that no route carries is refused, and never replaced by another.
const (
	ChannelSMS      = "sms"
	ChannelWhatsApp = "whatsapp"
	ChannelEmail    = "email"
)

// checkChannel refuses a channel that no route of the box carries; "" is sms,
// or that of the verification.
func (o *Outbox) checkChannel(channel string) *Error {
	switch {
	case channel == "" || channel == ChannelSMS:
		return nil // whether it can be sent now is for the admission to say
	case channel == ChannelEmail:
		return refuse(InvalidRequest, "This box sends no codes to email addresses. Leave channel out, or set it to sms.")
	case !o.configured(channel):
		return refuse(InvalidRequest, "That channel is not configured on this box. Leave channel out, or set it to sms.")
	}
	return nil
}

// configured tells whether any route carries the channel.
func (o *Outbox) configured(channel string) bool {
	return slices.ContainsFunc(o.lanes, func(l *lane) bool { return carries(l.route.Status(), channel) })
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
