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
	// Prepare sets what every answer of the door has, refusals too; nil is
	// nothing.
	Prepare func(*Call)
	// Below are beginnings of paths that are this door's alone, such as
	// "/v1/auth": what lies below one and is not in Routes is refused in the
	// vendor's form too.
	Below []string
	// Refuse answers an error in the vendor's own form, with its headers; nil is
	// a problem as the native door gives it. It is total over [otp.Codes], and is
	// called for faults of the server too. status is HTTP's own for a request
	// that no handler could take ([StatusOf]), and 0 where the vendor's map of
	// codes decides.
	Refuse func(c *Call, e *otp.Error, status int)
	// Headers are request headers that a page may send across origins beside
	// Authorization and Content-Type; one that ends in * covers all that begin
	// so.
	Headers []string
	// Expose are headers of an answer that such a page may read beside
	// Retry-After and X-Request-Id.
	Expose []string
}
