package otp

import (
	"net/netip"
	"time"
)

// Caller is who asks: the app, by which kind of key, and from where.
type Caller struct {
	App *App
	// Secret is true for an sk_ key and for the admin socket.
	Secret bool
	// Address is the end user's address, IPv4 unmapped. The zero Addr means that
	// there is none to be had, and per-address rules do not apply.
	Address netip.Addr
	// Door is the wire format that the call came through; "" is the native one
	// and the admin socket. A verification or session of one door is unknown at
	// every other.
	Door string
	// As is the id or alias by which the call named the app; "" is the app's id.
	As string
	// By is who is behind a call that the audit trail keeps; the zero Actor is
	// the app itself, whose doings it does not keep.
	By Actor
}

// actor is who a change of a user is noted for: there, the app's own server
// counts too.
func (c Caller) actor() Actor {
	if c.By.Who == "" && c.Secret {
		return Actor{Who: "app " + c.App.ID}
	}
	return c.By
}

// StartRequest asks for a verification.
type StartRequest struct {
	// To is the phone as typed, or with Email the email address. "" takes the
	// phone that Slot.Login is, or, where the door has login names, that of the
	// user whom it names; with [PurposeStepUp], the address of the user who asks.
	To string
	// Email is set by doors that have a place for email addresses in what they
	// answer; an app that has [App.Email] can be started for one there.
	Email    bool
	Channel  string // "" is that of the address: sms, or email
	Purpose  Purpose
	Locale   string // BCP 47; "" is English
	Metadata []byte // a JSON object, or nil
	Slot     Slot   // only for doors without a handle
	// IdempotencyKey makes a repeat of the same Body within ten minutes answer
	// with the first verification; "" is none.
	IdempotencyKey string
	Body           []byte

	// Reveal is set by doors whose vendor tells at once whether a number is
	// registered: after every limit was charged, the start is refused with
	// [NotRegistered], [AlreadyRegistered] or [UserDisabled]. A private app tells
	// only who has proven the number.
	Reveal bool
	// Again makes a start on an occupied slot a resend of the occupant.
	Again bool
	// Family is the session that asks, for [PurposeChangePhone],
	// [PurposeStepUp] and whatever else needs one: its seal was checked by
	// server/token, its life is checked here.
	Family ID
	Wish   Wish
	// Captcha is the solution of a captcha as the page has sent it, "" for none.
	Captcha string
}

// Progress is a verification with its newest message.
type Progress struct {
	Verification Verification
	Message      Message
	// ETA is the expected time until the message is handed to the network, 0
	// when it has been.
	ETA time.Duration
	// ResendAfter is how long a page should wait before it offers a resend.
	ResendAfter time.Duration
	// Of [ChannelInbound]: what to text, in the answer of a start alone, and
	// where to, "" if the config names no number of the box; and whether the
	// SMS has come and a check with TextThis hands out what it gives.
	TextThis, TextTo string
	Texted           bool
	// Grant is what an approval gave; nil unless this call approved it, and for
	// purpose verify.
	Grant *Grant
}
