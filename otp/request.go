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
}

// StartRequest asks for a verification.
type StartRequest struct {
	To       string // as typed
	Channel  string // "" is sms
	Purpose  Purpose
	Locale   string // BCP 47; "" is English
	Metadata []byte // a JSON object, or nil
	Slot     string // only for doors without a handle
	// IdempotencyKey makes a repeat of the same Body within ten minutes answer
	// with the first verification; "" is none.
	IdempotencyKey string
	Body           []byte
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
}
