package otp

import "context"

// Slot is how a door finds a verification without a handle. The zero Slot is
// none. Its subject, which is as the door will see it again at the check, is
// the address key of Login (or of the phone that the code goes to, where Login
// is ""); with Named, the id of the user that Login names, else the address
// key, else "@" and the login name.
type Slot struct {
	Door  string // its name, and more where it has several kinds of slots
	Login string // a phone or a login name, as typed
	Named bool   // the door has login names
}

// slotRow names the one verification of a slot.
type slotRow struct {
	_  struct{} `cbor:",toarray"`
	ID ID
}

func slotKey(app, word string) Key { return Key{KindSlot, app + "\x00" + word} }

// word returns what names the slot among those of the app: the door and the
// subject. login is Login as it was parsed.
func (s Slot) word(tx Tx, app string, login Address) (string, error) {
	subject := login.Key
	if s.Named {
		u, found, err := findUser(tx, app, login)
		if err != nil {
			return "", err
		}
		if found {
			subject = u.ID.String()
		}
	}
	return s.Door + ":" + subject, nil
}

// occupant returns the id of the one verification in a slot, zero for none.
func occupant(tx Tx, app, word string) (ID, error) {
	var row slotRow
	_, err := load(tx, slotKey(app, word), &row)
	return row.ID, err
}

// finder finds a verification inside a closure; a zero ID is none.
type finder func(Tx) (ID, error)

func byID(id ID) finder { return func(Tx) (ID, error) { return id, nil } }

// bySlot finds by a slot. A login that cannot be one has nobody in its slot.
func bySlot(c Caller, slot Slot) finder {
	login, err := parseLogin(slot.Login)
	if err != nil {
		return byID(ID{})
	}
	return func(tx Tx) (ID, error) {
		word, err := slot.word(tx, c.App.ID, login)
		if err != nil {
			return ID{}, err
		}
		return occupant(tx, c.App.ID, word)
	}
}

// GetSlot is [Verifications.Get] for the one verification that occupies a slot.
func (v *Verifications) GetSlot(ctx context.Context, c Caller, slot Slot) (Progress, error) {
	return v.read(ctx, c, bySlot(c, slot))
}

// CheckSlot is [Verifications.Check] for the one verification that occupies a
// slot.
func (v *Verifications) CheckSlot(ctx context.Context, c Caller, slot Slot, digits string) (Progress, error) {
	return v.evaluate(ctx, c, digits, bySlot(c, slot))
}

// ResendSlot is [Verifications.Resend] for the one verification that occupies a
// slot.
func (v *Verifications) ResendSlot(ctx context.Context, c Caller, slot Slot, channel string) (Progress, error) {
	return v.sendAgain(ctx, c, bySlot(c, slot), channel)
}

// CancelSlot is [Verifications.Cancel] for the one verification that occupies a
// slot, and returns it as it stands then.
func (v *Verifications) CancelSlot(ctx context.Context, c Caller, slot Slot) (Progress, error) {
	return v.cancel(ctx, c, bySlot(c, slot))
}
