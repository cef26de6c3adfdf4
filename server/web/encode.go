package web

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
)

// Time is box time as it stands in an answer: RFC 3339 in UTC with
// milliseconds, "2026-11-22T09:30:00.000Z". The zero time is null.
type Time otp.Time

const timeLayout = "2006-01-02T15:04:05.000Z"

// MarshalJSONTo writes the time.
func (t Time) MarshalJSONTo(e *jsontext.Encoder) error {
	if t == 0 {
		return e.WriteToken(jsontext.Null)
	}
	buffer := e.AvailableBuffer()
	buffer = append(buffer, '"')
	buffer = otp.Time(t).Std().AppendFormat(buffer, timeLayout)
	return e.WriteValue(append(buffer, '"'))
}

// Seconds returns d in whole seconds, rounded up, never below zero.
func Seconds(d time.Duration) int {
	return max(0, int(math.Ceil(d.Seconds())))
}

// JSON answers with v. What the box says of a verification is good for this
// one moment and one reader, so nothing may keep it.
func (c *Call) JSON(status int, v any) error {
	return c.write(status, "application/json", v)
}

// Public answers 200 with what everybody may know, such as a key set, and any
// cache may keep for a while. vary names the request headers by which the answer
// was chosen: a cache that did not look at them would hand one app's keys to the
// servers of another.
func (c *Call) Public(v any, vary ...string) error {
	if err := c.JSON(200, v); err != nil {
		return err
	}
	h := &c.HTTP.Response.Header
	h.Set("Cache-Control", "public, max-age=300")
	if len(vary) > 0 {
		h.Set("Vary", strings.Join(vary, ", "))
	}
	return nil
}

// Fail answers a refusal in a vendor's words, with v as its body, in place of
// whatever the answer was so far. With 429 and 503 it says how long to wait.
func (c *Call) Fail(status int, wait time.Duration, v any) {
	c.HTTP.Response.ResetBody()
	if seconds, ok := retry(status, wait); ok {
		c.HTTP.Response.Header.Set("Retry-After", strconv.Itoa(seconds))
	}
	if err := c.JSON(status, v); err != nil {
		c.HTTP.SetStatusCode(status) // what is no UTF-8 cannot be told, but the status stands
	}
}

// Empty answers 204.
func (c *Call) Empty() error {
	c.HTTP.SetStatusCode(204)
	return nil
}

func (c *Call) write(status int, contentType string, v any) error {
	if err := json.MarshalWrite(c.HTTP.Response.BodyWriter(), v); err != nil {
		c.HTTP.Response.ResetBody() // half an answer must not leave
		return err
	}
	c.HTTP.SetStatusCode(status)
	c.HTTP.SetContentType(contentType)
	c.HTTP.Response.Header.Set("Cache-Control", "no-store")
	return nil
}
