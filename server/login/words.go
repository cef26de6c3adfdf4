package login

import (
	"strconv"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// words is what the page and the widget say in one language. In a sentence {to}
// stands for a masked number, {app} for the app's name, {example} for a number,
// {wait} for a time, {n} for a number of things. The names are those by which
// the widget knows them.
type words struct {
	SignIn     string `json:"sign_in"`    // title of the first step
	Lead       string `json:"lead"`       // what will happen
	Country    string `json:"country"`    // label
	Phone      string `json:"phone"`      // label
	Example    string `json:"example"`    // below the field
	Abroad     string `json:"abroad"`     // below it, where there is a choice of countries
	Send       string `json:"send"`       // button
	TextUs     string `json:"text_us"`    // button: text to sign in
	EnterCode  string `json:"enter_code"` // title of the second step
	SentTo     string `json:"sent_to"`
	Change     string `json:"change"`     // button: another number
	Code       string `json:"code"`       // label
	CodeHint   string `json:"code_hint"`  // below the field
	Confirm    string `json:"confirm"`    // button
	Resend     string `json:"resend"`     // button
	ResendIn   string `json:"resend_in"`  // on it while it cannot be used
	NewCode    string `json:"new_code"`   // button, once the code is dead
	OnItsWay   string `json:"on_its_way"` // what became of the message
	HandedOver string `json:"handed_over"`
	Delivered  string `json:"delivered"`
	NotArrived string `json:"not_arrived"`

	TextTitle string `json:"text_title"` // of the step that waits for an SMS
	TextFrom  string `json:"text_from"`  // from {to}, send the following text
	TextTo    string `json:"text_to"`    // label of the number
	TextBox   string `json:"text_box"`   // in place of the number, where it is not known
	TextThis  string `json:"text_this"`  // label of the text
	OpenApp   string `json:"open_app"`   // link that opens the messages on a phone
	Texted    string `json:"texted"`     // button
	Waiting   string `json:"waiting"`    // while the SMS has not come
	CodeAfter string `json:"code_after"` // button: rather be sent a code

	// Of apps that take email addresses too, and of codes that went to one.

	Either       string `json:"either"`        // in place of Phone
	LeadEither   string `json:"lead_either"`   // in place of Lead
	ChangeEither string `json:"change_either"` // in place of Change
	MailHint     string `json:"mail_hint"`     // in place of CodeHint
	MailOnItsWay string `json:"mail_on_its_way"`
	MailSent     string `json:"mail_sent"`
	MailNotSent  string `json:"mail_not_sent"`

	Errors map[string]string `json:"errors"` // by the word of a notice
	Wait   string            `json:"wait"`   // after an error: when to try again
	Second string            `json:"second"` // {n} of them
	Minute string            `json:"minute"`

	TestMode  string `json:"test_mode"`
	NoScript  string `json:"-"` // where the captcha needs scripts
	CannotRun string `json:"-"` // title of an error page
	Over      string `json:"-"` // title, where there is nothing to be done here any more
	OverHint  string `json:"-"`
	Return    string `json:"-"` // link back to {app}
}

// The words of notices that are no code of [otp.Codes].
const (
	noticeWrong   = "wrong"   // code
	noticeDead    = "dead"    // code
	noticeLimit   = "limit"   // too many of something
	noticeBusy    = "busy"    // the box cannot now
	noticeStale   = "stale"   // form
	noticeCookies = "cookies" // are off
	noticeNoText  = "no_text" // has come yet
	noticeEmpty   = "empty"   // field
	noticeEmail   = "invalid_email"
)

// notices lists the words of all notices; every language has a sentence for
// each.
var notices = []string{
	noticeWrong, noticeDead, noticeLimit, noticeBusy, noticeStale, noticeCookies, noticeNoText, noticeEmpty, noticeEmail,
	string(otp.InvalidPhone), string(otp.CountryRefused), string(otp.NumberRefused), string(otp.CaptchaRequired), string(otp.ChannelUnavailable),
	string(otp.NotRegistered), string(otp.AlreadyRegistered), string(otp.UserDisabled),
}

// languages has a line for every locale of [text.Locales].
var languages = map[string]*words{
	"de": &german, "en": &english, "es": &spanish, "fr": &french, "it": &italian, "pt": &portuguese,
}

// noticeOf turns a refusal into a notice. What is no refusal of what the person
// did is returned as it is.
func noticeOf(err error) (notice, error) {
	e := web.ErrorOf(err)
	n := notice{Wait: web.Seconds(e.RetryAfter)}
	switch e.Code {
	case otp.CodeWrong, otp.CodeUnknown, otp.CodeUsed:
		n.Key = noticeWrong
	case otp.CodeExpired, otp.CodeExhausted:
		n.Key = noticeDead
	case otp.LimitPhone, otp.LimitAddress, otp.LimitBox:
		n.Key = noticeLimit
	case otp.Busy, otp.StorageLow, otp.ShuttingDown:
		n.Key = noticeBusy
	case otp.InvalidPhone, otp.CountryRefused, otp.NumberRefused, otp.CaptchaRequired, otp.ChannelUnavailable,
		otp.NotRegistered, otp.AlreadyRegistered, otp.UserDisabled:
		n.Key = string(e.Code)
	default:
		return notice{}, err
	}
	return n, nil
}

// sentence returns what is said of a notice, "" of none.
func (w *words) sentence(n notice) string {
	s := w.Errors[n.Key]
	if s != "" && n.Wait > 0 {
		s += " " + strings.ReplaceAll(w.Wait, "{wait}", w.duration(n.Wait))
	}
	return s
}

// duration returns a time in words, rounded up to minutes above ninety seconds.
func (w *words) duration(seconds int) string {
	if seconds <= 90 {
		return strings.ReplaceAll(w.Second, "{n}", strconv.Itoa(seconds))
	}
	return strings.ReplaceAll(w.Minute, "{n}", strconv.Itoa((seconds+59)/60))
}

// delivery returns what became of the message of a pending verification.
func (w *words) delivery(m *otp.Message) string {
	onItsWay, sent, delivered, lost := w.OnItsWay, w.HandedOver, w.Delivered, w.NotArrived
	if m.Channel == otp.ChannelEmail {
		onItsWay, sent, delivered, lost = w.MailOnItsWay, w.MailSent, w.MailSent, w.MailNotSent
	}
	switch m.State {
	case otp.MessageAccepted, otp.MessageSending:
		return onItsWay
	case otp.MessageSent:
		return sent
	case otp.MessageDelivered:
		return delivered
	case otp.MessageSuperseded:
		return ""
	}
	return lost
}

// fill puts values in place of what stands for them in a sentence: "{to}", to.
func fill(s string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(s) }
