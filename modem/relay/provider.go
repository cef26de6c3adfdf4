package relay

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
)

// provider carries messages over HTTP as a form says.
type provider struct {
	form   *form
	writer *writer
	way    *Egress
	now    func() otp.Time
}

var errBody = errors.New("body: with its placeholders filled in it is no JSON")

// newProvider writes a message on trial: what cannot be written is found before
// the first one comes.
func newProvider(f *form, base, callback string, static map[string]string, way *Egress, now func() otp.Time) (*provider, error) {
	w, err := newWriter(f, base, callback, static)
	if err != nil {
		return nil, err
	}
	trial := otp.Outgoing{Dial: "41790000000", Text: "\"text\"\n", Code: "000000", Deadline: now()}
	q, err := w.write(context.Background(), trial, now())
	if err != nil {
		return nil, fmt.Errorf("write a message on trial: %w", err)
	}
	body := make([]byte, q.ContentLength)
	if _, err := q.Body.Read(body); len(body) > 0 && err != nil {
		return nil, fmt.Errorf("read the trial: %w", err)
	}
	if isJSON(f.content) && len(body) > 0 && !jsontext.Value(body).IsValid() {
		return nil, errBody
	}
	return &provider{f, w, way, now}, nil
}

// carry implements carrier.
func (p *provider) carry(ctx context.Context, out otp.Outgoing) (otp.Verdict, rest) {
	q, err := p.writer.write(ctx, out, p.now())
	if err != nil {
		return refused(otp.ReasonEncoding, otp.RetryElsewhere, err.Error()), rest{}
	}
	answer, err := p.way.Do(q)
	if err != nil {
		return unanswered(ctx, err)
	}
	return p.form.answered(answer, p.now(), out.Text, out.Code, p.writer.static["secret"], p.writer.static["basic"])
}
