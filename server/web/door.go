package web

import "github.com/pinferry/pinferry/otp"

// Route is a line of the table of paths. In a pattern {app} stands for one
// segment that names an app, {id} for one that names anything else; either
// stands at most once.
type Route struct {
	Method, Pattern string
	Handle          Handler
}

// Door is one wire format: what the server needs to know of a vendor's folder.
type Door struct {
	Name   string // as apps list it in doors
	Routes []Route
	// Refuse answers an error in the vendor's own form, with its status and
	// headers; nil is a problem as the native door gives it. It is total over
	// [otp.Codes], and is called for faults of the server too.
	Refuse func(*Call, *otp.Error)
	// Headers are request headers that a page may send across origins beside
	// Authorization and Content-Type; one that ends in * covers all that begin
	// so.
	Headers []string
	// Expose are headers of an answer that such a page may read beside
	// Retry-After and X-Request-Id.
	Expose []string
}
