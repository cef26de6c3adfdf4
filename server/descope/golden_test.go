package descope_test

import (
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web/webtest"
)

// TestGoldens fixes every call with its request and its answer, good and bad.
func TestGoldens(t *testing.T) {
	session := project + ":" + refreshToken
	refused := func(code otp.Code, detail string) func(*webtest.Core) {
		return func(k *webtest.Core) {
			k.Err = &otp.Error{Code: code, Detail: detail, RetryAfter: 90500 * time.Millisecond}
		}
	}
	for name, test := range map[string]struct {
		request request
		prepare func(*webtest.Core)
		status  int
	}{
		"signin":        {post("/v1/auth/otp/signin/sms", `{"loginId":"+41791234567","loginOptions":{"locale":"de"}}`), nil, 200},
		"signin_name":   {post("/v1/auth/otp/signin/sms", `{"loginId":"anna"}`), nil, 200},
		"signin_stepup": {post("/v1/auth/otp/signin/sms", `{"loginId":"anna","loginOptions":{"stepup":true}}`).as(session), nil, 200},
		"signin_unknown": {
			post("/v1/auth/otp/signin/sms", `{"loginId":"+41791234567"}`),
			refused(otp.NotRegistered, "No user has this number. Sign up first."), 400,
		},
		"signin_limited": {
			post("/v1/auth/otp/signin/sms", `{"loginId":"+41791234567"}`),
			refused(otp.LimitPhone, "Too many messages to this number."), 429,
		},
		"signin_busy":         {post("/v1/auth/otp/signin/sms", `{"loginId":"+41791234567"}`), refused(otp.Busy, "The queue is full. Try again in a moment."), 429},
		"signin_no_login":     {post("/v1/auth/otp/signin/sms", ``), nil, 400},
		"signin_invalid":      {post("/v1/auth/otp/signin/sms", `{"loginId":41791234567}`), nil, 400},
		"signin_bad_phone":    {post("/v1/auth/otp/signin/sms", `{"loginId":"+41"}`), refused(otp.InvalidPhone, "That is not a phone number in international form."), 400},
		"signin_channel":      {post("/v1/auth/otp/signin/whatsapp", `{"loginId":"+41791234567"}`), nil, 400},
		"signin_stepup_alone": {post("/v1/auth/otp/signin/sms", `{"loginId":"anna","loginOptions":{"stepup":true}}`), nil, 401},
		"unknown_project":     {post("/v1/auth/otp/signin/sms", `{"loginId":"anna"}`).as("P2other"), nil, 401},
		"no_project":          {post("/v1/auth/otp/signin/sms", `{"loginId":"anna"}`).as("-"), nil, 401},

		"signup": {post("/v1/auth/otp/signup/sms", `{"loginId":"anna","phone":"+41791234567","user":{"name":"Anna Muster","email":"anna@example.com"}}`), nil, 200},
		"signup_exists": {
			post("/v1/auth/otp/signup/sms", `{"loginId":"+41791234567","user":null}`),
			refused(otp.AlreadyRegistered, "A user has this number already. Sign in."), 400,
		},
		"signup_in": {post("/v1/auth/otp/signup-in/sms", `{"loginId":"+41791234567"}`), nil, 200},

		"verify": {post("/v1/auth/otp/verify/sms", `{"code":"493827","loginId":"+41791234567"}`), nil, 200},
		"verify_pkce": {
			post("/v1/auth/otp/verify/sms", `{"loginId":"+41791234567","code":"493827"}`),
			func(k *webtest.Core) { k.Grant.Session, k.Grant.Exchange = nil, "b25jZS1hbmQtb25seS1vbmNl" }, 200,
		},
		"verify_wrong":     {post("/v1/auth/otp/verify/sms", `{"loginId":"anna","code":"000000"}`), refused(otp.CodeWrong, "Wrong."), 401},
		"verify_exhausted": {post("/v1/auth/otp/verify/sms", `{"loginId":"anna","code":"000000"}`), refused(otp.CodeExhausted, "Exhausted."), 401},
		"verify_expired":   {post("/v1/auth/otp/verify/sms", `{"loginId":"anna","code":"000000"}`), refused(otp.CodeExpired, "Expired."), 401},
		"verify_private": {
			post("/v1/auth/otp/verify/sms", `{"loginId":"anna","code":"000000"}`).as(private),
			refused(otp.CodeExpired, "Expired."), 401,
		},
		"verify_no_code": {post("/v1/auth/otp/verify/sms", `{"loginId":"anna"}`), nil, 400},

		"update_phone":       {post("/v1/auth/otp/update/phone/sms", `{"loginId":"anna","phone":"+41791234567","addToLoginIDs":true}`).as(session), nil, 200},
		"update_phone_alone": {post("/v1/auth/otp/update/phone/sms", `{"loginId":"anna","phone":"+41791234567"}`), nil, 401},

		"exchange":         {post("/v1/auth/exchange", `{"code":"b25jZS1hbmQtb25seS1vbmNl","codeVerifier":"`+verifier+`"}`), nil, 200},
		"exchange_refused": {post("/v1/auth/exchange", `{"code":"b25jZS1hbmQtb25seS1vbmNl","codeVerifier":"`+verifier+`"}`), refused(otp.CodeUnknown, "Unknown."), 400},

		"refresh":          {post("/v1/auth/refresh", ``).as(session), nil, 200},
		"refresh_dead":     {post("/v1/auth/refresh", `{}`).as(project + ":head.dead.seal"), nil, 401},
		"try_refresh":      {post("/v1/auth/try-refresh", `{}`).as(session), nil, 200},
		"try_refresh_none": {post("/v1/auth/try-refresh", `{}`), nil, 200},
		"logout":           {post("/v1/auth/logout", `{}`).as(session), nil, 200},
		"logout_all":       {post("/v1/auth/logoutall", ``).as(session), nil, 200},

		"me":         {request{Method: "GET", Path: "/v1/auth/me", Bearer: session}, nil, 200},
		"me_alone":   {request{Method: "GET", Path: "/v1/auth/me", Bearer: project}, nil, 401},
		"history":    {request{Method: "GET", Path: "/v1/auth/me/history", Bearer: session}, nil, 200},
		"tenants":    {post("/v1/auth/me/tenants", `{"dct":true}`).as(session), nil, 200},
		"keys":       {request{Method: "GET", Path: "/v2/keys/" + project, Bearer: project}, nil, 200},
		"keys_other": {request{Method: "GET", Path: "/v2/keys/P2other", Bearer: project}, nil, 401},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			if test.prepare != nil {
				test.prepare(d.core)
			}
			a := d.do(test.request)
			if a.Status != test.status {
				t.Errorf("status is %d, want %d", a.Status, test.status)
			}
			golden(t, name, test.request, a)
		})
	}
}
