package otp

// approve ends the verification well, remembers the number as known, takes
// back what is still queued, and does what the proof was for. A refusal comes
// from the register: the number is proven and the code is used all the same.
func (t *try) approve() (*Error, error) {
	t.ver.Status, t.ver.Approved, t.ended = Approved, t.now, true
	t.v.box.verificationEvent(t.tx, &t.ver, t.now)
	if t.ver.Channel != ChannelInbound { // whose sender can be spoofed
		known, err := loadKnown(t.tx, t.ver.Address)
		if err != nil {
			return nil, err
		}
		if !known.recent(t.now) && !t.ver.Fixed {
			if err := t.v.box.verified(t.tx, t.c.App, t.c, t.ver.Address, t.now); err != nil {
				return nil, err
			}
		}
		known.verified(t.tx, t.ver.Address, source(t.c.Address), t.now)
	}
	if t.ver.Slot != "" {
		t.tx.Delete(slotKey(t.ver.App, t.ver.Slot))
	}
	var err error
	if t.message, err = t.v.end(t.tx, &t.ver, ReasonApproved, t.now); err != nil {
		return nil, err
	}
	switch t.ver.Purpose {
	case PurposeVerify:
		return nil, nil
	case PurposeChangePhone:
		return t.changePhone()
	case PurposeStepUp:
		return t.stepUp()
	}
	return t.signIn()
}

// signIn makes the user, if the purpose allows it, and opens a session.
func (t *try) signIn() (*Error, error) {
	u, found, refusal, err := t.ver.registered(t.tx)
	if err != nil || refusal != nil {
		return refusal, err
	}
	wish := t.ver.wish()
	if wish.RevokeOthers && (!found || u.ID != t.ver.User) {
		return noSession(), nil // the number has changed hands since the start
	}
	if !found {
		u = createUser(t.tx, t.ver.App, t.ver.Address, t.ver.Metadata, t.now)
		nameUser(t.tx, &u, wish.Name)
	}
	if wish.RevokeOthers {
		u.Era++
	}
	t.grant = &Grant{First: u.Logins == 0}
	u.Verified, u.LastLogin = t.now, t.now
	u.Logins++
	saveUser(t.tx, &u)
	t.grant.User = u
	switch {
	case !t.c.App.Sessions:
	case wish.Challenge != "":
		t.grant.Exchange = openExchange(t.tx, t.c, &u, &wish, t.grant.First, t.now)
	default:
		t.grant.Session = openSession(t.tx, t.c, &u, wish.Claims, t.now)
	}
	return nil, nil
}

// changePhone gives the user of the session that asked the proven number, and
// ends all other sessions: whoever held the old phone may hold one.
func (t *try) changePhone() (*Error, error) {
	s, u, live, err := liveSession(t.tx, t.c, t.ver.Family, t.now)
	if err != nil || !live {
		return noSession(), err
	}
	if _, _, refusal, err := t.ver.registered(t.tx); err != nil || refusal != nil {
		return refusal, err
	}
	if refusal := u.roomFor(t.ver.wish().Name); refusal != nil {
		return refusal, nil
	}
	moveUser(t.tx, &u, t.ver.Address)
	nameUser(t.tx, &u, t.ver.wish().Name)
	u.Verified, u.Updated = t.now, t.now
	t.revokeOthers(&s, &u)
	return nil, nil
}

// stepUp notes the proof in the session that asked for it.
func (t *try) stepUp() (*Error, error) {
	s, u, live, err := liveSession(t.tx, t.c, t.ver.Family, t.now)
	if err != nil || !live || u.Address.Key != t.ver.Address.Key {
		return noSession(), err
	}
	s.StepUp, u.Verified = t.now, t.now
	if t.ver.wish().RevokeOthers {
		t.revokeOthers(&s, &u)
		return nil, nil
	}
	t.keep(&s, &u)
	return nil, nil
}

// revokeOthers keeps s alone of the user's sessions.
func (t *try) revokeOthers(s *Session, u *User) {
	u.Era++
	s.Era = u.Era
	t.keep(s, u)
}

func (t *try) keep(s *Session, u *User) {
	saveUser(t.tx, u)
	saveSession(t.tx, s)
	t.grant = &Grant{User: *u, Session: s}
}
