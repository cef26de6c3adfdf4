package otp

import (
	"errors"
	"slices"

	"github.com/pinferry/pinferry/otp/phone"
)

// identify finds out who the SMS is from. A sender in the form of its own
// country is read as one of the SIM's; where that is not known, of the one
// country that the apps are for, and then it may leave by STOP but proves
// nothing: the config is no witness.
func (r *reception) identify() {
	var n phone.Number
	var err error
	if r.in.Local {
		home := r.o.home(r.in.Route)
		if r.proves = home != ""; !r.proves {
			home = r.o.box.Apps.country()
		}
		if n, err = phone.ParseNational(r.in.From, home, r.in.National); err != nil {
			return
		}
		r.in.From, r.in.Local = n.Dial, false
	} else if n, err = phone.Parse("+" + r.in.From); err != nil {
		// A number of a class that gets no message may send one all the same.
		r.in.Local = !errors.Is(err, phone.ErrRefused)
		return
	} else {
		r.proves = true
	}
	r.from = Address{Kind: Phone, Key: n.Key, Dial: n.Dial, Country: n.Country, Calling: n.Calling}
}

// home returns the country of the SIM that a route receives with, "" if that is
// unknown.
func (o *Outbox) home(route string) string {
	i := slices.IndexFunc(o.lanes, func(l *lane) bool { return l.route.Name() == route })
	if i < 0 {
		return ""
	}
	return phone.Home(o.lanes[i].route.Status().IMSI)
}

// country returns the one country that all apps send to, "" if there are more.
func (a *Apps) country() (only string) {
	for _, app := range a.all {
		for _, c := range app.Countries {
			if c == "*" || only != "" && c != only {
				return ""
			}
			only = c
		}
	}
	return only
}
