package api

import (
	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

// verificationWire is a verification in an answer.
type verificationWire struct {
	ID           string      `json:"id"`
	Status       otp.Status  `json:"status"`
	To           string      `json:"to"` // masked
	Channel      string      `json:"channel"`
	Purpose      otp.Purpose `json:"purpose"`
	CreatedAt    web.Time    `json:"created_at"`
	ExpiresAt    web.Time    `json:"expires_at"`
	AttemptsLeft int         `json:"attempts_left"`
	ResendAfter  int         `json:"resend_after"` // seconds
	Message      *partWire   `json:"message"`
	// Of the channel inbound: what the person must text, in the answer of the
	// start alone, and where to; and whether the SMS has come, after which a check
	// with text_this as its code hands out the session.
	TextThis     string `json:"text_this,omitempty"`
	TextTo       string `json:"text_to,omitempty"`
	TextReceived bool   `json:"text_received,omitzero"`
	// For a secret key only: which phone or email address has been proven, and
	// when; and what the app noted at the start.
	Phone      string         `json:"phone,omitempty"`
	Email      string         `json:"email,omitempty"`
	ApprovedAt web.Time       `json:"approved_at,omitzero"`
	Metadata   jsontext.Value `json:"metadata,omitzero"`
	// Session is what the check opened that approved the verification.
	Session *sessionWire `json:"session,omitzero"`
}

// partWire is the message of a verification.
type partWire struct {
	ID         string           `json:"id"`
	State      otp.MessageState `json:"state"`
	Reason     otp.Reason       `json:"reason,omitempty"`
	Route      *string          `json:"route"` // null until one is tried
	ETASeconds int              `json:"eta_seconds"`
}

func wireOf(c otp.Caller, p *otp.Progress) *verificationWire {
	v, m := &p.Verification, &p.Message
	w := &verificationWire{
		ID: verificationPrefix + v.ID.String(), Status: v.Status, To: v.Address.Masked(),
		Channel: v.Channel, Purpose: v.Purpose,
		CreatedAt: web.Time(v.Created), ExpiresAt: web.Time(v.Expires),
		AttemptsLeft: v.AttemptsLeft(), ResendAfter: web.Seconds(p.ResendAfter),
	}
	w.TextThis, w.TextTo, w.TextReceived = p.TextThis, p.TextTo, p.Texted
	if !m.ID.IsZero() {
		w.Message = &partWire{
			ID: messagePrefix + m.ID.String(), State: m.State, Reason: m.Reason,
			Route: web.OrNull(m.Route), ETASeconds: web.Seconds(p.ETA),
		}
	}
	if c.Secret {
		w.Metadata = v.Metadata
		if v.Status == otp.Approved {
			w.Phone, w.Email, w.ApprovedAt = v.Address.E164(), v.Address.Email(), web.Time(v.Approved)
		}
	}
	return w
}
