package relay

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/pinferry/pinferry/otp"
)

// whatsapp is WhatsApp's Cloud API. It carries codes only, as the parameter of
// an approved authentication template with a button that copies the code: no
// other text may open a conversation. user is the phone number id; callback_file
// holds the app's secret, which signs the reports.
func whatsapp() kind {
	return kind{
		name: "whatsapp", base: "https://graph.facebook.com", needs: []string{"user", "secret_file", "template", "language"},
		form: form{
			method: "POST", url: "/v23.0/{user}/messages", content: typeJSON,
			header: map[string]string{"Authorization": "Bearer {secret}"},
			body: `{"messaging_product":"whatsapp","recipient_type":"individual","to":"{to}","type":"template",` +
				`"template":{"name":"{template}","language":{"code":"{language}"},"components":[` +
				`{"type":"body","parameters":[{"type":"text","text":"{code}"}]},` +
				`{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"{code}"}]}]}}`,
			success: success{status: []int{200}, field: "/messages/0/id"}, ref: "/messages/0/id",
			code: "/error/code", words: "/error/message",
			faults: map[string]fault{
				"0": faultRights, "10": faultRights, "190": faultRights, "131031": faultRights, "131042": faultRights, "368": faultRights,
				"4": faultThrottled, "80007": faultThrottled, "130429": faultThrottled, "131048": faultThrottled, "131056": faultThrottled,
				"131021": faultRecipient, "131026": faultRecipient, "131030": faultRecipient, "131050": faultRecipient,
			},
			codes: true, channel: otp.ChannelWhatsApp,
			hook: hook{
				list: "/entry/0/changes/0/value/statuses", id: "/id", status: "/status", delivered: []string{"delivered", "read"},
				failed: []string{"failed"}, signed: signedByMeta, challenges: true,
			},
		},
	}
}

// signedByMeta checks X-Hub-Signature-256: "sha256=" and the hex of HMAC-SHA-256
// of the body under the app's secret.
func signedByMeta(c Callback, s signing) bool {
	hexed, ok := strings.CutPrefix(c.Header("X-Hub-Signature-256"), "sha256=")
	given, err := hex.DecodeString(hexed)
	mac := hmac.New(sha256.New, []byte(s.token))
	mac.Write(c.Body)
	return ok && err == nil && s.token != "" && hmac.Equal(given, mac.Sum(nil))
}
