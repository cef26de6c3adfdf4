package console

import (
	"fmt"
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
		Dead []struct {
			ID    string    `json:"id"`
			App   string    `json:"app"`
			Type  string    `json:"type"`
			At    time.Time `json:"at"`
			Tries int       `json:"tries"`
		} `json:"dead"`
	}
	if err := in.Call("GET", "/admin/events", nil, &answer); err != nil {
		return err
	}
	if in.JSON {
		return in.Show(answer.Dead, "")
	}
	for _, e := range answer.Dead {
		if err := in.Show(nil, fmt.Sprintf("%s  %s  %s  %s  after %d tries", e.ID, e.App, e.Type, Moment(e.At), e.Tries)); err != nil {
			return err
		}
	}
	return nil
}
