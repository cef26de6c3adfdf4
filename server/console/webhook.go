package console

import (
	"encoding/json"
	"strconv"
	"time"
)

// WebhookList lists the events that the servers of apps did not take.
func WebhookList(in *Invocation) error {
	in.WithJSON()
	in.WithSocket()
	if err := in.Parse(); err != nil {
		return err
	}
	var answer struct {
		Dead []json.RawMessage `json:"dead"`
	}
	if err := in.Call("GET", "/admin/events", nil, &answer); err != nil {
		return err
	}
	type event struct {
		ID, App, Type string
		At            time.Time
		Tries         int
	}
	return showRows(in, answer.Dead, []string{"ID", "APP", "TYPE", "SINCE", "TRIES"}, func(e event) []string {
		return []string{e.ID, e.App, e.Type, Moment(e.At), strconv.Itoa(e.Tries)}
	})
}
