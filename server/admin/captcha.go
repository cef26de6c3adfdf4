package admin

import (
	"fmt"
	"strings"
)

// Captcha is how the captcha of an app stands that asks for some.
type Captcha struct {
	App string
	// Trouble is why its service cannot judge solutions; "" if it can.
	Trouble string
	// Uncovered are the doors of the app that the captcha does not guard.
	Uncovered []string
}

// checks tells what an operator should know of the captcha.
func (c *Captcha) checks() (all []Check) {
	if c.Trouble != "" {
		all = append(all, Check{"captcha", Amber, fmt.Sprintf("The captchas of app %q cannot be judged, so its pages get no codes: %s.", c.App, c.Trouble),
			`Look after the network and the keys of the service, or set captcha_kind = "altcha", which needs neither.`})
	}
	if len(c.Uncovered) > 0 {
		all = append(all, Check{"captcha", Amber, fmt.Sprintf("App %q asks for captchas, and has doors that cannot carry one: %s.", c.App, strings.Join(c.Uncovered, ", ")),
			"Take them out of doors, or let only your own servers reach them (backends)."})
	}
	return all
}
