package console

import (
	"math"
	"net/url"
	"time"
)

// OptOutList lists the numbers that have texted STOP: masked, but for --json,
// for a number is what its entry is lifted by.
func OptOutList(in *Invocation) error {
	in.WithJSON()
	in.WithSocket()
	if err := in.Parse(); err != nil {
		return err
	}
	all, err := in.list("/admin/opt-outs", "opt_outs", url.Values{}, math.MaxInt)
	if err != nil {
		return err
	}
	type optOut struct {
		Phone, Route string
		Since        time.Time
	}
	return showRows(in, all, []string{"PHONE", "SINCE", "BY"}, func(o optOut) []string {
		return []string{masked(o.Phone), Moment(o.Since), o.Route}
	})
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
