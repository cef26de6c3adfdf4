package docs

import (
	"strconv"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// remedies says of every code what it means and what to do. The list is closed,
// as that of the codes is.
var remedies = map[string]struct{ cause, remedy string }{
	string(otp.InvalidRequest):     {"The request cannot be understood: a member is missing, unknown or of the wrong type, the body is no JSON, a header is ambiguous, or the path does not exist.", "Read `detail`: it names the member, and the nearest one that there is."},
	string(otp.InvalidPhone):       {"This is no phone number in international form, or no email address.", "Send a plus sign, the country code and the number: `+41791234567`. An email address works only for an app with `email = true`."},
	string(otp.CountryRefused):     {"The app does not send to the country of this number.", "If people of that country shall be served, add it to `countries` of the app. Nobody gets an SMS by default, for every further country is a bill that somebody else can run up."},
	string(otp.NumberRefused):      {"Numbers of this kind get no SMS (premium rate, shared cost, toll-free, pager), or the holder has texted STOP to the box.", "Ask for another number. After a STOP the holder comes back by texting START, or at their request by `pinferry opt-out lift NUMBER`."},
	string(otp.UnknownApp):         {"The call names no app of this box, or one whose door of this kind is closed. The two look the same.", "Compare the id with `id` and `aliases` in the config file, and look whether `doors` lists the door."},
	string(otp.Unauthorized):       {"The key or token is missing, unknown, expired or revoked.", "Send `Authorization: Bearer` with a key of the app. Keys are shown once, when `pinferry key new` makes them; make new ones if they are lost. An expired access token is replaced at `POST /v1/token/refresh`."},
	string(otp.Forbidden):          {"The key is good, and may not do this.", "Use a secret key (`sk_`), from a server. It has no place in a page or an app."},
	string(otp.NotRegistered):      {"The right code came, and nobody here has this number: a sign-in needs a user. Or there is no user of this id.", "Offer a sign-up, or use the purpose `sign_up_or_in`."},
	string(otp.AlreadyRegistered):  {"The right code came, and somebody here has this number already.", "Offer a sign-in, or use the purpose `sign_up_or_in`."},
	string(otp.UserDisabled):       {"The app has disabled this user.", "Enable the user by `PATCH /v1/users/{id}` or `pinferry user unblock`, if that is right."},
	web.CodeRejected:               {"The code is wrong, expired, used up or used already, or the verification does not exist. Which of them is not told: it would help somebody who guesses.", "Let the person type it again. If it still does not pass, start a new verification."},
	string(otp.CodeWrong):          {"The digits are not those that were sent.", "Let the person type them again. The native API tells this as `code_rejected`."},
	string(otp.CodeExpired):        {"The code came after its life, five minutes by default.", "Start a new verification. The native API tells this as `code_rejected`."},
	string(otp.CodeUsed):           {"The code has been used. It is good once.", "Go on with what the first use gave, or start a new verification. The native API tells this as `code_rejected`."},
	string(otp.CodeExhausted):      {"Five wrong codes came for this verification.", "Start a new one. The native API tells this as `code_rejected`."},
	string(otp.CodeUnknown):        {"There is no such verification or message in this app. Ended verifications are kept for a day, messages for a week.", "Compare the id and the key: another app's is unknown here."},
	string(otp.LimitPhone):         {"The number has had as many codes, or wrong tries, as its holder can be asked to bear.", "Wait for the seconds in `retry_after`. Trying meanwhile does not prolong it. The rules are `sends_per_phone` and `tries_per_phone` under `[limits]`."},
	string(otp.LimitAddress):       {"The caller's address has sent too much, or guessed too often.", "Wait for `retry_after`. If many people share the address of your server, send each one's as `client_ip`, with a secret key."},
	string(otp.LimitBox):           {"A limit that many share is reached: a block of numbers, a country, the box, or the plain messages of the app.", "Wait for `retry_after`. If it comes back without an attack, raise the rule under `[limits]`; `pinferry_rate_limited_total` says which one it is."},
	string(otp.CaptchaRequired):    {"The app asks for a captcha before a code is sent, and none came or it was not solved.", "Have the page solve it, and send the solution as `captcha`."},
	string(otp.ChannelUnavailable): {"No route of the box can carry this now: a modem is unplugged or without network, a relay refuses, or none is configured for the channel.", "Try again after `retry_after`. `sudo pinferry doctor` names the cause and what to do."},
	string(otp.Busy):               {"More messages wait than can be sent in time. One that would come too late to be of use is not accepted.", "Wait for `retry_after`. One modem sends some ten messages a minute: a second one, or a relay, helps for good."},
	string(otp.StorageLow):         {"The disk of the box is nearly full. Nothing new is begun; codes that are out can still be checked.", "Free some space on the disk of the data directory."},
	string(otp.ShuttingDown):       {"The box is stopping, or starting anew.", "Try again in a few seconds. Nothing that was accepted is lost."},
	string(otp.Conflict):           {"The request does not fit what is: an Idempotency-Key with another body, or a verification that has ended.", "Use a new key for a new request, or start a new verification."},
	string(otp.Internal):           {"A fault of the box.", "Look for `request_id` in its log: `journalctl -u pinferry`. The request may be repeated; a start with an Idempotency-Key sends no second message."},
}

// errorCodes are the codes in the order of the page.
func errorCodes() []string {
	all := []string{web.CodeRejected}
	for _, code := range otp.Codes() {
		all = append(all, string(code))
	}
	return all
}

// errorsPage returns the page to whose anchors the type of every problem leads.
func errorsPage() *web.HTML {
	here := contents{heading: "Codes"}
	for _, code := range errorCodes() {
		here.links = append(here.links, link{"#" + code, code})
	}
	return layout("Errors", []contents{here}, func(h *web.HTML) {
		h.Raw(`<h1>Errors</h1><p>A refusal of the native API is a problem of <code>application/problem+json</code> (RFC 9457). Its <code>code</code> is one of these, and the list is closed; its <code>type</code> leads here. <code>detail</code> says what is wrong with the very request. With 429 and 503 <code>retry_after</code> and the header Retry-After say when to come back. <code>request_id</code> names the line in the log of the box.</p>`)
		for _, code := range errorCodes() {
			h.Raw(`<article>`).Element("h2", code, web.Pair{Name: "id", Value: code})
			h.Raw(`<p class="call"><span class="method">`).Text(statusOf(code)).Raw(`</span></p>`)
			prose(h, remedies[code].cause)
			h.Raw(`<p><strong>What to do.</strong> `)
			inline(h, remedies[code].remedy)
			h.Raw(`</p></article>`)
		}
	})
}

// statusOf is the status and the title that the native API gives with a code.
func statusOf(code string) string {
	kind := otp.Code(code)
	if code == web.CodeRejected {
		kind = otp.CodeWrong
	}
	p := web.ProblemOf(&otp.Error{Code: kind})
	return strconv.Itoa(p.Status) + " " + p.Title
}
