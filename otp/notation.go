package otp

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time as people write it: "30s", "5m", "168h". None is
// negative.
type Duration time.Duration

// UnmarshalText reads it.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf(`%q is no duration: write "30s", "5m" or "24h"`, text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes it, without seconds and minutes that are zero.
func (d Duration) MarshalText() ([]byte, error) {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return []byte(s), nil
}

// UnmarshalText reads a rule, "3/5m": at most three in any five minutes.
func (r *Rule) UnmarshalText(text []byte) error {
	count, window, _ := strings.Cut(string(text), "/")
	n, err := strconv.Atoi(count)
	var d Duration
	if err != nil || n < 1 || d.UnmarshalText([]byte(window)) != nil || d < Duration(time.Second) {
		return fmt.Errorf(`%q is no limit: write "3/5m" for three in five minutes`, text)
	}
	*r = Rule{Count: n, Window: time.Duration(d)}
	return nil
}

// MarshalText writes the rule.
func (r Rule) MarshalText() ([]byte, error) {
	window, err := Duration(r.Window).MarshalText()
	return fmt.Appendf(nil, "%d/%s", r.Count, window), err
}

// UnmarshalText reads a conversion, "20/1h/10%": shut for an hour if of twenty or
// more in an hour fewer than a tenth verified.
func (c *Conversion) UnmarshalText(text []byte) error {
	at := max(bytes.LastIndexByte(text, '/'), 0)
	sends, share := text[:at], strings.TrimPrefix(string(text[at:]), "/")
	var r Rule
	percent, err := strconv.Atoi(strings.TrimSuffix(share, "%"))
	if err != nil || !strings.HasSuffix(share, "%") || percent < 1 || percent > 100 || r.UnmarshalText(sends) != nil {
		return fmt.Errorf(`%q is no limit: write "20/1h/10%%" for an hour's pause if of 20 or more in an hour fewer than 10 %% verified`, text)
	}
	*c = Conversion{Sends: r.Count, Window: r.Window, Percent: percent}
	return nil
}

// MarshalText writes the conversion.
func (c Conversion) MarshalText() ([]byte, error) {
	sends, err := Rule{Count: c.Sends, Window: c.Window}.MarshalText()
	return fmt.Appendf(sends, "/%d%%", c.Percent), err
}
