package relay

// presets are the providers whose interface the engine of this package speaks
// as it is: data alone. Sources: each vendor's public reference of the API that
// the URL names.
func presets() []kind {
	return []kind{
		{
			name: "vonage", base: "https://api.nexmo.com", needs: []string{"user", "secret_file", "from"},
			form: form{
				method: "POST", url: "/v1/messages", content: typeJSON,
				header:  map[string]string{"Authorization": "Basic {basic}"},
				body:    `{"channel":"sms","message_type":"text","to":"{to}","from":"{from}","text":"{text}","client_ref":"{id}"{report}}`,
				report:  `,"webhook_url":"{callback}","webhook_version":"v1"`,
				success: success{status: []int{202}, field: "/message_uuid"}, ref: "/message_uuid",
				words: "/detail",
				hook:  hook{id: "/message_uuid", status: "/status", delivered: []string{"delivered"}, failed: []string{"undeliverable", "rejected"}},
			},
		},
		{
			name: "plivo", base: "https://api.plivo.com", needs: []string{"user", "secret_file", "from"},
			form: form{
				method: "POST", url: "/v1/Account/{user}/Message/", content: typeJSON,
				header:  map[string]string{"Authorization": "Basic {basic}"},
				body:    `{"src":"{from}","dst":"{to}","text":"{text}"{report}}`,
				report:  `,"url":"{callback}","method":"POST"`,
				success: success{status: []int{202}, field: "/message_uuid/0"}, ref: "/message_uuid/0",
				words: "/error",
				hook:  hook{form: true, id: "/MessageUUID", status: "/Status", delivered: []string{"delivered"}, failed: []string{"undelivered", "failed", "rejected"}},
			},
		},
		{
			// user is the workspace and from the channel. Reports are subscribed to
			// in the workspace and not taken here.
			name: "bird", base: "https://api.bird.com", needs: []string{"user", "secret_file", "from"},
			form: form{
				method: "POST", url: "/workspaces/{user}/channels/{from}/messages", content: typeJSON,
				header:  map[string]string{"Authorization": "AccessKey {secret}"},
				body:    `{"receiver":{"contacts":[{"identifierKey":"phonenumber","identifierValue":"+{to}"}]},"body":{"type":"text","text":{"text":"{text}"}},"reference":"{id}"}`,
				success: success{status: []int{202}, field: "/id"}, ref: "/id",
				code: "/code", words: "/message",
			},
		},
		{
			// user is the service plan.
			name: "sinch", base: "https://eu.sms.api.sinch.com", needs: []string{"user", "secret_file", "from"},
			form: form{
				method: "POST", url: "/xms/v1/{user}/batches", content: typeJSON,
				header:  map[string]string{"Authorization": "Bearer {secret}"},
				body:    `{"from":"{from}","to":["+{to}"],"body":"{text}","client_reference":"{id}"{report}}`,
				report:  `,"delivery_report":"per_recipient_final","callback_url":"{callback}"`,
				success: success{status: []int{201}, field: "/id"}, ref: "/id",
				code: "/code", words: "/text",
				hook: hook{
					id: "/batch_id", status: "/status", delivered: []string{"Delivered"},
					failed: []string{"Failed", "Expired", "Rejected", "Aborted", "Cancelled", "Deleted"},
				},
			},
		},
		{
			// url is the account's own domain. Group 1 is pending, 3 delivered.
			name: "infobip", needs: []string{"url", "secret_file", "from"},
			form: form{
				method: "POST", url: "/sms/3/messages", content: typeJSON,
				header:  map[string]string{"Authorization": "App {secret}"},
				body:    `{"messages":[{"sender":"{from}","destinations":[{"to":"{to}"}],"content":{"text":"{text}"}{report}}]}`,
				report:  `,"webhooks":{"delivery":{"url":"{callback}"},"contentType":"application/json"}`,
				success: success{status: []int{200}, field: "/messages/0/status/groupId", values: []string{"1", "3"}}, ref: "/messages/0/messageId",
				code: "/errorCode", words: "/description",
				hook: hook{
					list: "/results", id: "/messageId", status: "/status/groupName", delivered: []string{"DELIVERED"},
					failed: []string{"UNDELIVERABLE", "EXPIRED", "REJECTED"},
				},
			},
		},
		{
			name: "46elks", base: "https://api.46elks.com", needs: []string{"user", "secret_file", "from"},
			form: form{
				method: "POST", url: "/a1/sms", content: typeForm,
				header:  map[string]string{"Authorization": "Basic {basic}"},
				body:    "from={from}&to=%2B{to}&message={text}{report}",
				report:  "&whendelivered={callback}",
				success: success{status: []int{200}, field: "/status", values: []string{"created", "sent", "delivered"}}, ref: "/id",
				hook: hook{form: true, id: "/id", status: "/status", delivered: []string{"delivered"}, failed: []string{"failed"}},
			},
		},
		{
			// Its reports go where the integration was told to send them.
			name: "clickatell", base: "https://platform.clickatell.com", needs: []string{"secret_file"},
			form: form{
				method: "POST", url: "/v1/message", content: typeJSON,
				header:  map[string]string{"Authorization": "{secret}"},
				body:    `{"messages":[{"channel":"sms","to":"{to}","content":"{text}","clientMessageId":"{id}"}]}`,
				success: success{status: []int{200, 202}, field: "/messages/0/accepted", values: []string{"true"}}, ref: "/messages/0/apiMessageId",
				code: "/messages/0/error/code", words: "/messages/0/error/description",
				hook: hook{
					list: "/event/messageStatusUpdate", id: "/messageId", status: "/status", delivered: []string{"DEVICE_ACK", "READ"},
					failed: []string{"EXPIRED", "STOPPED_BY_USER", "STOPPED_BY_ADMIN", "DELIVERY_FAILURE", "RECIPIENT_DOES_NOT_EXIST", "ROUTING_ERROR"},
				},
			},
		},
	}
}
