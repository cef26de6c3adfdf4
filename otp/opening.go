package otp

// opening is one start inside its closure.
type opening struct {
	v   *Verifications
	tx  Tx
	c   Caller
	r   *StartRequest
	now Time
	// to is where the code shall go and login what the slot is named by, as
	// typed; the zero Address is not given.
	to, login Address
	// holder is the user whom the slot is named by; the zero User is nobody.
	holder User
	// solved is what came of the captcha that was sent along, and shown tells
	// whether its proof has been taken.
	solved judged
	shown  bool

	p Progress
	// fresh tells whether p.Message is one that the dispatcher must hear of, and
	// seat holds its place until then.
	fresh bool
	seat  seat
}

// run begins the verification, or refuses to. Whatever it decides is written by
// the closure it runs in: what was charged stays charged.
func (o *opening) run() (*Error, error) {
	if replayed, refusal, err := o.replay(); err != nil || replayed || refusal != nil {
		return refusal, err
	}
	if refusal, err := o.captcha(); err != nil || refusal != nil {
		return refusal, err
	}
	refusal, err := o.begin()
	o.giveBack(refusal)
	return refusal, err
}

// begin is run once the caller has shown that it may ask.
func (o *opening) begin() (*Error, error) {
	u, refusal, err := o.asking()
	if err != nil || refusal != nil {
		return refusal, o.regret(err)
	}
	if refusal, err := o.locate(&u); err != nil || refusal != nil {
		return refusal, o.regret(err)
	}
	ver := o.v.verification(o.c, o.r, o.to, o.now)
	ver.User = u.ID
	if !u.ID.IsZero() {
		ver.Family = o.r.Family
	}
	if o.r.Slot.Door != "" {
		if ver.Slot, err = o.r.Slot.word(o.tx, ver.App, o.login); err != nil {
			return nil, err
		}
		if again, refusal, err := o.again(&ver); err != nil || again {
			return refusal, err
		}
	}
	if refusal, err := o.admit(&ver); err != nil || refusal != nil {
		return refusal, err
	}
	if refusal, err := o.reveal(&ver); err != nil || refusal != nil {
		return refusal, err
	}
	return nil, o.write(&ver)
}

// asking reads the user of the session that asks, where one is needed.
func (o *opening) asking() (u User, refusal *Error, err error) {
	changes := o.r.Purpose == PurposeChangePhone
	if !changes && o.r.Purpose != PurposeStepUp && !o.r.Wish.RevokeOthers {
		return User{}, nil, nil
	}
	_, u, live, err := liveSession(o.tx, o.c, o.r.Family, o.now)
	switch {
	case err != nil:
		return u, nil, err
	case !live:
		return u, noSession(), nil
	case changes:
		return u, u.roomFor(o.r.Wish.Name), nil
	}
	return u, nil, nil
}

// locate settles where the code goes and what the slot is named by. u is who
// asks, if anybody must: a session speaks for its own user alone.
func (o *opening) locate(u *User) (*Error, error) {
	if o.r.Slot.Named && o.login.Key != "" {
		named, found, err := findUser(o.tx, o.c.App.ID, o.login)
		if err != nil {
			return nil, err
		}
		// The country of a phone that nobody typed would tell of its user.
		hidden := o.c.App.Private && u.ID.IsZero() && o.c.App.reaches(named.Address) != nil
		if found {
			o.holder = named
		}
		switch {
		case !u.ID.IsZero() && named.ID != u.ID:
			return noSession(), nil
		case o.to.Key == "" && found && !hidden:
			o.to = named.Address
		case o.to.Key == "":
			o.to = o.login // nobody's, or none that anybody may know of
		}
	}
	if o.to.Key == "" {
		o.to = u.Address
	}
	switch {
	case o.r.Purpose == PurposeStepUp && o.to.Key != u.Address.Key:
		return refuse(InvalidRequest, "A step-up goes to the user's own phone or email address. Leave to out."), nil
	case o.r.Purpose != PurposeChangePhone && !u.ID.IsZero() && o.to.Key != u.Address.Key:
		return noSession(), nil
	}
	if o.login.Key == "" {
		o.login = o.to
	}
	if o.to.Kind == loginName {
		return nil, nil
	}
	return o.reach(), nil
}

// reach refuses an address that the app may not send to, or not by that channel:
// one that was stored, too.
func (o *opening) reach() *Error {
	if refusal := o.c.App.reaches(o.to); refusal != nil {
		return refusal
	}
	if refusal := suits(o.r.Channel, o.to.Kind); refusal != nil {
		return refusal
	}
	if o.to.Kind == Email && !o.r.Email {
		return refuse(InvalidRequest, "Codes to email addresses are not to be had in this wire format.")
	}
	return o.v.outbox.checkChannel(o.c.App, o.to.usual())
}

// again makes the start a resend of whoever is in the slot, if the door wants
// it so and the same is asked for.
func (o *opening) again(ver *Verification) (again bool, refusal *Error, err error) {
	if !o.r.Again {
		return false, nil, nil
	}
	id, err := occupant(o.tx, ver.App, ver.Slot)
	if err != nil {
		return false, nil, err
	}
	t := try{v: o.v, tx: o.tx, c: o.c, now: o.now}
	found := false
	if t.ver, found, err = loadOwn(o.tx, o.c, id); err != nil || !found {
		return false, nil, err
	}
	if t.ver.StatusAt(o.now) != Pending || t.ver.Purpose != ver.Purpose || t.ver.Address.Key != ver.Address.Key {
		return false, nil, nil
	}
	o.p, o.fresh, refusal, err = o.v.resend(&t, ResendSame, "", &o.seat)
	return true, refusal, err
}

// admit refuses what cannot be sent, or not now, and charges the rest.
func (o *opening) admit(ver *Verification) (*Error, error) {
	if ver.Fixed { // nothing is sent to a test number, and it may have any number of codes
		return nil, nil
	}
	if ver.Channel != ChannelInbound {
		if o.c.App.optedOut(o.tx, ver.Address, true) {
			return hasOptedOut(), o.regret(nil)
		}
		d := demand{o.c.App, ver.Channel, PriorityCode, ver.life()}
		if refusal := o.v.outbox.admit(o.tx, d, &o.seat); refusal != nil {
			return refusal, nil
		}
	}
	if ver.Slot == "" {
		live, err := loadLive(o.tx, liveKey(ver), o.now)
		if err != nil {
			return nil, err
		}
		if len(live.All) >= maxLive {
			o.v.box.Metrics.limitedBy(ruleLive)
			return refuseFor(LimitAddress, live.earliest().Sub(o.now), "Three codes for this number are still valid. Use one of them, or wait until one has expired."), o.regret(nil)
		}
	}
	return o.v.charge(o.tx, o.c, ver, o.now)
}

// reveal tells what the register has against the start, if the door tells so
// now. All limits have been charged, and so has the look-up, whatever it finds:
// who counts refusals learns nothing about a number.
func (o *opening) reveal(ver *Verification) (*Error, error) {
	if !o.r.Reveal || o.c.App.Private || ver.Purpose == PurposeVerify && !ver.Decoy {
		return nil, nil
	}
	if err := o.regret(nil); err != nil {
		return nil, err
	}
	_, _, refusal, err := ver.registered(o.tx)
	if ver.Decoy && refusal == nil {
		refusal = notRegistered()
	}
	if err != nil || refusal == nil || ver.Fixed {
		return refusal, err
	}
	if err := o.v.box.unsent(o.tx, o.c.App, ver.Address, o.now); err != nil {
		return nil, err
	}
	if ver.Slot != "" {
		return refusal, nil
	}
	// It holds the place among the live ones that a code would have.
	return refusal, keepAlive(o.tx, ver, o.now)
}

// write makes the verification and its message.
func (o *opening) write(ver *Verification) error {
	if ver.Slot != "" {
		if err := o.occupy(ver); err != nil {
			return err
		}
	}
	if ver.Channel == ChannelInbound {
		if err := o.v.askBack(o.tx, ver); err != nil {
			return err
		}
	} else {
		o.p.Message = o.v.message(ver, o.now, o.seat.eta)
	}
	if !ver.Fixed {
		if err := keepAlive(o.tx, ver, o.now); err != nil {
			return err
		}
	}
	saveVerification(o.tx, ver)
	o.p.Verification = *ver
	if ver.Channel != ChannelInbound {
		o.fresh = post(o.tx, ver, &o.p.Message)
	}
	o.v.box.verificationEvent(o.tx, ver, o.now)
	o.remember()
	o.v.box.Clock.Mark(o.tx)
	return nil
}

// occupy gives ver its slot, and cancels who was in it. A user's code keeps its
// place against a code to somebody else's phone: anybody can start one under
// the user's login, as often as their own numbers bear it, and would so cancel
// every code that the user waits for.
func (o *opening) occupy(ver *Verification) error {
	id, err := occupant(o.tx, ver.App, ver.Slot)
	if err != nil {
		return err
	}
	old, found, err := loadVerification(o.tx, id)
	if err != nil {
		return err
	}
	if found && old.StatusAt(o.now) == Pending && o.heldBy(&old) && !o.heldBy(ver) {
		ver.Slot = ""
		return nil
	}
	if found && old.StatusAt(o.now) == Pending {
		old.Status = Canceled
		o.v.box.verificationEvent(o.tx, &old, o.now)
		if _, err := o.v.end(o.tx, &old, ReasonCanceled, o.now); err != nil {
			return err
		}
	}
	save(o.tx, slotKey(ver.App, ver.Slot), slotRow{ID: ver.ID}, ver.Expires.Add(keepEnded))
	return nil
}

// heldBy tells whether a verification is one of the holder of the slot: it goes
// to the holder's phone, or a session of theirs has asked for it.
func (o *opening) heldBy(v *Verification) bool {
	return !o.holder.ID.IsZero() && (v.Address.Key == o.holder.Address.Key || v.User == o.holder.ID)
}

// regret charges a refusal to the caller's address. It passes err on.
func (o *opening) regret(err error) error {
	if err != nil {
		return err
	}
	_, err = o.v.box.chargeRefusal(o.tx, o.c, o.now)
	return err
}
