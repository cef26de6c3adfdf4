package console

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// message is what the commands read of a message in the native API's answers.
type message struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Reason string `json:"reason"`
	Route  string `json:"route"`
}

// moves tells whether the message has not been handed to a network, nor given
// up.
func (m message) moves() bool { return m.State == "accepted" || m.State == "sending" }

// Send sends a message and tells how far it came.
func Send(in *Invocation) error {
	in.WithClient()
	wait := in.Duration("wait", 30*time.Second, "how long to watch the message; 0 returns as soon as it is queued")
	priority := in.String("priority", "normal", "normal or high")
	if err := in.Parse(); err != nil {
		return err
	}
	var answer json.RawMessage
	err := in.Call("POST", "/v1/messages", map[string]any{
		"to": in.Operands[0], "text": in.Operands[1], "priority": *priority,
	}, &answer)
	if err != nil {
		return err
	}
	watch, cancel := context.WithTimeout(context.Background(), *wait)
	defer cancel()
	var m message
	for shown := ""; ; {
		m = message{}
		if err := json.Unmarshal(answer, &m); err != nil {
			return fmt.Errorf("read the daemon's answer: %w", err)
		}
		if words := strings.TrimSpace(m.State + " " + m.Reason); words != shown && !in.JSON {
			shown = words
			fmt.Fprintln(in.Stdout, strings.TrimSpace(m.ID+" "+words+" "+m.Route))
		}
		if m.moves() {
			select {
			case <-watch.Done():
			case <-time.After(200 * time.Millisecond):
				if err := in.Call("GET", "/v1/messages/"+m.ID, nil, &answer); err != nil {
					return err
				}
				continue
			}
		}
		break
	}
	if in.JSON {
		if err := in.Show(answer, ""); err != nil {
			return err
		}
	}
	switch {
	case m.State == "sent", m.State == "delivered", m.moves() && *wait == 0:
		return nil
	case m.moves():
		return Fail(NotReady, "the message is still waiting after %s; the box goes on trying", *wait)
	}
	return fmt.Errorf("the message was not sent: %s", strings.TrimSpace(m.State+" "+m.Reason))
}
