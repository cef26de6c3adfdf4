package relay

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// Webhook is an HTTP interface as its owner describes it. A message counts as
// taken if the answer has one of the statuses AND holds, at SuccessField, one
// of SuccessValues; all else is a refusal.
type Webhook struct {
	// Method is POST, PUT or GET; "" is POST.
	Method string
	// Headers and Body hold placeholders: {to} (digits without a plus sign),
	// {text}, {code} (empty for a plain message), {id} (ours), {ttl} (seconds
	// left), {from}, {user}, {secret}, {basic} (user:secret in base64) and
	// {callback}. A value is escaped for where it stands. Body "" is the JSON
	// {"id","to","text"}, or nothing with GET.
	Headers map[string]string
	Body    string
	// ContentType is JSON, a form or plain text; "" is application/json.
	ContentType string
	// SuccessStatus are the statuses of success; empty is 200, 201, 202.
	SuccessStatus []int
	// SuccessField is a JSON pointer, required. SuccessValues may be empty: then
	// any string but the empty one, any number, or true will do.
	SuccessField  string
	SuccessValues []string
	// Reference points at the other side's id of the message; "" is none, and
	// no report can come.
	Reference string
	// IdempotencyHeader names the header that carries our id, if the other side
	// sends nothing twice under one id. Only then is a message whose outcome is
	// unknown repeated there.
	IdempotencyHeader string
}

// webhook is the kind that the config describes. Its reports are the JSON
// {"id","status"} with status "delivered" or "undelivered".
func webhook() kind {
	return kind{
		name: "webhook", needs: []string{"url", "success_field"},
		takes: []string{
			"from", "user", "secret_file", "method", "headers", "body", "content_type", "success_status", "success_values", "reference", "idempotency_header",
		},
		form: form{
			hook: hook{id: "/id", status: "/status", delivered: []string{"delivered"}, failed: []string{"undelivered"}},
		},
		adapt: func(f *form, c *Config) {
			w := &c.Webhook
			f.method = cmp.Or(w.Method, http.MethodPost)
			f.content = cmp.Or(w.ContentType, typeJSON)
			if f.body = w.Body; w.Body == "" && f.method != http.MethodGet {
				f.body = `{"id":"{id}","to":"+{to}","text":"{text}"}`
			}
			f.header = map[string]string{}
			maps.Copy(f.header, w.Headers)
			if f.once = w.IdempotencyHeader != ""; f.once {
				f.header[w.IdempotencyHeader] = "{id}"
			}
			f.success = success{w.SuccessStatus, pointer(w.SuccessField), w.SuccessValues}
			if len(w.SuccessStatus) == 0 {
				f.success.status = []int{200, 201, 202}
			}
			f.ref = pointer(w.Reference)
		},
		check: func(c *Config) error { return c.Webhook.check() },
	}
}

// check refuses what could not work, naming the key.
func (w *Webhook) check() error {
	switch {
	case !slices.Contains([]string{"", http.MethodPost, http.MethodPut, http.MethodGet}, w.Method):
		return errors.New("method: use POST, PUT or GET")
	case w.SuccessField == "" || !pointer(w.SuccessField).ok():
		return errors.New(`success_field: a JSON pointer, "/status"`)
	case !pointer(w.Reference).ok():
		return errors.New(`reference: a JSON pointer, "/id"`)
	}
	for name := range w.Headers {
		if http.CanonicalHeaderKey(name) == "Content-Type" {
			return errors.New("headers: say content_type in place of the header; the body is escaped by it")
		}
	}
	for _, status := range w.SuccessStatus {
		if status < 200 || status > 299 {
			return fmt.Errorf("success_status: %d says that the message was not taken; use 200 to 299", status)
		}
	}
	return nil
}
