package otp

import (
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// ChannelInbound is the channel on which nothing is sent: the person texts the
// box, and the sender of that SMS is what is proven. Senders can be spoofed, so
// an app has to ask for it ([App].Inbound), and for sessions once more
// ([App].InboundSignIn).
const ChannelInbound = "inbound"

const (
	textBackLife   = 120 * time.Second
	textBackLength = 8 // base32 characters: 40 bits
)

// textBackOf returns what a person must text: 8 base32 characters, derived
// under a key label of their own, so they say nothing of any code and die with
// the epoch as codes do.
func (k *Keys) textBackOf(e epoch, v *Verification) string {
	sum := k.Seal("pinferry text back v1", e.Value[:], v.ID[:])
	return base32.StdEncoding.EncodeToString(sum[:])[:textBackLength]
}

// textBackKey is where a text leads to its verification. The store holds no
// text, only its digest.
func (k *Keys) textBackKey(text string) Key {
	d := k.Seal("pinferry text back digest v1", []byte(text))
	return Key{KindTextBack, string(d[:16])}
}

// textBackIn reads what somebody texted as one of our texts: case, spaces and
// the marks that people and phones put around it do not count.
func textBackIn(said string) (string, bool) {
	if len(said) > 4*textBackLength {
		return "", false
	}
	said = strings.ToUpper(strings.NewReplacer(" ", "", "-", "", ".", "", `"`, "", "\r", "", "\n", "").Replace(said))
	ours := len(said) == textBackLength && strings.Trim(said, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
	return said, ours
}

// inboundRefusal refuses a start of [ChannelInbound] that the app has not
// allowed, or that no modem could hear.
func (v *Verifications) inboundRefusal(c Caller, r *StartRequest) *Error {
	switch {
	case !c.App.Inbound || c.Door != "":
		return refuse(InvalidRequest, "This app does not take SMS as a proof. Leave channel out, or set it to sms.")
	case r.Purpose != PurposeVerify && !c.App.InboundSignIn:
		return refuse(InvalidRequest, "The channel inbound is for the purpose verify only, unless the app has inbound_sign_in = true.")
	}
	if _, hears := v.outbox.hears(); !hears {
		return refuseFor(ChannelUnavailable, 10*time.Second, "No modem is ready to receive the SMS now.")
	}
	return nil
}

// hears returns the number to text to, "" if the config names none, and
// whether a modem is there to receive the SMS.
func (o *Outbox) hears() (number string, ok bool) {
	for _, l := range o.lanes {
		if s := l.route.Status(); s.State == RouteDown || s.Kind != "modem" && s.Kind != "simulator" {
			continue
		}
		if n := o.box.Numbers[l.route.Name()]; n != "" {
			return n, true
		}
		ok = true
	}
	return "", ok
}

// textBackListKey sorts an app's verifications that wait for a text with the
// newest first, as [listKey] sorts the messages of the others.
func textBackListKey(ver *Verification) Key {
	part := append([]byte(ver.App), 0)
	part = binary.BigEndian.AppendUint64(part, ^uint64(ver.Created))
	return Key{KindTextBackList, string(append(part, ver.ID[:]...))}
}

// textBackRow is what waits under the digest of a text.
type textBackRow struct {
	_      struct{} `cbor:",toarray"`
	ID     ID       // of the verification
	Texted Time     // when the SMS came, if a check must still hand out what it gives; else 0
}

// textBackRow reads the row of a verification of [ChannelInbound].
func (v *Verifications) textBackRow(tx Tx, ver *Verification) (text string, row textBackRow, err error) {
	e, err := loadEpoch(tx)
	if err != nil {
		return "", row, err
	}
	text = v.box.Keys.textBackOf(e, ver)
	_, err = load(tx, v.box.Keys.textBackKey(text), &row)
	return text, row, err
}

// askBack makes a verification one that waits for an SMS.
func (v *Verifications) askBack(tx Tx, ver *Verification) error {
	text, row, err := v.textBackRow(tx, ver)
	if err != nil {
		return err
	}
	row.ID = ver.ID
	tx.Put(textBackListKey(ver), nil, ver.Created.Add(keepEnded))
	save(tx, v.box.Keys.textBackKey(text), row, ver.Expires)
	return nil
}

// tellBack puts into the answer of a start what to text, and where to.
func (v *Verifications) tellBack(tx Tx, p *Progress) (err error) {
	p.TextThis, _, err = v.textBackRow(tx, &p.Verification)
	p.TextTo, _ = v.outbox.hears()
	return err
}

// textBack takes the SMS as a proof, if it is one that a verification waits
// for. result is "" if it is none.
func (r *reception) textBack() (result string, err error) {
	text, ours := textBackIn(r.in.Text)
	if !ours {
		return "", nil
	}
	k := r.o.box.Keys.textBackKey(text)
	var row textBackRow
	if found, err := load(r.tx, k, &row); err != nil || !found {
		return "", err
	}
	ver, found, err := loadVerification(r.tx, row.ID)
	if err != nil {
		return "", err
	}
	e, err := loadEpoch(r.tx)
	if err != nil {
		return "", err
	}
	app, known := r.o.box.Apps.ByID(ver.App)
	switch {
	case !found || !known || !app.Inbound || ver.StatusAt(r.now) != Pending,
		subtle.ConstantTimeCompare([]byte(text), []byte(r.o.box.Keys.textBackOf(e, &ver))) != 1: // of an earlier epoch
		return "text_back_late", nil
	case !r.proves || r.from.Key == "" || r.from.Key != ver.Address.Key:
		return "text_back_wrong_sender", nil
	}
	if ver.Purpose != PurposeVerify {
		// What it gives is for who holds the id: the check hands it out.
		row.Texted = r.now
		save(r.tx, k, row, ver.Expires)
		r.o.box.Clock.Mark(r.tx)
		return "text_back", nil
	}
	r.tx.Delete(k)
	t := try{v: NewVerifications(r.o.box, r.o), tx: r.tx, c: Caller{App: app, Door: ver.Door}, now: r.now, ver: ver}
	_, err = t.approve() // the purpose verify has nothing to refuse
	r.proven = t.ver
	return "text_back", err
}

// texted returns what a check of a verification of [ChannelInbound] is
// compared with: its text, once the SMS has come, and nothing before that.
func (t *try) texted() (want string, err error) {
	text, row, err := t.v.textBackRow(t.tx, &t.ver)
	if err != nil || row.Texted == 0 || !t.c.App.InboundSignIn {
		return "", err
	}
	return text, nil
}
