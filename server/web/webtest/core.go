package webtest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
)

// Moment is the box time of the tests, 2026-11-22T09:30:00.007Z.
const Moment otp.Time = 1_795_339_800_007

// ID returns an id of sixteen bytes that count up from the first.
func ID(first byte) (id otp.ID) {
	for i := range id {
		id[i] = first + byte(i)
	}
	return id
}

// Phone returns the address of a number that begins with +41 or +1.
func Phone(number string) otp.Address {
	a := otp.Address{Kind: otp.Phone, Key: number, Dial: number[1:], Country: "CH", Calling: 41}
	if number[1] == '1' {
		a.Country, a.Calling = "US", 1
	}
	return a
}

// Core is a core that answers what a test says and remembers what it was asked.
// It stands for the verifications and the directory; as a mint it is [Mint].
type Core struct {
	// Progress is of a verification that can be found, and of what a call makes
	// of it if After is nil. Only checks show its Grant.
	Progress otp.Progress
	After    *otp.Progress
	// Grant is of a good token and of an exchange; its User is every user.
	Grant   otp.Grant
	Allowed otp.Allowance
	// Set are the tokens of every session, Known is the one refresh token that is
	// good; "" takes any.
	Set   token.Set
	Known string
	// Err is what calls return that Fail does not name, by the names in Called.
	Err  error
	Fail map[string]error

	// Called are the calls in their order, Caller is who made the last. What
	// goes along with another call is not among them: Allowance, Issue, Show.
	Called []string
	Caller otp.Caller

	Started  otp.StartRequest
	ID       otp.ID // of the verification, user or session family
	Except   otp.ID // the family that RevokeAll spares
	Slot     otp.Slot
	Digits   string
	Channel  string
	Login    string
	Created  otp.UserRequest
	Changed  otp.UserChange
	Redeemed [3]string // code, verifier and redirect of an exchange
	Counted  string    // the number of an allowance

	Token      string            // that a mint was shown last
	Issued     *otp.Grant        // whose tokens were made last
	Form       *token.Form       // of the tokens made last; nil before any
	Algorithms []token.Algorithm // of the key set asked for last
}

// NewCore returns a core with one user of the app demo, at a phone number, who
// has metadata and was here three times; a session at a door that calls the app
// so; tokens for it; and a verification that only waits for its status.
func NewCore(door, as, number string) *Core {
	k := &Core{Set: SetOf("access.token.made", "refresh-made")}
	k.Progress = otp.Progress{Verification: otp.Verification{ID: ID(0), Address: Phone(number)}, Grant: &k.Grant}
	k.Grant.User = otp.User{
		ID: ID(0xf0), App: "demo", Address: Phone(number), Metadata: []byte(`{"plan":"gold"}`),
		Created: Moment, Updated: Moment.Add(time.Hour), Verified: Moment, LastLogin: Moment.Add(time.Hour), Logins: 3,
	}
	k.Grant.Session = &otp.Session{App: "demo", User: k.Grant.User.ID, Door: door, As: as, Created: Moment, Expires: Moment.Add(otp.RefreshLife)}
	return k
}

// Want fails unless an answer has the status and the core was asked these calls.
func (k *Core) Want(t testing.TB, a Answer, status int, called ...string) {
	t.Helper()
	if a.Status != status || !slices.Equal(k.Called, called) {
		t.Fatalf("got %d %s; the core was asked %v", a.Status, a.Body, k.Called)
	}
}

// Note remembers a call and returns its error, for what stands on a core too.
func (k *Core) Note(call string, c otp.Caller) error {
	k.Called = append(k.Called, call)
	k.Caller = c
	if err, ok := k.Fail[call]; ok {
		return err
	}
	return k.Err
}

// waiting is what is known of a verification that is not checked.
func waiting(p otp.Progress) otp.Progress {
	p.Grant = nil
	return p
}

// after is what a call has made of the verification.
func (k *Core) after() otp.Progress {
	if k.After != nil {
		return *k.After
	}
	return k.Progress
}

// Start starts a verification.
func (k *Core) Start(_ context.Context, c otp.Caller, r otp.StartRequest) (otp.Progress, error) {
	k.Started = r
	return waiting(k.after()), k.Note("Start", c)
}

// Get finds a verification by its id.
func (k *Core) Get(_ context.Context, c otp.Caller, id otp.ID) (otp.Progress, error) {
	k.ID = id
	return waiting(k.Progress), k.Note("Get", c)
}

// GetSlot finds the verification of a slot.
func (k *Core) GetSlot(_ context.Context, c otp.Caller, slot otp.Slot) (otp.Progress, error) {
	k.Slot = slot
	return waiting(k.Progress), k.Note("GetSlot", c)
}

// Check checks a code.
func (k *Core) Check(_ context.Context, c otp.Caller, id otp.ID, digits string) (otp.Progress, error) {
	k.ID, k.Digits = id, digits
	return k.after(), k.Note("Check", c)
}

// CheckSlot checks the code of a slot.
func (k *Core) CheckSlot(_ context.Context, c otp.Caller, slot otp.Slot, digits string) (otp.Progress, error) {
	k.Slot, k.Digits = slot, digits
	return k.after(), k.Note("CheckSlot", c)
}

// Resend sends a code again.
func (k *Core) Resend(_ context.Context, c otp.Caller, id otp.ID, channel string) (otp.Progress, error) {
	k.ID, k.Channel = id, channel
	return waiting(k.after()), k.Note("Resend", c)
}

// ResendSlot sends the code of a slot again.
func (k *Core) ResendSlot(_ context.Context, c otp.Caller, slot otp.Slot, channel string) (otp.Progress, error) {
	k.Slot, k.Channel = slot, channel
	return waiting(k.after()), k.Note("ResendSlot", c)
}

// Cancel cancels a verification.
func (k *Core) Cancel(_ context.Context, c otp.Caller, id otp.ID) error {
	k.ID = id
	return k.Note("Cancel", c)
}

// Allowance tells what may still be sent to a number, while the call lasts.
func (k *Core) Allowance(ctx context.Context, _ otp.Caller, to string) (otp.Allowance, error) {
	k.Counted = to
	return k.Allowed, ctx.Err()
}

// User finds a user by the id.
func (k *Core) User(_ context.Context, c otp.Caller, id otp.ID) (otp.User, error) {
	k.ID = id
	return k.Grant.User, k.Note("User", c)
}

// Find finds a user by what a login is typed as.
func (k *Core) Find(_ context.Context, c otp.Caller, login string) (otp.User, error) {
	k.Login = login
	return k.Grant.User, k.Note("Find", c)
}

// Create registers a user.
func (k *Core) Create(_ context.Context, c otp.Caller, r otp.UserRequest) (otp.User, error) {
	k.Created = r
	return k.Grant.User, k.Note("Create", c)
}

// Change changes a user; the answer has the metadata that was asked for.
func (k *Core) Change(_ context.Context, c otp.Caller, id otp.ID, change otp.UserChange) (otp.User, error) {
	k.ID, k.Changed = id, change
	user := k.Grant.User
	if change.Metadata != nil {
		user.Metadata = change.Metadata
	}
	return user, k.Note("Change", c)
}

// Remove removes a user.
func (k *Core) Remove(_ context.Context, c otp.Caller, id otp.ID) error {
	k.ID = id
	return k.Note("Remove", c)
}

// Revoke ends a session.
func (k *Core) Revoke(_ context.Context, c otp.Caller, family otp.ID) error {
	k.ID = family
	return k.Note("Revoke", c)
}

// RevokeAll ends the sessions of a user but one.
func (k *Core) RevokeAll(_ context.Context, c otp.Caller, user, except otp.ID) error {
	k.ID, k.Except = user, except
	return k.Note("RevokeAll", c)
}

// Exchange redeems what a right code gave.
func (k *Core) Exchange(_ context.Context, c otp.Caller, code, verifier, redirect string) (otp.Grant, error) {
	k.Redeemed = [3]string{code, verifier, redirect}
	return k.Grant, k.Note("Exchange", c)
}
