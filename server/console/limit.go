package console

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// limit is what the commands read of a rule that bears on a number, an address
// or a larger part of the world.
type limit struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Subject string    `json:"subject"` // masked
	Rule    string    `json:"rule"`
	Name    string    `json:"name"`
	Text    string    `json:"text"`
	Blocked bool      `json:"blocked"`
	Until   time.Time `json:"until"`
}

func (l limit) state() string {
	if l.Blocked {
		return "blocked"
	}
	return "open"
}

// end is when the rule lets the next one through.
func (l limit) end() string {
	switch {
	case !l.Blocked:
		return "-"
	case l.Until.IsZero():
		return "until lifted"
	}
	return Moment(l.Until)
}

// LimitList lists what the limits hold up now.
func LimitList(in *Invocation) error {
	in.WithJSON()
	in.WithSocket()
	f := in.filters()
	if err := in.Parse(); err != nil {
		return err
	}
	all, err := in.list("/admin/limits", "limits", f.query, f.limit)
	if err != nil {
		return err
	}
	return showRows(in, all, []string{"ID", "KIND", "SUBJECT", "RULE", "UNTIL", "WHY"}, func(l limit) []string {
		return []string{l.ID, l.Kind, l.Subject, l.Rule, l.end(), l.Text}
	})
}

const limitNotes = "\nSUBJECT is a phone number in international form, or an IP address.\n"

// subject reads what a limit is about: an IP address or a number. A number may
// be typed with blanks.
func subject(typed string) (member, value string) {
	if a, err := netip.ParseAddr(strings.TrimSpace(typed)); err == nil {
		return "address", a.String()
	}
	return "phone", typed
}

// LimitShow tells why a number or an address is refused, or that it is not.
func LimitShow(in *Invocation) error {
	in.Notes = limitNotes
	in.WithJSON()
	in.WithSocket()
	if err := in.Parse(); err != nil {
		return err
	}
	member, value := subject(in.Operands[0])
	var answer json.RawMessage
	path := "/admin/limits?" + url.Values{member: {value}, "limit": {strconv.Itoa(pageRows)}}.Encode()
	if err := in.Call("GET", path, nil, &answer); err != nil {
		return err
	}
	var why struct {
		Limits    []limit  `json:"limits"`
		OptedOut  bool     `json:"opted_out"`
		RefusedBy []string `json:"refused_by"`
	}
	if err := json.Unmarshal(answer, &why); err != nil {
		return fmt.Errorf("read the daemon's answer: %w", err)
	}
	if in.JSON {
		return in.Show(answer, "")
	}
	// What is in the way stands first: it is what was asked for.
	slices.SortStableFunc(why.Limits, func(a, b limit) int { return cmp.Compare(a.state(), b.state()) })
	held := len(why.Limits) > 0 && why.Limits[0].Blocked
	if why.OptedOut {
		stop := limit{Rule: "STOP", Blocked: true, Text: "Its holder has texted STOP: `pinferry opt-out lift` if that is a mistake."}
		why.Limits = append([]limit{stop}, why.Limits...)
	}
	var cells [][]string
	for _, l := range why.Limits {
		cells = append(cells, []string{l.state(), l.Rule, l.end(), l.Text})
	}
	if err := in.rows([]string{"STATE", "RULE", "UNTIL", "WHY"}, cells); err != nil {
		return err
	}
	var words []string
	for _, app := range why.RefusedBy {
		words = append(words, "App "+app+" sends nothing there: see `countries` in its section of the config file, or `email` for an email address.")
	}
	switch {
	case held:
		words = append(words, "Wait, or let it through: pinferry limits lift "+strconv.Quote(value))
	case !why.OptedOut:
		words = append(words, "No limit refuses it.")
		if member == "phone" {
			words = append(words, "If nothing came all the same: pinferry messages ls --phone "+strconv.Quote(value)+", and pinferry doctor")
		}
	}
	if len(words) == 0 {
		return nil
	}
	return in.Show(nil, strings.Join(words, "\n"))
}

// LimitLift lets a number, an address or the subject of a listed limit through
// again.
func LimitLift(in *Invocation) error {
	in.Notes = strings.TrimSuffix(limitNotes, ".\n") + ", or the id of a line of\n`pinferry limits ls`, lim_....\n"
	in.WithJSON()
	in.WithSocket()
	if err := in.Parse(); err != nil {
		return err
	}
	member, value := subject(in.Operands[0])
	if strings.HasPrefix(in.Operands[0], "lim_") {
		member, value = "id", in.Operands[0]
	}
	var answer struct {
		Lifted int `json:"lifted"`
	}
	if err := in.Call("POST", "/admin/limits/lift", map[string]any{member: value}, &answer); err != nil {
		return err
	}
	words := "nothing was held up"
	if answer.Lifted > 0 {
		words = "lifted " + strconv.Itoa(answer.Lifted)
	}
	return in.Show(answer, words)
}
