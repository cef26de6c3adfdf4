package web

import (
	"math"
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
