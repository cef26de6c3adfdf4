package console

import (
	"encoding/json"
	"fmt"
	"time"
)

// ClockStatus shows box time, the wall clock and what else tells the time.
func ClockStatus(in *Invocation) error { return clock(in, "GET") }

// ClockAccept steps box time to the wall clock.
func ClockAccept(in *Invocation) error { return clock(in, "POST") }

// clock makes the call of either and shows the times.
func clock(in *Invocation, method string) error {
	in.WithJSON()
	in.WithSocket()
	if err := in.Parse(); err != nil {
		return err
	}
	var answer json.RawMessage
	if err := in.Call(method, "/admin/clock", nil, &answer); err != nil {
		return err
	}
	var c struct {
		Now, Wall, Build time.Time
		Synchronised     bool
		Network          *struct {
			Route string
			Time  time.Time
		}
	}
	if err := json.Unmarshal(answer, &c); err != nil {
		return fmt.Errorf("read the daemon's answer: %w", err)
	}
	words := fmt.Sprintf("box time    %s\nwall clock  %s\nbuild date  %s", Moment(c.Now), Moment(c.Wall), Moment(c.Build))
	if c.Network != nil {
		words += fmt.Sprintf("\nnetwork     %s, by %s", Moment(c.Network.Time), c.Network.Route)
	}
	if !c.Synchronised {
		words += "\nThe wall clock is not synchronised. If it is right all the same, `pinferry clock accept` steps box time to it."
	}
	return in.Show(answer, words)
}

// Moment writes a time for people; a build may not know its own.
func Moment(t time.Time) string {
	if t.Unix() <= 0 {
		return "unknown"
	}
	return t.Format(time.RFC3339)
}
