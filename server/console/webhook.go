package console

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/pinferry/pinferry/server/admin"
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
		Reason        string
	}
	return showRows(in, answer.Dead, []string{"ID", "APP", "TYPE", "SINCE", "TRIES", "WHY"}, func(e event) []string {
		return []string{e.ID, e.App, e.Type, Moment(e.At), strconv.Itoa(e.Tries), e.Reason}
	})
}

// WebhookReplay has one of these events, or all of them, delivered anew.
func WebhookReplay(in *Invocation) error {
	in.Notes = "\nEVENT is the id of a line of `pinferry webhook ls`, evt_....\n"
	in.WithJSON()
	in.WithSocket()
	var body admin.ReplayBody
	in.BoolVar(&body.All, "all", false, "deliver all of them")
	in.StringVar(&body.App, "app", "", "with --all: only those of this `app`")
	if err := in.Parse(); err != nil {
		return err
	}
	if len(in.Operands) > 0 {
		body.ID = in.Operands[0]
	}
	if body.All == (body.ID != "") || body.App != "" && !body.All {
		return Fail(Usage, "webhook replay: name one event, evt_..., or say --all, to which --app may be added")
	}
	var answer struct {
		Replayed int `json:"replayed"`
	}
	if err := in.Call("POST", "/admin/events/replay", body, &answer); err != nil {
		return err
	}
	words := "1 event is delivered anew"
	if answer.Replayed != 1 {
		words = fmt.Sprintf("%d events are delivered anew", answer.Replayed)
	}
	return in.Show(answer, words)
}
