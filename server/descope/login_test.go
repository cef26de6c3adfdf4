package descope_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
)

func TestStart(t *testing.T) {
	slot := func(login string) otp.Slot { return otp.Slot{Door: "descope", Login: login, Named: true} }
	for name, test := range map[string]struct {
		path, body string
		want       otp.StartRequest
		masked     string
	}{
		"SignInByPhone": {"signin", `{"loginId":"+41 79 123 45 67"}`, otp.StartRequest{Purpose: otp.PurposeSignIn, To: "+41 79 123 45 67", Slot: slot("+41 79 123 45 67")}, masked},
		"SignInByTel":   {"signin", `{"loginId":" Tel:+41791234567"}`, otp.StartRequest{Purpose: otp.PurposeSignIn, To: " Tel:+41791234567", Slot: slot(" Tel:+41791234567")}, masked},
		"SignInByWide":  {"signin", `{"loginId":"＋41791234567"}`, otp.StartRequest{Purpose: otp.PurposeSignIn, To: "＋41791234567", Slot: slot("＋41791234567")}, masked},
		// Where the number is not said, no digit of it may be told.
		"SignInByName":   {"signin", `{"loginId":"anna"}`, otp.StartRequest{Purpose: otp.PurposeSignIn, Slot: slot("anna")}, "***"},
		"SignInByDigits": {"signin", `{"loginId":"0791234567"}`, otp.StartRequest{Purpose: otp.PurposeSignIn, Slot: slot("0791234567")}, "***"},
		"SignInOrUp":     {"signup-in", `{"loginId":"+41791234567"}`, otp.StartRequest{Purpose: otp.PurposeSignUpOrIn, To: phone, Slot: slot(phone)}, masked},
		"SignUpByPhone":  {"signup", `{"loginId":"+41791234567"}`, otp.StartRequest{Purpose: otp.PurposeSignUp, To: phone, Slot: slot(phone)}, masked},
		"SignUpTwice":    {"signup", `{"loginId":"+41791234567","phone":"+41 79 123 45 67"}`, otp.StartRequest{Purpose: otp.PurposeSignUp, To: "+41 79 123 45 67", Slot: slot(phone)}, masked},
		"SignUpByName": {
			"signup", `{"loginId":"anna@example.com","phone":"+41791234567","user":{"phone":"+41790000000","email":"anna@example.com"}}`,
			otp.StartRequest{
				Purpose: otp.PurposeSignUp, To: phone, Slot: slot("anna@example.com"),
				Wish: otp.Wish{Name: "anna@example.com"}, Metadata: []byte(`{"email":"anna@example.com"}`),
			}, masked,
		},
		"SignUpUsersPhone": {
			"signup", `{"loginId":"anna","user":{"phone":"+41791234567","name":"Anna","givenName":"A","middleName":"B","familyName":"C"}}`,
			otp.StartRequest{
				Purpose: otp.PurposeSignUp, To: phone, Slot: slot("anna"), Wish: otp.Wish{Name: "anna"},
				Metadata: []byte(`{"name":"Anna","givenName":"A","middleName":"B","familyName":"C"}`),
			}, masked,
		},
		"Options": {
			"signin", `{"loginId":"anna","providerId":"x","ssoAppId":"y","loginOptions":{"stepup":false,"locale":"de-CH","templateId":"t","tenantId":"u",` +
				`"templateOptions":{"order":"17"},"customClaims":{"order":{"no":17}},"pkceChallenge":"` + challenge + `","revokeOtherSessionsTypes":["a"]}}`,
			otp.StartRequest{
				Purpose: otp.PurposeSignIn, Slot: slot("anna"), Locale: "de-CH",
				Wish: otp.Wish{Claims: []byte(`{"order":{"no":17}}`), Challenge: challenge, Options: map[string]string{"order": "17"}},
			}, "***",
		},
		"NullsAreNothing": {
			"signup", `{"loginId":"+41791234567","phone":null,"user":{"name":null},"providerId":null,"loginOptions":{"stepup":null,"mfa":null,"customClaims":null,"templateOptions":null,"locale":null,"pkceChallenge":null,"revokeOtherSessions":null}}`,
			otp.StartRequest{Purpose: otp.PurposeSignUp, To: phone, Slot: slot(phone)}, masked,
		},
		"NoClaimsAreNothing": {"signin", `{"loginId":"anna","loginOptions":{"customClaims":{}}}`, otp.StartRequest{Purpose: otp.PurposeSignIn, Slot: slot("anna")}, "***"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			a := d.do(post("/v1/auth/otp/"+test.path+"/sms", test.body))
			if a.Status != 200 {
				t.Fatalf("got %d %s", a.Status, a.Body)
			}
			test.want.Reveal = true
			if !reflect.DeepEqual(d.core.Started, test.want) {
				t.Errorf("the core was asked for\n%+v, want\n%+v", d.core.Started, test.want)
			}
			if got := a.member("maskedPhone"); got != test.masked {
				t.Errorf("maskedPhone is %q, want %q", got, test.masked)
			}
		})
	}
}

// TestRefusedBeforeTheCore: what can be told from the call alone sends nothing
// and charges nobody.
func TestRefusedBeforeTheCore(t *testing.T) {
	session := project + ":" + refreshToken
	options := func(o string) request {
		return post("/v1/auth/otp/signin/sms", `{"loginId":"anna","loginOptions":`+o+`}`)
	}
	for name, test := range map[string]struct {
		request request
		status  int
		code    string
	}{
		"NoBody":           {post("/v1/auth/otp/signin/sms", ""), 400, "E011002"},
		"BlankLogin":       {post("/v1/auth/otp/signup-in/sms", `{"loginId":"  "}`), 400, "E011002"},
		"NameWithoutPhone": {post("/v1/auth/otp/signup/sms", `{"loginId":"anna"}`), 400, "E011002"},
		"TwoPhones":        {post("/v1/auth/otp/signup/sms", `{"loginId":"+41791234567","phone":"+41790000000"}`), 400, "E011003"},
		"TwoUsersPhones":   {post("/v1/auth/otp/signup/sms", `{"loginId":"+41791234567","user":{"phone":"+41790000000"}}`), 400, "E011003"},
		"LongProfile":      {post("/v1/auth/otp/signup/sms", `{"loginId":"+41791234567","user":{"name":"`+strings.Repeat("a", 1020)+`"}}`), 400, "E011003"},
		"SignUpStepUp":     {post("/v1/auth/otp/signup/sms", `{"loginId":"+41791234567","loginOptions":{"stepup":true}}`).as(session), 400, "E011003"},
		"Twice":            {post("/v1/auth/otp/signin/sms", `{"loginId":"anna","loginId":"berta"}`), 400, "E011003"},
		"NotUTF8":          {post("/v1/auth/otp/signin/sms", "{\"loginId\":\"\xff\"}"), 400, "E011003"},
		"Array":            {post("/v1/auth/otp/signin/sms", `[]`), 400, "E011003"},
		"Deep":             {post("/v1/auth/otp/signin/sms", `{"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`}`), 400, "E011003"},
		"ClaimsAreAnArray": {options(`{"customClaims":[1]}`), 400, "E011003"},
		"ClaimsAreAString": {options(`{"customClaims":"{}"}`), 400, "E011003"},
		"ClaimsAreLong":    {options(`{"customClaims":{"a":"` + strings.Repeat("a", 1020) + `"}}`), 400, "E011003"},
		"PKCEShort":        {options(`{"pkceChallenge":"` + challenge[1:] + `"}`), 400, "E011003"},
		"PKCELong":         {options(`{"pkceChallenge":"` + challenge + `A"}`), 400, "E011003"},
		"PKCEPadded":       {options(`{"pkceChallenge":"` + challenge + `="}`), 400, "E011003"},
		"PKCEStandard":     {options(`{"pkceChallenge":"` + strings.ReplaceAll(challenge, "-", "+") + `"}`), 400, "E011003"},
		"PKCENewline":      {options(`{"pkceChallenge":"` + challenge[:42] + `\n"}`), 400, "E011003"},
		"OptionIsANumber":  {options(`{"templateOptions":{"order":17}}`), 400, "E011003"},
		"StepUp":           {options(`{"stepup":true}`), 401, "E064001"},
		"MFA":              {options(`{"mfa":true}`), 401, "E064001"},
		"RevokeOthers":     {options(`{"revokeOtherSessions":true}`), 401, "E064001"},
		"StepUpDead":       {options(`{"stepup":true}`).as(project + ":head.dead.seal"), 401, "E064001"},
		"StepUpSecretKey":  {options(`{"stepup":true}`).as(project + ":" + secret), 401, "E064001"},
		"UpdateNoLogin":    {post("/v1/auth/otp/update/phone/sms", `{"phone":"+41791234567"}`).as(session), 400, "E011002"},
		"UpdateNoPhone":    {post("/v1/auth/otp/update/phone/sms", `{"loginId":"anna"}`).as(session), 400, "E011002"},
		"VerifyNothing":    {post("/v1/auth/otp/verify/sms", ``), 400, "E011002"},
		"VerifyNumber":     {post("/v1/auth/otp/verify/sms", `{"loginId":"anna","code":493827}`), 400, "E011003"},
		"ExchangeNoCode":   {post("/v1/auth/exchange", `{"codeVerifier":"`+verifier+`"}`), 400, "E011002"},
		"ExchangeNoVerify": {post("/v1/auth/exchange", `{"code":"b25jZQ"}`), 400, "E011002"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			a := d.do(test.request)
			if a.Status != test.status || a.member("errorCode") != test.code {
				t.Errorf("got %d %s, want %d %s", a.Status, a.Body, test.status, test.code)
			}
			if len(d.core.Called) > 0 {
				t.Errorf("the core was asked to %v", d.core.Called)
			}
		})
	}
}

// TestClaimsOfTheBoxAreReserved: the project id is public, so anybody can send
// custom claims.
func TestClaimsOfTheBoxAreReserved(t *testing.T) {
	for _, name := range []string{
		"sub", "iss", "aud", "exp", "nbf", "iat", "jti", "amr", "sid", "ctr", "roles", "permissions", "tenants", "phone_verified",
		"app_metadata", "drn", "rexp", "su", "dsub", "nsec", "Roles", "SUB",
	} {
		d := open(t)
		a := d.do(post("/v1/auth/otp/signin/sms", fmt.Sprintf(`{"loginId":"anna","loginOptions":{"customClaims":{"order":1,%q:1}}}`, name)))
		if a.Status != 400 || len(d.core.Called) > 0 {
			t.Errorf("%s: got %d %s", name, a.Status, a.Body)
		}
	}
}

// TestStepUp: a step-up is of the session that asks, whichever way in was taken.
func TestStepUp(t *testing.T) {
	for _, path := range []string{"signin", "signup-in"} {
		for _, login := range []string{"anna", phone} {
			for _, option := range []string{"stepup", "mfa"} {
				d := open(t)
				a := d.do(post("/v1/auth/otp/"+path+"/sms", fmt.Sprintf(`{"loginId":%q,"loginOptions":{%q:true}}`, login, option)).as(project + ":" + refreshToken))
				if a.Status != 200 {
					t.Fatalf("%s %s: got %d %s", path, login, a.Status, a.Body)
				}
				if s := d.core.Started; s.Purpose != otp.PurposeStepUp || s.Family != d.core.Grant.Session.ID {
					t.Errorf("%s %s: purpose %q of family %s", path, login, s.Purpose, s.Family)
				}
			}
		}
	}
}

func TestRevokeOthersIsOfTheSessionThatAsks(t *testing.T) {
	d := open(t)
	a := d.do(post("/v1/auth/otp/signin/sms", `{"loginId":"anna","loginOptions":{"revokeOtherSessions":true}}`).as(project + ":" + refreshToken))
	if s := d.core.Started; a.Status != 200 || s.Purpose != otp.PurposeSignIn || !s.Wish.RevokeOthers || s.Family != d.core.Grant.Session.ID {
		t.Errorf("got %d for %+v", a.Status, s)
	}
}

func TestChangePhone(t *testing.T) {
	d := open(t)
	r := post("/v1/auth/otp/update/phone/sms", `{"loginId":"Anna","phone":"+41791234567","locale":"fr","templateOptions":{"order":"17"},"mfa":true,"failOnConflict":false}`)
	if a := d.do(r.as(project + ":" + refreshToken)); a.Status != 200 || a.member("maskedPhone") != masked {
		t.Fatalf("got %d %s", a.Status, a.Body)
	}
	want := otp.StartRequest{
		Purpose: otp.PurposeChangePhone, To: phone, Slot: otp.Slot{Door: "descope", Login: "Anna", Named: true}, Reveal: true, Locale: "fr",
		Family: d.core.Grant.Session.ID, Wish: otp.Wish{Options: map[string]string{"order": "17"}},
	}
	if !reflect.DeepEqual(d.core.Started, want) {
		t.Errorf("the core was asked for\n%+v, want\n%+v", d.core.Started, want)
	}
}

// TestOtherChannels: none is configured, and none becomes an SMS silently
//
func TestOtherChannels(t *testing.T) {
	for _, call := range []string{"signin", "signup", "signup-in", "verify", "update/phone"} {
		for _, channel := range []string{"voice", "whatsapp", "im", "email", "SMS", "pigeon"} {
			d := open(t)
			r := post("/v1/auth/otp/"+call+"/"+channel, `{"loginId":"anna","phone":"+41791234567","code":"493827"}`)
			a := d.do(r.as(project + ":" + refreshToken))
			if a.Status != 400 || a.member("errorCode") != "E011003" || len(d.core.Called) > 0 {
				t.Errorf("%s: got %d %s", r.Path, a.Status, a.Body)
			}
		}
	}
}

// TestNoAnswerEchoesTheNumber: what was typed comes back masked or not at all.
func TestNoAnswerEchoesTheNumber(t *testing.T) {
	for _, code := range append(otp.Codes(), "") {
		d := open(t)
		if code != "" {
			d.core.Err = &otp.Error{Code: code, Detail: "What to do."}
		}
		for _, path := range []string{"signin", "signup", "signup-in"} {
			a := d.do(post("/v1/auth/otp/"+path+"/sms", `{"loginId":"`+phone+`"}`))
			if bytes.Contains(a.Body, []byte("1234567")) {
				t.Errorf("%s %s: %s", path, code, a.Body)
			}
		}
	}
}
