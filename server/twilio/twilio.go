// Package twilio is the door of Twilio Verify v2, for codes by SMS. Its callers
// are servers: each call carries a secret key of the app, which the address
// names as the service.
package twilio

import (
	"context"
	"encoding/base64"
	"net/netip"
	"net/url"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// Verifications is what the door asks of [otp.Verifications].
type Verifications interface {
	Start(context.Context, otp.Caller, otp.StartRequest) (otp.Progress, error)
	Get(context.Context, otp.Caller, otp.ID) (otp.Progress, error)
	GetSlot(context.Context, otp.Caller, otp.Slot) (otp.Progress, error)
	Check(ctx context.Context, c otp.Caller, id otp.ID, digits string) (otp.Progress, error)
	Cancel(context.Context, otp.Caller, otp.ID) error
}

// Name is what an app lists in doors to open this one, and the door of its
// slots.
const Name = "twilio"

// Door answers the calls.
type Door struct {
	verifications Verifications
	callers       web.Callers
}

// New returns the door.
func New(verifications Verifications, apps web.Apps) web.Door {
	d := &Door{verifications, web.NewCallers(apps, Name)}
	const services = "/v2/Services"
	const service = services + "/{app}"
	return web.Door{
		Name: Name, Below: []string{services},
		Routes: []web.Route{
			{Method: "POST", Pattern: service + "/Verifications", Handle: d.create},
			{Method: "GET", Pattern: service + "/Verifications/{id}", Handle: d.fetch},
			{Method: "POST", Pattern: service + "/Verifications/{id}", Handle: d.update},
			{Method: "POST", Pattern: service + checkPath, Handle: d.check},
		},
		Refuse: refuse,
	}
}

// caller lets in a secret key of the app, which is the password. The user is an
// account or an API key of the vendor's and means nothing here.
func (d *Door) caller(c *web.Call) (otp.Caller, error) {
	_, key, ok := basic(c)
	if rest, bare := strings.CutPrefix(key, "sk"); bare && !strings.HasPrefix(rest, "_") {
		key = "sk_" + rest // twilio-go sends no password with an underscore in it
	}
	if !ok || !web.IsSecret(key) {
		return otp.Caller{}, &otp.Error{Code: otp.Unauthorized}
	}
	return d.callers.ByID(c, c.App, key)
}

// request is caller for calls with a form, which it reads.
func (d *Door) request(c *web.Call) (otp.Caller, form, error) {
	caller, err := d.caller(c)
	if err != nil {
		return otp.Caller{}, form{}, err
	}
	f, err := readForm(c)
	return caller, f, err
}

// basic reads the user and the password of a call.
func basic(c *web.Call) (user, password string, ok bool) {
	scheme, value, _ := strings.Cut(c.Header("Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(raw), ":")
}

// withDevice takes the end user's address that the caller names.
func withDevice(caller otp.Caller, f form) (otp.Caller, error) {
	device := f.value("DeviceIp")
	if device == "" {
		return caller, nil
	}
	address, err := netip.ParseAddr(device)
	if err != nil || address.Zone() != "" {
		return caller, invalid("DeviceIp", "one IPv4 or IPv6 address")
	}
	caller.Address = address.Unmap()
	return caller, nil
}

// find reads the verification that a caller means by its sid or by its phone,
// as both stand in a path. What cannot be either is as unknown as none.
func (d *Door) find(c *web.Call, caller otp.Caller, word string) (otp.Progress, error) {
	if id, ok := parseSID(word); ok {
		return d.verifications.Get(c.Context, caller, id)
	}
	return d.verifications.GetSlot(c.Context, caller, otp.Slot{Door: Name, Login: word})
}

// findLive is find for calls to which a verification that has ended is gone.
func (d *Door) findLive(c *web.Call, caller otp.Caller) (otp.Progress, error) {
	// A path, not a query: a plus sign in it is a plus sign.
	word, err := url.PathUnescape(c.Param)
	if err != nil {
		return otp.Progress{}, errGone
	}
	p, err := d.find(c, caller, word)
	if err == nil && p.Verification.Status != otp.Pending {
		err = errGone
	}
	return p, err
}

var errGone = &otp.Error{Code: otp.CodeUnknown}
