package console_test

import (
	"regexp"
	"testing"

	"github.com/pinferry/pinferry/server/console"
)

func TestScrub(t *testing.T) {
	for text, want := range map[string]string{
		"":                                                          "",
		"nothing to hide, 12 of 100":                                "nothing to hide, 12 of 100",
		"to +41791234567.":                                          "to +***********.",
		"to +41 79 123 45 67!":                                      "to +** ** *** ** **!",
		"to +1 (555) 010-9999, then":                                "to +* (***) ***-****, then",
		"0041791234567 and 079 1234 567":                            "************* and *** **** ***",
		"code 1234, 123456; G-12345678x":                            "code ****, ******; G-********x",
		"at 2026-11-22T10:00:00.123Z":                               "at 2026-11-22T10:00:00.123Z",
		"2026-11-22T10:00:00+0100 box":                              "2026-11-22T10:00:00+0100 box",
		"2091-23-45 is no day":                                      "****-23-45 is no day",
		"listen 127.0.0.1:7467":                                     "listen 127.0.0.1:7467",
		"by ada.lovelace@example.com":                               "by a***@example.com",
		"sk_abc and pk_x-1_y":                                       "[removed] and [removed]",
		`keys = ["sha256:00ff00ff00ff00ff"]`:                        `keys = ["[removed]"]`,
		"Authorization: Bearer abcdefghij":                          "Authorization: Bearer [removed]",
		"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl":         "[removed]",
		"msg_0123456789abcdef0123456789abcdef is sent":              "msg_0123456789abcdef0123456789abcdef is sent",
		"token=QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2":  "token=[removed]",
		`Post "https://u:p@ss!w0rd@relay:80/send?to=x&key=AbC": no`: `Post "https://[removed]@relay:80/send?to=[removed]&key=[removed]": no`,
		"Password = hunter2; api-key: 'zz', x":                      "Password = [removed]; api-key: '[removed]', x",
		"Authorization: Basic am9l":                                 "Authorization: Basic [removed]",
		`"X-Api-Key" = "abc"`:                                       `"X-Api-Key" = "[removed]"`,
		`{"level":"warn","secret":"3HUV-I24Q-3GID-B5AJ"}`:           `{"level":"warn","secret":"[removed]"}`, // as the box logs that of a setup
		"secret_file: /etc/pinferry/s: no such file":                "secret_file: /etc/pinferry/s: no such file",
		"auth 0f1e2d3c4b5a69788796a5b4c3d2e1f0 end":                 "auth [removed] end",
		"call 079 123 45 67 or (044) 123/45.67":                     "call *** *** ** ** or (***) ***/**.**",
		"+41\u00a079\u00a0123 from 10.0.0.10, v0.58.0":              "+**\u00a0**\u00a0*** from 10.0.0.10, v0.58.0",
		"٠٧٩١٢٣٤":                                                   "*******",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw end":                "[removed] end",
	} {
		if got := console.Scrub(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// Whatever stands around them, a number and a code do not get through.
func FuzzScrub(f *testing.F) {
	f.Add("message to", "was sent")
	f.Add("\"phone\":\"", "\"}")
	f.Add("2026-11-22 ", "+1 ")
	f.Add("sk_", "@example.com")
	planted := regexp.MustCompile(`1234567|271828`)
	f.Fuzz(func(t *testing.T, before, after string) {
		got := console.Scrub(before + " +41791234567 code 271828 " + after)
		if planted.MatchString(got) && !planted.MatchString(before+"|"+after) {
			t.Errorf("got through: %q", got)
		}
	})
}

func TestOrigin(t *testing.T) {
	for address, want := range map[string]string{
		"":                                  "",
		"https://u:p@sms.example/send?k=v1": "https://sms.example/...",
		"http://10.0.0.7:8080":              "http://10.0.0.7:8080/...",
		"sk_secret":                         console.Removed,
		"https://%zz":                       console.Removed,
	} {
		if got := console.Origin(address); got != want {
			t.Errorf("%s: got %q, want %q", address, got, want)
		}
	}
}
