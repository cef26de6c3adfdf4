package relay

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
)

// twilio is Twilio's Programmable Messaging. user is the account's SID; from is
// a number, a name, or the SID of a messaging service.
func twilio() kind {
	return kind{
		name: "twilio", base: "https://api.twilio.com", needs: []string{"user", "secret_file", "from"},
		form: form{
			method: "POST", url: "/2010-04-01/Accounts/{user}/Messages.json", content: typeForm,
			header:  map[string]string{"Authorization": "Basic {basic}"},
			body:    "To=%2B{to}&From={from}&Body={text}&ValidityPeriod={ttl}{report}",
			report:  "&StatusCallback={callback}",
			most:    14400, // the service refuses a longer one
			success: success{status: []int{201}, field: "/sid"}, ref: "/sid",
			code: "/code", words: "/message",
			// The codes of Twilio's error dictionary.
			faults: map[string]fault{
				"20003": faultRights, "20005": faultRights, "21603": faultRights, "21606": faultRights, "30002": faultRights,
				"20429": faultThrottled, "14107": faultThrottled, "21611": faultThrottled,
				"21211": faultRecipient, "21217": faultRecipient, "21610": faultRecipient, "21614": faultRecipient,
			},
			hook: hook{
				form: true, id: "/MessageSid", status: "/MessageStatus", delivered: []string{"delivered", "read"},
				failed: []string{"undelivered", "failed"}, signed: signedByTwilio, ownSecret: true,
			},
		},
		adapt: func(f *form, c *Config) {
			if strings.HasPrefix(c.From, "MG") {
				f.body = strings.Replace(f.body, "From=", "MessagingServiceSid=", 1)
			}
		},
	}
}

// signedByTwilio checks X-Twilio-Signature: the base64 of HMAC-SHA-1, under the
// account's token, of the URL that was called and the form's fields in the
// order of their names, each name followed by its value.
func signedByTwilio(c Callback, s signing) bool {
	mac := hmac.New(sha1.New, []byte(s.secret))
	mac.Write([]byte(s.origin + c.Target))
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		values := slices.Sorted(slices.Values(s.fields[name]))
		for _, value := range slices.Compact(values) {
			mac.Write([]byte(name + value))
		}
	}
	given, err := base64.StdEncoding.DecodeString(c.Header("X-Twilio-Signature"))
	return err == nil && hmac.Equal(given, mac.Sum(nil))
}
