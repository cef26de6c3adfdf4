package strike_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web/webtest"
)

func TestSend(t *testing.T) {
	s := openStrike(t)
	a := s.do("POST /otp", strikeSend)
	a.Golden(t, "sent")
	if a.Status != 200 || !strings.Contains(a.Body, `"+1***-***-0100"`) || strings.Contains(a.Body, phone[1:]) {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
	if s.Started.To != phone || s.Started.Channel != "sms" || string(s.Started.Metadata) != `{"name":"Ada"}` || s.Started.Slot != (otp.Slot{Door: "strike"}) {
		t.Errorf("the core was asked for %+v", s.Started)
	}
	g := openGoTrue(t)
	a = g.do("POST /otp", gotrueSend)
	a.Golden(t, "gotruesent")
	if a.Status != 200 || g.Started.To != phone || g.Started.Slot != (otp.Slot{Door: "gotrue"}) {
		t.Errorf("the core was asked for %+v", g.Started)
	}
}

// TestCaptcha has the solution read where either vendor's clients put it.
func TestCaptcha(t *testing.T) {
	for name, test := range map[string]struct{ body, want string }{
		"Strike":  {strikeSend, "t"},
		"GoTrue":  {gotrueSend, "t"},
		"Both":    {`{"phone":"+12125550100","captcha_token":"a","gotrue_meta_security":{"captcha_token":"b"}}`, "a"},
		"Null":    {`{"phone":"+12125550100","captcha_token":null,"gotrue_meta_security":null}`, ""},
		"Empty":   {`{"phone":"+12125550100","gotrue_meta_security":{}}`, ""},
		"Neither": {`{"phone":"+12125550100"}`, ""},
	} {
		for door, open := range doors {
			h := open(t)
			if a := h.do("POST /otp", test.body); a.Status != 200 || h.Started.Captcha != test.want {
				t.Errorf("%s at %s: got %d, solution %q", name, door, a.Status, h.Started.Captcha)
			}
		}
	}
}

// TestCreateUser has the two defaults, which are each other's opposite.
func TestCreateUser(t *testing.T) {
	for name, test := range map[string]struct {
		open    string
		body    string
		purpose otp.Purpose
		reveal  bool
	}{
		"StrikeDefault": {"Strike", `{"phone":"+12125550100"}`, otp.PurposeSignIn, true},
		"StrikeNull":    {"Strike", `{"phone":"+12125550100","create_user":null}`, otp.PurposeSignIn, true},
		"StrikeFalse":   {"Strike", `{"phone":"+12125550100","create_user":false}`, otp.PurposeSignIn, true},
		"StrikeTrue":    {"Strike", `{"phone":"+12125550100","create_user":true}`, otp.PurposeSignUpOrIn, false},
		"GoTrueDefault": {"GoTrue", `{"phone":"+12125550100"}`, otp.PurposeSignUpOrIn, true},
		"GoTrueFalse":   {"GoTrue", `{"phone":"+12125550100","create_user":false}`, otp.PurposeSignIn, true},
		"GoTrueTrue":    {"GoTrue", `{"phone":"+12125550100","create_user":true}`, otp.PurposeSignUpOrIn, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := doors[test.open](t)
			if a := h.do("POST /otp", test.body); a.Status != 200 || h.Started.Purpose != test.purpose || h.Started.Reveal != test.reveal {
				t.Errorf("got %d, purpose %s, reveal %v", a.Status, h.Started.Purpose, h.Started.Reveal)
			}
		})
	}
}

// TestSpelling has what each vendor calls a phone: GoTrue's clients leave the
// plus sign out, and Strike's page asks for it.
func TestSpelling(t *testing.T) {
	for typed, want := range map[string]string{
		"12125550100": "+12125550100", "+12125550100": "+12125550100", " 12125550100": "+12125550100",
		"0012125550100": "0012125550100", "": "", "+": "+", "\u200b1": "\u200b1",
	} {
		g, s := openGoTrue(t), openStrike(t)
		g.do("POST /otp", `{"phone":"`+typed+`"}`)
		s.do("POST /otp", `{"phone":"`+typed+`"}`)
		if g.Started.To != want || s.Started.To != typed {
			t.Errorf("%q: GoTrue asks for %q, Strike for %q", typed, g.Started.To, s.Started.To)
		}
	}
}

func TestSendRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"DataIsAString": `{"phone":"+12125550100","data":"x"}`,
		"DataTooLarge":  `{"phone":"+12125550100","data":{"a":"` + strings.Repeat("x", 1025) + `"}}`,
		"PhoneTwice":    `{"phone":"+12125550100","phone":"+12125550101"}`,
		"PhoneNumber":   `{"phone":12125550100}`,
		"CreateString":  `{"phone":"+12125550100","create_user":"yes"}`,
		"Array":         `[]`,
		"Cut":           `{"phone":"+1212`,
	} {
		for door, open := range doors {
			t.Run(door+name, func(t *testing.T) {
				h := open(t)
				if a := h.do("POST /otp", body); a.Status != 400 || len(h.Called) > 0 || strings.Contains(a.Body, "2125550") {
					t.Errorf("got %d %s, the core was asked to %v", a.Status, a.Body, h.Called)
				}
			})
		}
	}
	openStrike(t).do("POST /otp", `{"phone":12125550100}`).Golden(t, "badbody")
	openGoTrue(t).do("POST /otp", `{"phone":12125550100}`).Golden(t, "gotruebadbody")
}

func TestResend(t *testing.T) {
	for name, test := range map[string]struct {
		open, body string
		slot       otp.Slot
		golden     string
	}{
		"Strike":     {"Strike", strikeResend, otp.Slot{Door: "strike", Login: phone}, "sent"},
		"StrikeBare": {"Strike", `{"phone":"+12125550100"}`, otp.Slot{Door: "strike", Login: phone}, "sent"},
		"GoTrue":     {"GoTrue", gotrueResend, otp.Slot{Door: "gotrue", Login: phone}, "empty"},
		"Change":     {"GoTrue", resendChange, otp.Slot{Door: "gotrue:change", Login: phone}, "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			h := doors[test.open](t)
			a := h.do("POST /resend", test.body)
			a.Golden(t, test.golden)
			if a.Status != 200 || h.Slot != test.slot {
				t.Errorf("got %d, slot %+v", a.Status, h.Slot)
			}
		})
	}
}

// TestResendWithoutCode asks for a message where no code waits: GoTrue answers
// as if one did, and Strike says that there is none, but not why.
func TestResendWithoutCode(t *testing.T) {
	for _, code := range []otp.Code{otp.CodeUnknown, otp.CodeExpired, otp.CodeUsed, otp.CodeExhausted, otp.CodeWrong} {
		g, s := openGoTrue(t), openStrike(t)
		g.Err, s.Err = webtest.Refusal(code), webtest.Refusal(code)
		a := g.do("POST /resend", gotrueResend)
		if a.Golden(t, "empty"); a.Status != 200 {
			t.Errorf("%s: got %d", code, a.Status)
		}
		a = s.do("POST /resend", strikeResend)
		if a.Golden(t, "idle"); a.Status != 400 {
			t.Errorf("%s: got %d", code, a.Status)
		}
	}
	g := openGoTrue(t)
	g.Err = webtest.Refusal(otp.LimitPhone)
	if a := g.do("POST /resend", gotrueResend); a.Status != 429 {
		t.Errorf("a limit: got %d %s", a.Status, a.Body)
	}
}

func TestKindsOfCodes(t *testing.T) {
	for door, open := range doors {
		for _, call := range []string{"POST /resend", "POST /verify"} {
			for _, body := range []string{
				`{"type":"email","phone":"+12125550100","token":"1"}`, `{"type":"sms","token":"1"}`, `{}`, `{"type":"magiclink","token_hash":"x"}`,
			} {
				h := open(t)
				if a := h.do(call, body); a.Status != 400 || len(h.Called) > 0 {
					t.Errorf("%s %s %s: got %d %s, the core was asked to %v", door, call, body, a.Status, a.Body, h.Called)
				}
			}
		}
	}
	s := openStrike(t)
	if a := s.do("POST /verify", `{"type":"phone_change","phone":"+12125550100","token":"1"}`); a.Status != 400 || len(s.Called) > 0 {
		t.Errorf("Strike changes phones: %d %s", a.Status, a.Body)
	}
	g := openGoTrue(t)
	if a := g.do("POST /verify", `{"phone":"+12125550100","token":"1"}`); a.Status != 400 || len(g.Called) > 0 {
		t.Errorf("GoTrue needs no type: %d %s", a.Status, a.Body)
	}
}

func TestFaultsAreLeftToTheServer(t *testing.T) {
	for door, open := range doors {
		h := open(t)
		h.Err = errors.New("disk of 10.0.0.7 is on fire")
		c := h.request("POST /otp", strikeSend).Call(t.Context())
		if err := webtest.Find(t, h.Door, c)(c); !errors.Is(err, h.Err) {
			t.Errorf("%s: the handler returned %v", door, err)
		}
	}
}
