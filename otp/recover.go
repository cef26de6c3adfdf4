package otp

import (
	"context"
	"sort"
)

// recover rebuilds the index of accepted messages from the outbox rows. What
// an earlier process left in `sending` has an unknown outcome: it is held back
// for recoverAfter, in case a delivery report tells, and then settled.
func (d *dispatcher) recover() error {
	box := d.o.box
	now := box.Clock.Now()
	d.heldDials = map[ID]string{}
	var waiting []Message
	err := box.Store.View(context.Background(), func(tx Tx) error {
		var ids []ID
		err := tx.Scan(Key{Kind: KindOutbox}, Key{Kind: KindOutbox}, 0, func(k Key, _ []byte) bool {
			ids = append(ids, ID([]byte(k.Part)))
			return true
		})
		if err != nil {
			return err
		}
		for _, id := range ids {
			m, found, err := loadMessage(tx, id)
			if err != nil {
				// One damaged row must not keep the others from being sent.
				box.Log.Error().Err(err).Str("message", id.String()).Msg("a queued message cannot be read")
				continue
			}
			switch {
			case !found:
			case m.State == MessageAccepted:
				waiting = append(waiting, m)
			case m.State == MessageSending:
				d.hold(&m, now)
			}
		}
		return nil
	})
	sort.Slice(waiting, func(i, j int) bool { return waiting[i].Created < waiting[j].Created })
	for _, m := range waiting {
		d.queue.push(newEntry(&m, box.Apps.test(m.App), d.o.tickets.Add(1)), now)
	}
	d.tally()
	return err
}

func (d *dispatcher) hold(m *Message, now Time) {
	d.held = append(d.held, verdictEvent{message: m.ID, verdict: Verdict{Outcome: Unknown, Reason: ReasonRestart}})
	d.heldUntil = now.Add(recoverAfter) // no route can tell yet whether it has reports
	d.heldDials[m.ID] = m.Route + "\x00" + m.Address.Dial
}

// release settles what was held back long enough.
func (d *dispatcher) release(now Time) {
	if now < d.heldUntil || len(d.held) == 0 {
		return
	}
	d.pending.verdicts = append(d.pending.verdicts, d.held...)
	d.held, d.heldUntil = nil, 0
	clear(d.heldDials)
}

// uncertain finds the one message to r's number over r's route whose outcome is
// not known: it is the one that the network reports on under a reference that
// was never learned. Two of them cannot be told apart, and neither is matched.
func (d *dispatcher) uncertain(r Report) (id ID, ok bool) {
	found := 0
	want := r.Route + "\x00" + r.Dial
	for held, dial := range d.heldDials {
		if dial == want {
			id, found = held, found+1
		}
	}
	for _, t := range d.queue.ends {
		if e := t.e; !e.gone && e.maybeRoute == r.Route && e.maybeDial == r.Dial {
			id, found = e.id, found+1
		}
	}
	return id, found == 1
}
