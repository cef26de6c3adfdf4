package relay

// pinferry is another box of this kind. The message is handed to it as a plain
// text. Our id goes along as the Idempotency-Key, but no box tells a repeat of a
// plain message by it yet, so that none is made. How far it comes from there is
// not asked.
func pinferry() kind {
	return kind{
		name: "pinferry", needs: []string{"url", "secret_file"},
		form: form{
			method: "POST", url: "/v1/messages", content: typeJSON,
			header:  map[string]string{"Authorization": "Bearer {secret}", "Idempotency-Key": "{id}"},
			body:    `{"to":"+{to}","text":"{text}","priority":"high","ttl":"{ttl}s"}`,
			least:   60, // a box takes no shorter life
			success: success{status: []int{202}, field: "/state", values: []string{"accepted", "sending", "sent"}}, ref: "/id",
			code: "/code", words: "/detail",
			faults: map[string]fault{
				"invalid_phone": faultRecipient, "number_refused": faultRecipient, "country_refused": faultNumber,
			},
		},
	}
}
