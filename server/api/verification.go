package api

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/phone"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// The prefixes of ids.
const (
	verificationPrefix = "vrf_"
	messagePrefix      = "msg_"
	userPrefix         = "usr_"
)

// maxIdempotencyKey bounds the header of that name, in bytes.
const maxIdempotencyKey = 64

// purposes are what a native verification can be for. A phone is not changed
// here: the app's own server knows better who may.
var purposes = []otp.Purpose{otp.PurposeVerify, otp.PurposeSignIn, otp.PurposeSignUp, otp.PurposeSignUpOrIn, otp.PurposeStepUp}

// StartBody is the body of POST /v1/verifications.
type StartBody struct {
	To string `json:"to"`
	// Region is the country, "CH", in which To is read if it is written as
	// people there write it; without one it has to be international.
	Region   string         `json:"region"`
	Channel  string         `json:"channel"`
	Purpose  string         `json:"purpose"`
	Locale   string         `json:"locale"`
	Metadata jsontext.Value `json:"metadata"`
	ClientIP string         `json:"client_ip"`
	// AccessToken is the user's own; it goes with purpose step_up only.
	AccessToken string `json:"access_token"`
	// Captcha is the solution of a captcha. It is passed over where the app does
	// not ask for one.
	Captcha string `json:"captcha"`
}

// CheckBody is the body of POST /v1/verifications/{id}/check.
type CheckBody struct {
	Code     string `json:"code"`
	ClientIP string `json:"client_ip"`
}

// ResendBody is the body of POST /v1/verifications/{id}/resend, if it has one.
type ResendBody struct {
	Channel  string `json:"channel"`
	ClientIP string `json:"client_ip"`
}

// Start answers POST /v1/verifications.
func (d *Door) Start(c *web.Call) error {
	if err := d.admit(c); err != nil {
		return err
	}
	var body StartBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	caller, err := withUser(c.Caller, body.ClientIP)
	if err != nil {
		return err
	}
	request, err := body.request()
	if err != nil {
		return err
	}
	if key := c.Header("Idempotency-Key"); key != "" {
		if len(key) > maxIdempotencyKey || !printable(key) {
			return web.Invalid("Idempotency-Key is 1 to 64 printable ASCII characters.")
		}
		request.IdempotencyKey, request.Body = key, c.Body()
	}
	if request.Purpose == otp.PurposeStepUp {
		// Without the session of whom it is for no message leaves.
		grant, err := d.mint.Bearer(c.Context, c.Caller, body.AccessToken)
		if err != nil {
			return err
		}
		request.Family = grant.Session.ID
	}
	p, err := d.verifications.Start(c.Context, caller, request)
	if err != nil {
		if e := otp.AsError(err); e.Code == otp.Conflict {
			// The one conflict of a start: a key that came with another body.
			return &web.Problem{Status: fasthttp.StatusUnprocessableEntity, Code: string(e.Code), Detail: e.Detail, Err: err}
		}
		return err
	}
	return c.JSON(fasthttp.StatusCreated, wireOf(caller, &p))
}

// request checks what the core takes as it is.
func (b *StartBody) request() (otp.StartRequest, error) {
	r := otp.StartRequest{To: b.To, Email: true, Channel: b.Channel, Purpose: otp.Purpose(b.Purpose), Locale: b.Locale, Captcha: b.Captcha}
	if r.Purpose == "" {
		r.Purpose = otp.PurposeVerify
	}
	stepUp := r.Purpose == otp.PurposeStepUp
	switch {
	case !slices.Contains(purposes, r.Purpose):
		return r, web.Invalid(`"purpose" must be verify, sign_in, sign_up, sign_up_or_in or step_up.`)
	case r.To == "" && !stepUp: // which goes to the user's own address
		return r, web.Invalid(`"to" is missing: the phone number in international form, such as +41791234567, or an email address.`)
	case b.AccessToken != "" && !stepUp:
		return r, web.Invalid(`"access_token" goes with the purpose step_up only.`)
	case b.Region != "" && !phone.Country(b.Region):
		return r, web.Invalid(`"region" must be a two-letter country code in capitals, such as "CH".`)
	case b.Region != "":
		r.To = phone.International(b.To, b.Region)
	}
	var err error
	r.Metadata, err = web.Metadata("metadata", b.Metadata)
	return r, err
}

// Get answers GET /v1/verifications/{id}.
func (d *Door) Get(c *web.Call) error {
	if err := d.admit(c); err != nil {
		return err
	}
	id, ok := web.ParseID(verificationPrefix, c.Param)
	if !ok {
		return noVerification
	}
	p, err := d.verifications.Get(c.Context, c.Caller, id)
	if err != nil {
		return missing(err)
	}
	return c.JSON(fasthttp.StatusOK, wireOf(c.Caller, &p))
}

// Check answers POST /v1/verifications/{id}/check.
func (d *Door) Check(c *web.Call) error {
	if err := d.admit(c); err != nil {
		return err
	}
	var body CheckBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	caller, err := withUser(c.Caller, body.ClientIP)
	if err != nil {
		return err
	}
	if body.Code == "" {
		return web.Invalid(`"code" is missing: the digits from the message, as a string.`)
	}
	id, ok := web.ParseID(verificationPrefix, c.Param)
	if !ok {
		// What cannot be an id must cost, charge and look the same as an id that
		// names nothing.
		id = otp.NewID()
	}
	p, err := d.verifications.Check(c.Context, caller, id, body.Code)
	if err != nil {
		return err
	}
	answer := wireOf(caller, &p)
	if p.Grant != nil && p.Grant.Session != nil {
		set, err := d.mint.Issue(p.Grant, form)
		if err != nil {
			return err
		}
		answer.Session = sessionWireOf(&set, &p.Grant.User)
	}
	return c.JSON(fasthttp.StatusOK, answer)
}

// Resend answers POST /v1/verifications/{id}/resend.
func (d *Door) Resend(c *web.Call) error {
	if err := d.admit(c); err != nil {
		return err
	}
	var body ResendBody
	if err := c.DecodeOptional(&body); err != nil {
		return err
	}
	caller, err := withUser(c.Caller, body.ClientIP)
	if err != nil {
		return err
	}
	id, ok := web.ParseID(verificationPrefix, c.Param)
	if !ok {
		return noVerification
	}
	p, err := d.verifications.Resend(c.Context, caller, id, body.Channel)
	if err != nil {
		return missing(err)
	}
	return c.JSON(fasthttp.StatusOK, wireOf(caller, &p))
}

// Cancel answers DELETE /v1/verifications/{id}.
func (d *Door) Cancel(c *web.Call) error {
	if err := d.admit(c); err != nil {
		return err
	}
	id, ok := web.ParseID(verificationPrefix, c.Param)
	if !ok {
		return noVerification
	}
	if err := d.verifications.Cancel(c.Context, c.Caller, id); err != nil {
		return missing(err)
	}
	return c.Empty()
}

var noVerification = missing(&otp.Error{Code: otp.CodeUnknown, Detail: "There is no such verification."})

// missing turns the refusals of calls that compare no code, and so need not
// hide what became of a thing: an unknown id is a 404, an ended verification a
// 409.
func missing(err error) error {
	switch e := otp.AsError(err); e.Code {
	case otp.CodeWrong, otp.CodeExpired, otp.CodeUsed, otp.CodeExhausted:
		return &web.Problem{Status: fasthttp.StatusConflict, Code: string(otp.Conflict), Detail: "This verification has ended. Start a new one."}
	}
	return web.Missing(err)
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
