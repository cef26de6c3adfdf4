package otp

import "time"

// idempotentFor is how long a repeated request is recognised.
const idempotentFor = 10 * time.Minute

// idempotencyRow remembers a request by digests of the client's key and body.
type idempotencyRow struct {
	_            struct{} `cbor:",toarray"`
	Body         [32]byte
	Verification ID
	Until        Time
}

func (o *opening) idempotencyKey() Key {
	d := o.v.box.Keys.digest(o.c.App.ID, o.c.Door, o.r.IdempotencyKey)
	return Key{KindIdempotency, o.c.App.ID + "\x00" + string(d[:])}
}

// replay answers a repeated request with what the first one got.
func (o *opening) replay() (replayed bool, refusal *Error, err error) {
	if o.r.IdempotencyKey == "" {
		return false, nil, nil
	}
	var row idempotencyRow
	found, err := load(o.tx, o.idempotencyKey(), &row)
	if err != nil || !found || row.Until <= o.now {
		return false, nil, err
	}
	if row.Body != o.v.box.Keys.digest(string(o.r.Body)) {
		return false, refuse(Conflict, "This Idempotency-Key was used with another body. Use a new key for a new request."), nil
	}
	ver, found, err := loadVerification(o.tx, row.Verification)
	if err != nil || !found {
		return false, nil, err
	}
	o.p.Verification = ver
	o.p.Message, _, err = loadMessage(o.tx, ver.Message)
	return true, nil, err
}

// remember makes a repeat of the request recognisable.
func (o *opening) remember() {
	if o.r.IdempotencyKey == "" {
		return
	}
	until := o.now.Add(idempotentFor)
	save(o.tx, o.idempotencyKey(), idempotencyRow{
		Body: o.v.box.Keys.digest(string(o.r.Body)), Verification: o.p.Verification.ID, Until: until,
	}, until)
}
