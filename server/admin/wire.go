package admin

import (
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// What stands before the ids of an answer.
const (
	verificationPrefix = "vrf_"
	messagePrefix      = "msg_"
	userPrefix         = "usr_"
	inboundPrefix      = "inb_"
	limitPrefix        = "lim_"
	optOutPrefix       = "opt_"
)

// idOf writes an id with its prefix; the zero ID is "".
func idOf(prefix string, id otp.ID) string {
	if id.IsZero() {
		return ""
	}
	return prefix + id.String()
}

// noSuch is the 404 for an id that cannot be one.
func noSuch(what string) error {
	return web.Missing(&otp.Error{Code: otp.CodeUnknown, Detail: "There is no such " + what + "."})
}
