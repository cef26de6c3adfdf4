package relay

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/pinferry/pinferry/otp"
)

// form is what an HTTP provider's interface looks like, as data: how a message
// is written, and what proves that it was taken. URL, header values and body
// may hold the placeholders of [placeholders].
type form struct {
	method, url string
	header      map[string]string
	content     string // content type of the body
	body        string
	// report is written at {report} when reports are wanted, and holds
	// {callback}.
	report string

	success success
	ref     pointer // the provider's id of the message
	// code and words are where a refusal is explained; faults says what the codes
	// mean.
	code, words pointer
	faults      map[string]fault
	// once tells that a second request under the same {id} sends nothing new.
	once bool
	// least and most are the shortest and the longest life, in seconds, that {ttl}
	// may say; 0 is one second, and no bound.
	least, most int64
	// codes tells that nothing but codes can be carried, codes alone.
	codes bool
	// channel is "" for [otp.ChannelSMS].
	channel string
	hook    hook
}

// success is what an answer must hold to count as taken: one of the statuses
// AND in field one of the values; with no values, any string that is not empty,
// any number, or true. All else is a refusal.
type success struct {
	status []int
	field  pointer
	values []string
}

// fault is what a provider's own error code means.
type fault uint8

const (
	faultUnknown   fault = iota
	faultRecipient       // no route reaches this number, or it does not want to be reached
	faultNumber          // this provider does not send to such numbers; another may
	faultThrottled       // too fast
	faultRights          // credentials, rights, credit: nothing goes until somebody acts
)

// placeholders are the names that stand for a value in a form. to is in digits
// without a plus sign, id is ours, ttl counts the seconds left; basic is user and
// secret as HTTP's Basic scheme writes them.
func placeholders() []string {
	return []string{"to", "text", "code", "id", "ttl", "from", "user", "secret", "basic", "template", "language", "callback"}
}

// writer is a form made ready for one relay.
type writer struct {
	method  string
	host    *url.URL // scheme and host of url
	url     template
	header  map[string]template
	body    template
	content string
	static  map[string]string // the values that are the same for every message
	least   int64
	most    int64
}

// newWriter checks a form and cuts up its templates. base, if set, takes the
// place of scheme and host of the form's URL, with a path before its path.
func newWriter(f *form, base, callback string, static map[string]string) (*writer, error) {
	w := &writer{method: f.method, content: f.content, least: max(1, f.least), most: cmp.Or(f.most, math.MaxInt64), static: maps.Clone(static), header: map[string]template{}}
	w.static["callback"] = callback
	w.static["basic"] = base64.StdEncoding.EncodeToString([]byte(static["user"] + ":" + static["secret"]))
	escape, err := escapeOf(f.content)
	if err != nil {
		return nil, err
	}
	report := ""
	if callback != "" {
		report = f.report
	}
	if w.body, err = newTemplate(strings.Replace(f.body, "{report}", report, 1), escape, placeholders()...); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	if w.url, err = newTemplate(base+f.url, inURL, placeholders()...); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	// What is filled in must not choose the server.
	w.host, err = url.Parse(w.url.pieces[0].text)
	if err != nil || w.host.Host == "" || w.host.User != nil || len(w.url.pieces) > 1 && strings.Count(w.url.pieces[0].text, "/") < 3 {
		return nil, errors.New(`url: write it whole, "https://host/path", with no placeholder and no password in the host`)
	}
	for name, source := range f.header {
		t, err := newTemplate(source, inHeader, placeholders()...)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		w.header[http.CanonicalHeaderKey(name)] = t
	}
	return w, nil
}

// write returns the request that carries a message.
func (w *writer) write(ctx context.Context, out otp.Outgoing, now otp.Time) (*http.Request, error) {
	values := maps.Clone(w.static)
	values["to"], values["text"], values["code"] = out.Dial, out.Text, out.Code
	values["id"] = out.Message.String()
	values["ttl"] = strconv.FormatInt(min(max(w.least, int64(out.Deadline.Sub(now).Seconds())), w.most), 10)
	target, err := w.url.fill(values)
	if err != nil {
		return nil, err
	}
	body, err := w.body.fill(values)
	if err != nil {
		return nil, err
	}
	q, err := http.NewRequestWithContext(ctx, w.method, target, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, errors.New("the URL cannot be read") // its text may hold a secret
	}
	q.Header.Set("Content-Type", w.content)
	q.Header.Set("Accept", typeJSON)
	q.Header.Set("User-Agent", "pinferry")
	for _, name := range slices.Sorted(maps.Keys(w.header)) {
		t := w.header[name]
		value, err := t.fill(values)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		q.Header.Set(name, value)
	}
	return q, nil
}

// taken tells whether an answer proves that the provider has the message.
func (s *success) taken(status int, body []byte) bool {
	if !slices.Contains(s.status, status) || s.field == "" {
		return false
	}
	got := s.field.scalar(body)
	if len(s.values) > 0 {
		return got != "" && slices.Contains(s.values, got)
	}
	return got != "" && got != "false"
}
