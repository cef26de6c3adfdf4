package console

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// message is what the commands read of a message in the native API's answers.
type message struct {
	ID           string    `json:"id"`
	App          string    `json:"app"`
	State        string    `json:"state"`
	Reason       string    `json:"reason"`
	To           string    `json:"to"` // masked
	Channel      string    `json:"channel"`
	Priority     string    `json:"priority"`
	Route        string    `json:"route"`
	Tries        int       `json:"tries"`
	CreatedAt    time.Time `json:"created_at"`
	ExpiresAt    time.Time `json:"expires_at"`
	Verification string    `json:"verification"`
	Timeline     []step    `json:"timeline"`
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

// MessageList lists the messages of the box, the newest first.
func MessageList(in *Invocation) error {
	in.WithClient()
	f := in.filters(
		[2]string{"state", "only those in this `state`: accepted, sending, sent, delivered, undelivered, superseded, unknown, failed, expired"},
		[2]string{"phone", "only those to this `number`"},
		[2]string{"route", "only those by this `route`"},
	)
	if err := in.Parse(); err != nil {
		return err
	}
	all, err := in.list("/admin/messages", "messages", f.query, f.limit)
	if err != nil {
		return err
	}
	return showRows(in, all, []string{"ID", "STATE", "TO", "ROUTE", "CREATED", "REASON"}, func(m message) []string {
		return []string{m.ID, m.State, m.To, cmp.Or(m.Route, "-"), Moment(m.CreatedAt), m.Reason}
	})
}

// MessageShow shows what became of a message, step by step.
func MessageShow(in *Invocation) error {
	in.WithJSON()
	in.WithSocket()
	if err := in.Parse(); err != nil {
		return err
	}
	var answer json.RawMessage
	if err := in.Call("GET", "/admin/messages/"+url.PathEscape(in.Operands[0]), nil, &answer); err != nil {
		return err
	}
	var m message
	if err := json.Unmarshal(answer, &m); err != nil {
		return fmt.Errorf("read the daemon's answer: %w", err)
	}
	words := facts(
		fact{"message", m.ID}, fact{"state", strings.TrimSpace(m.State + " " + m.Reason)}, fact{"to", m.To}, fact{"app", m.App},
		fact{"channel", m.Channel}, fact{"priority", m.Priority}, fact{"route", m.Route}, fact{"tries", strconv.Itoa(m.Tries)},
		fact{"created", Moment(m.CreatedAt)}, fact{"deadline", Moment(m.ExpiresAt)}, fact{"code of", m.Verification},
	)
	return in.Show(answer, words+timeline(m.Timeline))
}
