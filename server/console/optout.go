package console

import (
	"math"
	"net/url"
	"strings"
	"time"
)

// OptOutList lists the numbers that have texted STOP, masked.
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
	for i := range all {
		if all[i], err = anonymous(all[i]); err != nil {
			return err
		}
	}
	type optOut struct {
		ID, Phone, Route string
		Since            time.Time
	}
	return showRows(in, all, []string{"PHONE", "SINCE", "BY", "ID"}, func(o optOut) []string {
		return []string{o.Phone, Moment(o.Since), o.Route, o.ID}
	})
}

// OptOutLift takes a number off that list.
func OptOutLift(in *Invocation) error {
	in.Notes = "\nNUMBER is in international form, or the id of a line of `pinferry opt-out ls`,\nopt_....\n"
	in.WithJSON()
	in.WithSocket()
	if err := in.Parse(); err != nil {
		return err
	}
	var answer struct {
		Lifted bool `json:"lifted"`
	}
	member := "phone"
	if strings.HasPrefix(in.Operands[0], "opt_") {
		member = "id"
	}
	if err := in.Call("POST", "/admin/opt-outs/lift", map[string]any{member: in.Operands[0]}, &answer); err != nil {
		return err
	}
	words := "lifted"
	if !answer.Lifted {
		words = "this number had not opted out"
	}
	return in.Show(answer, words)
}
