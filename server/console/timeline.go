package console

import (
	"fmt"
	"strings"
	"time"
)

// step is one thing that happened to a message or a verification.
type step struct {
	At                        time.Time
	What, Route, Reason, Text string
}

// timeline is what happened, a line each.
func timeline(steps []step) string {
	var b strings.Builder
	for _, s := range steps {
		words := s.Text
		if words == "" {
			words = strings.TrimSpace(strings.Join([]string{s.What, s.Route, s.Reason}, " "))
		}
		fmt.Fprintf(&b, "\n%s  %s", Moment(s.At), plain(words))
	}
	if b.Len() > 0 {
		return "\n" + b.String()
	}
	return ""
}
