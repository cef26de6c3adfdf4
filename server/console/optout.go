package console

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"
)

// OptOutList lists the numbers that have texted STOP, masked.
func OptOutList(in *Invocation) error {
	in.WithJSON()
	in.WithSocket()
	if err := in.Parse(); err != nil {
		return err
	}
	all := []json.RawMessage{}
	for cursor, more := "", true; more; {
		var page struct {
			OptOuts []json.RawMessage `json:"opt_outs"`
			Next    string            `json:"next_cursor"`
		}
		if err := in.Call("GET", "/admin/opt-outs?"+url.Values{"cursor": {cursor}}.Encode(), nil, &page); err != nil {
			return err
		}
		all = append(all, page.OptOuts...)
		cursor, more = page.Next, page.Next != ""
	}
	if in.JSON {
		return in.Show(all, "")
	}
	for _, one := range all {
		var o struct {
			Phone, Route string
			Since        time.Time
		}
		if err := json.Unmarshal(one, &o); err != nil {
			return fmt.Errorf("read the daemon's answer: %w", err)
		}
		if err := in.Show(nil, fmt.Sprintf("%-16s  since %s  by %s", masked(o.Phone), Moment(o.Since), o.Route)); err != nil {
			return err
		}
	}
	return nil
}

// OptOutLift takes a number off that list.
func OptOutLift(in *Invocation) error {
	in.WithJSON()
	in.WithSocket()
	if err := in.Parse(); err != nil {
		return err
	}
	var answer struct {
		Lifted bool `json:"lifted"`
	}
	if err := in.Call("POST", "/admin/opt-outs/lift", map[string]any{"phone": in.Operands[0]}, &answer); err != nil {
		return err
	}
	words := "lifted"
	if !answer.Lifted {
		words = "this number had not opted out"
	}
	return in.Show(answer, words)
}
