package twilio

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// verificationWire is a verification in an answer.
type verificationWire struct {
	SID              string        `json:"sid"`
	ServiceSID       string        `json:"service_sid"` // as the call named the app
	AccountSID       string        `json:"account_sid"`
	To               string        `json:"to"`
	Channel          string        `json:"channel"`
	Status           string        `json:"status"`
	Valid            bool          `json:"valid"`
	DateCreated      string        `json:"date_created"`
	DateUpdated      string        `json:"date_updated"`
	Lookup           struct{}      `json:"lookup"`
	Amount           *string       `json:"amount"` // always null, like the others of this type
	Payee            *string       `json:"payee"`
	SendCodeAttempts []attemptWire `json:"send_code_attempts"`
	SNA              *string       `json:"sna"`
	URL              string        `json:"url"` // a path: no host that a client names is trusted
}

// attemptWire is one message of a verification.
type attemptWire struct {
	Time       string `json:"time"`
	Channel    string `json:"channel"`
	AttemptSID string `json:"attempt_sid"`
}

// checkWire is the outcome of a check.
type checkWire struct {
	SID                   string   `json:"sid"`
	ServiceSID            string   `json:"service_sid"`
	AccountSID            string   `json:"account_sid"`
	To                    string   `json:"to"`
	Channel               string   `json:"channel"`
	Status                string   `json:"status"`
	Valid                 bool     `json:"valid"`
	Amount                *string  `json:"amount"`
	Payee                 *string  `json:"payee"`
	DateCreated           string   `json:"date_created"`
	DateUpdated           string   `json:"date_updated"`
	SNAAttemptsErrorCodes []string `json:"sna_attempts_error_codes"`
}

func verificationOf(c *web.Call, p *otp.Progress) *verificationWire {
	v := &p.Verification
	return &verificationWire{
		SID: sid(v.ID), ServiceSID: c.App, AccountSID: account(c), To: v.Address.E164(),
		Channel: v.Channel, Status: statusOf(v.Status), Valid: v.Status == otp.Approved,
		DateCreated: date(v.Created), DateUpdated: date(updated(p)), SendCodeAttempts: attempts(p),
		URL: "/v2" + servicePath(c) + "/Verifications/" + sid(v.ID),
	}
}

func checkOf(c *web.Call, p *otp.Progress) *checkWire {
	v := &p.Verification
	return &checkWire{
		SID: sid(v.ID), ServiceSID: c.App, AccountSID: account(c), To: v.Address.E164(),
		Channel: v.Channel, Status: statusOf(v.Status), Valid: v.Status == otp.Approved,
		DateCreated: date(v.Created), DateUpdated: date(updated(p)), SNAAttemptsErrorCodes: []string{},
	}
}

// statusOf names a status as the vendor does.
func statusOf(s otp.Status) string {
	if s == otp.Exhausted {
		return "max_attempts_reached"
	}
	return string(s)
}

// The prefixes of the vendor's ids.
const (
	sidPrefix     = "VE"
	attemptPrefix = "VL"
	accountPrefix = "AC"
)

func sid(id otp.ID) string { return sidPrefix + id.String() }

func parseSID(s string) (otp.ID, bool) {
	digits, ok := strings.CutPrefix(s, sidPrefix)
	if !ok {
		return otp.ID{}, false
	}
	return otp.ParseID(digits)
}

// attempts lists the messages so far. Only the newest is still known: those
// between the first and it are given the time of the first, and each has an id
// that stays.
func attempts(p *otp.Progress) []attemptWire {
	all := make([]attemptWire, p.Verification.Sends)
	for i := range all {
		at := p.Verification.Created
		if i > 0 && i == len(all)-1 {
			at = p.Message.Created
		}
		seed := binary.BigEndian.AppendUint32(p.Verification.ID[:], uint32(i))
		all[i] = attemptWire{Time: date(at), Channel: "SMS", AttemptSID: attemptPrefix + digest(string(seed))}
	}
	return all
}

// account returns the account that the client named, or, where it named an API
// key, one that is always the same for the app.
func account(c *web.Call) string {
	user, _, _ := basic(c)
	if digits, ok := strings.CutPrefix(user, accountPrefix); ok {
		if _, ok := otp.ParseID(strings.ToLower(digits)); ok {
			return user
		}
	}
	return accountPrefix + digest(c.Caller.App.ID)
}

// digest returns 32 hex digits that stand for s. They hide nothing.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

func updated(p *otp.Progress) otp.Time {
	return max(p.Verification.Created, p.Verification.Approved, p.Message.Updated)
}

func date(t otp.Time) string { return t.Std().Format("2006-01-02T15:04:05Z") }
