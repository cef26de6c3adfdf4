package otp

import "time"

// Time is a moment of box time in milliseconds since 1970-01-01 UTC. As a
// deadline, 0 means never.
type Time int64

// Add returns t moved by d.
func (t Time) Add(d time.Duration) Time { return t + Time(d/time.Millisecond) }

// Sub returns the duration from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t-u) * time.Millisecond }

// Std returns t as a time of the standard library, in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)).UTC() }

// TimeOf returns the box time of a time of the standard library.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// seconds returns t in whole seconds, rounded up: an event counts from no
// earlier than it happened, so a quota row never lets one through too soon.
func (t Time) seconds() uint32 { return uint32((t + 999) / 1000) }

// secondsTime is the moment that a quota row names.
func secondsTime(s uint32) Time { return Time(s) * 1000 }
