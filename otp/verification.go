package otp

import (
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Status says how far a verification has come.
type Status string

// The states of a verification; all but pending are final.
const (
	Pending   Status = "pending"
	Approved  Status = "approved"
	Canceled  Status = "canceled"
	Expired   Status = "expired"
	Exhausted Status = "exhausted"
)

// Purpose says what a proof is for. A code of one purpose serves no other.
type Purpose string

// The purposes.
const (
	PurposeVerify      Purpose = "verify" // no user, no session
	PurposeSignIn      Purpose = "sign_in"
	PurposeSignUp      Purpose = "sign_up"
	PurposeSignUpOrIn  Purpose = "sign_up_or_in"
	PurposeChangePhone Purpose = "change_phone"
	PurposeStepUp      Purpose = "step_up"
)

// maxTries is how many wrong tries a verification bears, over all its
// generations (N3). They are never reset.
const maxTries = 5

// keepEnded is how long an ended verification can still be read.
const keepEnded = 24 * time.Hour

// Verification is one proof that somebody holds an address. What the policy
// said at Start is copied into it, so that a changed config file changes no
// live code.
type Verification struct {
	_ struct{} `cbor:",toarray"`

	ID      ID
	App     string
	Address Address
	Channel string
	Purpose Purpose
	Locale  string
	Slot    string // by which a door without a handle finds it; see [Slot]

	Status     Status
	Generation uint32 // of the code; raised when fresh digits are made
	Length     uint8  // of the code
	Life       int64  // of a code, in milliseconds
	Tries      uint8  // wrong ones so far
	MaxTries   uint8
	Callers    []callerTries // who made them (N5)

	Created  Time
	Expires  Time
	Approved Time // 0 unless approved
	Message  ID   // the newest
	Sends    uint8
	// Resend is the app's policy at Start.
	Resend ResendPolicy
	// Fixed marks a test number of a test-mode app: its code is in the config.
	Fixed bool
	// Metadata is a JSON object of the app's own; it is never in a message.
	Metadata []byte
	// Text names the template version that the policy had.
	Text uint32

	Door string // where it was started; it is good there only
	Wish *Wish  // nil for none
	// User and Family are who asks for a proof that needs a session.
	User, Family ID
	// Decoy marks one that nothing was sent for and no code approves: it stands
	// for a login name that nobody has, where that must not be told.
	Decoy bool

	// For the operator: when it ended but for expiring, when the wrong tries
	// were made, and the messages before the newest, the oldest first.
	Ended  Time
	Wrong  []Time
	Former []ID
}

func (v Verification) wish() Wish {
	if v.Wish == nil {
		return Wish{}
	}
	return *v.Wish
}

// callerTries counts the wrong tries of one source address at one
// verification.
type callerTries struct {
	_      struct{}        `cbor:",toarray"`
	Caller cbor.ByteString // source bucket
	Tries  uint8
}

// AttemptsLeft returns how many wrong tries the verification still bears.
func (v Verification) AttemptsLeft() int { return int(v.MaxTries - v.Tries) }
