package api_test

import (
	"context"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/api"
	"github.com/pinferry/pinferry/server/token"
)

// core is a core that answers what a test says and remembers what it was
// asked.
type core struct {
	progress otp.Progress
	message  otp.Message
	page     []otp.Message
	inbound  []otp.Inbound
	next     string
	routes   []otp.RouteReport
	err      error

	called  string
	caller  otp.Caller
	id      otp.ID
	digits  string
	channel string
	start   otp.StartRequest
	send    otp.MessageRequest
	limit   int
	cursor  string

	user   otp.User
	users  []otp.User
	grant  *otp.Grant // of whoever shows a token
	change otp.UserChange
	token  string // that was shown
	issued *otp.Grant

	exchange [3]string // code, verifier, redirect
}

func (k *core) note(call string, c otp.Caller, id otp.ID) { k.called, k.caller, k.id = call, c, id }

func (k *core) Start(_ context.Context, c otp.Caller, r otp.StartRequest) (otp.Progress, error) {
	k.note("Start", c, otp.ID{})
	k.start = r
	return k.progress, k.err
}

func (k *core) Check(_ context.Context, c otp.Caller, id otp.ID, digits string) (otp.Progress, error) {
	k.note("Check", c, id)
	k.digits = digits
	return k.progress, k.err
}

func (k *core) Resend(_ context.Context, c otp.Caller, id otp.ID, channel string) (otp.Progress, error) {
	k.note("Resend", c, id)
	k.channel = channel
	return k.progress, k.err
}

func (k *core) Cancel(_ context.Context, c otp.Caller, id otp.ID) error {
	k.note("Cancel", c, id)
	return k.err
}

func (k *core) Get(_ context.Context, c otp.Caller, id otp.ID) (otp.Progress, error) {
	k.note("Get", c, id)
	return k.progress, k.err
}

// outbox is the same core as an outbox.
type outbox struct{ *core }

func (k outbox) Send(_ context.Context, c otp.Caller, r otp.MessageRequest) (otp.Message, error) {
	k.note("Send", c, otp.ID{})
	k.send = r
	return k.message, k.err
}

func (k outbox) Get(_ context.Context, c otp.Caller, id otp.ID) (otp.Message, error) {
	k.note("Message", c, id)
	return k.message, k.err
}

func (k outbox) List(_ context.Context, c otp.Caller, limit int, cursor string) ([]otp.Message, string, error) {
	k.note("List", c, otp.ID{})
	k.limit, k.cursor = limit, cursor
	return k.page, k.next, k.err
}

func (k outbox) Inbound(_ context.Context, c otp.Caller, limit int, cursor string) ([]otp.Inbound, string, error) {
	k.note("Inbound", c, otp.ID{})
	k.limit, k.cursor = limit, cursor
	return k.inbound, k.next, k.err
}

func (k outbox) Routes() []otp.RouteReport { return k.routes }

// directory is the same core as a directory.
type directory struct{ *core }

func (k directory) User(_ context.Context, c otp.Caller, id otp.ID) (otp.User, error) {
	k.note("User", c, id)
	return k.user, k.err
}

func (k directory) Find(_ context.Context, c otp.Caller, login string) (otp.User, error) {
	k.note("Find", c, otp.ID{})
	k.cursor = login
	return k.user, k.err
}

func (k directory) Users(_ context.Context, c otp.Caller, limit int, cursor string) ([]otp.User, string, error) {
	k.note("Users", c, otp.ID{})
	k.limit, k.cursor = limit, cursor
	return k.users, k.next, k.err
}

func (k directory) Change(_ context.Context, c otp.Caller, id otp.ID, change otp.UserChange) (otp.User, error) {
	k.note("Change", c, id)
	k.change = change
	return k.user, k.err
}

func (k directory) Remove(_ context.Context, c otp.Caller, id otp.ID) error {
	k.note("Remove", c, id)
	return k.err
}

func (k directory) Exchange(_ context.Context, c otp.Caller, code, verifier, redirect string) (otp.Grant, error) {
	k.note("Exchange", c, otp.ID{})
	k.exchange = [3]string{code, verifier, redirect}
	if k.grant == nil {
		return otp.Grant{}, k.err
	}
	return *k.grant, k.err
}

// mint is the same core as a mint: it knows one session, by its grant.
type mint struct{ *core }

func (k mint) Issue(g *otp.Grant, f token.Form) (token.Set, error) {
	k.issued = g
	return token.Set{Access: "access." + string(f.Algorithm), Refresh: "refresh", ExpiresIn: 900}, nil
}

func (k mint) show(call string, c otp.Caller, shown string) (otp.Grant, error) {
	k.note(call, c, otp.ID{})
	k.token = shown
	if k.grant == nil {
		return otp.Grant{}, &otp.Error{Code: otp.Unauthorized, Detail: "This token is not valid."}
	}
	return *k.grant, nil
}

func (k mint) Bearer(_ context.Context, c otp.Caller, access string) (otp.Grant, error) {
	return k.show("Bearer", c, access)
}

func (k mint) Refresh(_ context.Context, c otp.Caller, refresh string, form func(*otp.Grant) token.Form) (token.Set, otp.Grant, error) {
	g, err := k.show("Refresh", c, refresh)
	if err != nil {
		return token.Set{}, g, err
	}
	set, err := k.Issue(&g, form(&g))
	return set, g, err
}

func (k mint) Revoke(_ context.Context, c otp.Caller, refresh string) error {
	_, err := k.show("Revoke", c, refresh)
	return err
}

func (k mint) KeySet(app *otp.App, algorithms ...token.Algorithm) token.KeySet {
	var set token.KeySet
	for _, a := range algorithms {
		set.Keys = append(set.Keys, token.Key{Kid: app.ID, Alg: string(a)})
	}
	return set
}

var (
	_ api.Directory     = directory{}
	_ api.Directory     = (*otp.Directory)(nil)
	_ api.Mint          = mint{}
	_ api.Mint          = (*token.Mint)(nil)
	_ api.Verifications = (*core)(nil)
	_ api.Verifications = (*otp.Verifications)(nil)
	_ api.Outbox        = outbox{}
	_ api.Outbox        = (*otp.Outbox)(nil)
)

func newCore() *core {
	k := &core{}
	k.progress = otp.Progress{
		Verification: otp.Verification{
			App: "demo", Address: otp.Address{Kind: otp.Phone, Key: phone, Dial: phone[1:], Country: "CH", Calling: 41},
			Channel: "sms", Purpose: otp.PurposeVerify, Status: otp.Pending, MaxTries: 5,
			Created: created, Expires: created.Add(5 * time.Minute), Metadata: []byte(`{"order":17}`),
		},
		ETA: 2100 * time.Millisecond, ResendAfter: 30 * time.Second,
	}
	for i := range k.progress.Verification.ID {
		k.progress.Verification.ID[i] = byte(i)
		k.message.ID[i] = byte(0xf0 + i)
		k.user.ID[i] = byte(0xa0 + i)
	}
	k.message.Address = k.progress.Verification.Address
	k.message.State, k.message.Created, k.message.Updated = otp.MessageAccepted, created, created
	k.message.Deadline = created.Add(time.Hour)
	k.progress.Message = k.message
	k.user.App, k.user.Address = "demo", k.message.Address
	k.user.Created, k.user.Updated, k.user.Verified = created, created.Add(time.Second), created
	k.user.Names, k.user.Metadata = []string{"maria"}, []byte(`{"tier":"gold"}`)
	return k
}

// all is the core as the door stands on it.
func (k *core) all() api.Core {
	return api.Core{Verifications: k, Outbox: outbox{k}, Directory: directory{k}, Mint: mint{k}}
}
