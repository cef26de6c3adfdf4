package relay

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
)

// Callback is what a provider sends to tell how far a message has come.
type Callback struct {
	// Token is what stood behind the relay's name in the path, "" if nothing.
	Token string
	// Target is path and query as they came, which some signatures cover.
	Target string
	// Header returns a header, "" if there is none.
	Header func(name string) string
	Body   []byte
}

// Why a callback is not taken.
var (
	// ErrUnproven says that neither a signature nor a token proves who calls.
	ErrUnproven = errors.New("the callback does not prove where it comes from")
	// ErrMalformed says that the body cannot be read.
	ErrMalformed = errors.New("the callback cannot be read")
)

// HookPath is the path below which callbacks arrive: HookPath, the relay's name
// and, if the provider does not sign, a dot and the token.
const HookPath = "/hooks/"

// SplitHook takes the last segment of the path of a callback apart.
func SplitHook(segment string) (relay, token string) {
	relay, token, _ = strings.Cut(segment, ".")
	return relay, token
}

// hook says how the reports of a provider look. Without an id it sends none.
type hook struct {
	form bool // the body is a form; else JSON
	// list points at an array of reports; "": the document is one. id and status
	// point into a report; in a form they name a field.
	list, id, status  pointer
	delivered, failed []string
	// signed checks the provider's signature; nil: the path's token is compared.
	signed func(Callback, signing) bool
	// challenges tells that it asks before it sends: see [Relay.Challenge].
	challenges bool
	// ownSecret tells that it signs with the secret that requests are made with.
	ownSecret bool
}

// signing is what signatures are checked with.
type signing struct {
	secret, token string
	origin        string // scheme and host as the provider called them
	fields        url.Values
}

// maxReports bounds the reports of one callback.
const maxReports = 128

// Callback takes delivery reports from the provider and hands them to the
// outbox. What it tells of messages that are still on their way, or that this
// box does not know, is no error.
func (r *Relay) Callback(c Callback) error {
	h, sink := &r.form.hook, r.sink.Load()
	if h.id == "" || sink == nil || r.config.PublicURL == "" {
		return ErrUnproven
	}
	var fields url.Values
	if h.form {
		var err error
		if fields, err = url.ParseQuery(string(c.Body)); err != nil {
			return ErrMalformed
		}
	}
	if !r.proven(c, fields) {
		return ErrUnproven
	}
	if h.form {
		r.report(*sink, fields.Get(string(h.id[1:])), fields.Get(string(h.status[1:])))
		return nil
	}
	all := []jsontext.Value{c.Body}
	if !jsontext.Value(c.Body).IsValid() {
		return ErrMalformed
	}
	if h.list != "" {
		list, ok := h.list.find(c.Body)
		if !ok {
			return nil // an event of another sort
		}
		if err := json.Unmarshal(list, &all); err != nil {
			return fmt.Errorf("%w: a list is missing", ErrMalformed)
		}
	}
	for _, one := range all[:min(len(all), maxReports)] {
		r.report(*sink, h.id.scalar(one), h.status.scalar(one))
	}
	return nil
}

// Challenge returns what to answer to a provider who makes sure, before it sends
// any report, that somebody is there: the digits that it sent. It proves nothing
// on either side; each report is proven for itself.
func (r *Relay) Challenge(digits string) (echo string, ok bool) {
	if r == nil || !r.form.hook.challenges || digits == "" || len(digits) > 32 || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	return digits, true
}

// proven tells whether the provider sent this.
func (r *Relay) proven(c Callback, fields url.Values) bool {
	if signed := r.form.hook.signed; signed != nil {
		return signed(c, signing{r.secret, r.token, r.config.PublicURL, fields})
	}
	return r.token != "" && subtle.ConstantTimeCompare([]byte(c.Token), []byte(r.token)) == 1
}

func (r *Relay) report(sink otp.RouteSink, id, status string) {
	h := &r.form.hook
	delivered := slices.Contains(h.delivered, status)
	if id == "" || !delivered && !slices.Contains(h.failed, status) {
		return
	}
	sink.Reported(otp.Report{Route: r.name, Ref: otp.Reference(id), Delivered: delivered, Status: shown(status)})
}
