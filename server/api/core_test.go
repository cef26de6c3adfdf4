package api_test

import (
	"context"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/api"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web/webtest"
)

// core is the core of the doors with what only the native door asks of it.
type core struct {
	*webtest.Core
	message otp.Message
	page    []otp.Message
	inbound []otp.Inbound
	users   []otp.User
	next    string
	routes  []otp.RouteReport

	send   otp.MessageRequest
	limit  int
	cursor string
}

// called is the last call, "" if there was none.
func (k *core) called() string {
	if len(k.Called) == 0 {
		return ""
	}
	return k.Called[len(k.Called)-1]
}

// outbox is the same core as an outbox.
type outbox struct{ *core }

func (k outbox) Send(_ context.Context, c otp.Caller, r otp.MessageRequest) (otp.Message, error) {
	k.send = r
	return k.message, k.Note("Send", c)
}

func (k outbox) Get(_ context.Context, c otp.Caller, id otp.ID) (otp.Message, error) {
	k.ID = id
	return k.message, k.Note("Message", c)
}

func (k outbox) List(_ context.Context, c otp.Caller, limit int, cursor string) ([]otp.Message, string, error) {
	k.limit, k.cursor = limit, cursor
	return k.page, k.next, k.Note("List", c)
}

func (k outbox) Inbound(_ context.Context, c otp.Caller, limit int, cursor string) ([]otp.Inbound, string, error) {
	k.limit, k.cursor = limit, cursor
	return k.inbound, k.next, k.Note("Inbound", c)
}

func (k outbox) Routes() []otp.RouteReport { return k.routes }

// directory is the same core as a directory.
type directory struct{ *core }

func (k directory) Users(_ context.Context, c otp.Caller, limit int, cursor string) ([]otp.User, string, error) {
	k.limit, k.cursor = limit, cursor
	return k.users, k.next, k.Note("Users", c)
}

var (
	_ api.Directory     = directory{}
	_ api.Directory     = (*otp.Directory)(nil)
	_ api.Mint          = webtest.Mint{}
	_ api.Mint          = (*token.Mint)(nil)
	_ api.Verifications = (*webtest.Core)(nil)
	_ api.Verifications = (*otp.Verifications)(nil)
	_ api.Outbox        = outbox{}
	_ api.Outbox        = (*otp.Outbox)(nil)
)

// newCore returns a core with one user, whom no token stands for yet.
func newCore() *core {
	address := webtest.Phone(phone)
	message := otp.Message{
		ID: webtest.ID(0xf0), Address: address, State: otp.MessageAccepted, Created: created, Updated: created, Deadline: created.Add(time.Hour),
	}
	k := &core{Core: &webtest.Core{Set: token.Set{Access: "access.ES256", Refresh: "refresh", ExpiresIn: 900}}, message: message}
	k.Progress = otp.Progress{
		Verification: otp.Verification{
			ID: webtest.ID(0), App: "demo", Address: address, Channel: "sms", Purpose: otp.PurposeVerify, Status: otp.Pending, MaxTries: 5,
			Created: created, Expires: created.Add(5 * time.Minute), Metadata: []byte(`{"order":17}`),
		},
		Message: message, ETA: 2100 * time.Millisecond, ResendAfter: 30 * time.Second,
	}
	k.Grant.User = otp.User{
		ID: webtest.ID(0xa0), App: "demo", Address: address, Names: []string{"maria"}, Metadata: []byte(`{"tier":"gold"}`),
		Created: created, Updated: created.Add(time.Second), Verified: created,
	}
	dead := &otp.Error{Code: otp.Unauthorized, Detail: "This token is not valid."}
	k.Fail = map[string]error{"Bearer": dead, "Refresh": dead, "Revoke": dead}
	return k
}

// all is the core as the door stands on it.
func (k *core) all() api.Core {
	return api.Core{Verifications: k.Core, Outbox: outbox{k}, Directory: directory{k}, Mint: webtest.Mint{Core: k.Core}}
}
