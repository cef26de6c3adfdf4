package otp

import "context"

// Directory acts on users and their sessions. Its methods may be called from
// any goroutine; each does what it does in one closure of the store. Users and
// sessions of another app are as unknown as none.
type Directory struct {
	box *Box
}

// NewDirectory returns the acting type over a box.
func NewDirectory(box *Box) *Directory { return &Directory{box: box} }

// User reads a user. An unknown id is [NotRegistered].
func (d *Directory) User(ctx context.Context, c Caller, id ID) (u User, err error) {
	var found bool
	err = d.box.Store.View(ctx, func(tx Tx) (err error) {
		u, found, err = loadUser(tx, c.App.ID, id)
		return err
	})
	return orNotRegistered(u, found, err)
}

// Find reads the user of a phone as typed, or of a login name; in an app with
// email, what looks like an email address is one, and no login name that anybody
// may have taken without a proof. An unknown one is [NotRegistered]. Each look-up
// without a secret key is charged to the caller's address ([LimitAddress]), and
// in a private app it finds nobody.
func (d *Directory) Find(ctx context.Context, c Caller, login string) (u User, err error) {
	l, unreadable := parseLogin(login)
	if c.App.Email && isEmail(login) {
		l, unreadable = c.App.parse(login, true)
	}
	var found bool
	find := func(tx Tx) (err error) {
		if unreadable == nil && (c.Secret || !c.App.Private) {
			u, found, err = findUser(tx, c.App.ID, l)
		}
		return err
	}
	if c.Secret {
		err = d.box.Store.View(ctx, find)
		return orNotRegistered(u, found, err)
	}
	var limited *Error
	err = d.box.Store.Update(ctx, func(tx Tx) (err error) {
		if limited, err = d.box.chargeRefusal(tx, c, d.box.Clock.Now()); err != nil || limited != nil {
			return err
		}
		return find(tx)
	})
	if err == nil && limited != nil {
		d.box.Metrics.limited(refusals)
		return User{}, limited
	}
	return orNotRegistered(u, found, err)
}

func orNotRegistered(u User, found bool, err error) (User, error) {
	switch {
	case err != nil:
		return User{}, err
	case !found:
		return User{}, refuse(NotRegistered, "There is no such user.")
	}
	return u, nil
}

// Users lists the users of the caller's app in the order of their ids, at most
// limit (1 to 100) of them, from the cursor on; next is "" at the end.
func (d *Directory) Users(ctx context.Context, c Caller, limit int, cursor string) (page []User, next string, err error) {
	limit = min(max(limit, 1), 100)
	prefix := userPrefix(c.App.ID)
	after := Key{Kind: KindUser}
	if cursor != "" {
		id, ok := ParseID(cursor)
		if !ok {
			return nil, "", refuse(InvalidRequest, "cursor is not one that this call has returned.")
		}
		after = userKey(c.App.ID, id)
	}
	page, more, err := records[User](ctx, d.box.Store, prefix, after, limit)
	if err != nil {
		return nil, "", err
	}
	if more {
		next = page[limit-1].ID.String()
	}
	return page, next, nil
}

// Create makes a user for an address that has not been proven. It needs a
// secret key. Refusals: [Forbidden], [InvalidPhone], [InvalidRequest] (an email
// address that cannot be sent to), [NumberRefused], [CountryRefused],
// [AlreadyRegistered].
func (d *Directory) Create(ctx context.Context, c Caller, r UserRequest) (u User, err error) {
	if !c.Secret {
		return User{}, refuse(Forbidden, "Only a secret key (sk_) may create users: anybody else proves the number first.")
	}
	a, err := c.App.parse(r.To, isEmail(r.To))
	if err != nil {
		return User{}, err
	}
	var there bool
	err = d.box.Store.Update(ctx, func(tx Tx) (err error) {
		if _, there, err = findUser(tx, c.App.ID, a); err != nil || there {
			return err
		}
		u = createUser(tx, c.App.ID, a, r.Metadata, d.box.Clock.Now())
		d.box.Clock.Mark(tx)
		return nil
	})
	switch {
	case err != nil:
		return User{}, err
	case there:
		return User{}, refuse(AlreadyRegistered, "There is such a user already.")
	}
	return u, nil
}

// Change changes a user. Disabling one ends all its sessions. An unknown id is
// [NotRegistered].
func (d *Directory) Change(ctx context.Context, c Caller, id ID, change UserChange) (User, error) {
	return d.update(ctx, c, id, func(tx Tx, u *User, now Time) error {
		barred := u.Disabled
		if change.Metadata != nil {
			u.Metadata = change.Metadata
		}
		if change.Enabled != nil {
			if !*change.Enabled {
				u.Era++
			}
			u.Disabled = !*change.Enabled
		}
		u.Updated = now
		if by := c.actor(); u.Disabled != barred {
			return d.box.audit(tx, by, map[bool]string{true: "user.block", false: "user.unblock"}[u.Disabled], "usr_"+u.ID.String())
		}
		return nil
	})
}

// update changes the record of a user, in one closure with whatever else fn
// writes.
func (d *Directory) update(ctx context.Context, c Caller, id ID, fn func(Tx, *User, Time) error) (u User, err error) {
	var found bool
	err = d.box.Store.Update(ctx, func(tx Tx) (err error) {
		if u, found, err = loadUser(tx, c.App.ID, id); err != nil || !found {
			return err
		}
		if err := fn(tx, &u, d.box.Clock.Now()); err != nil {
			return err
		}
		saveUser(tx, &u)
		d.box.Clock.Mark(tx)
		return nil
	})
	return orNotRegistered(u, found, err)
}

// Remove forgets a user, its login names and its sessions. An unknown id is
// [NotRegistered].
func (d *Directory) Remove(ctx context.Context, c Caller, id ID) error {
	var found bool
	err := d.box.Store.Update(ctx, func(tx Tx) error {
		u, ok, err := loadUser(tx, c.App.ID, id)
		if found = ok; err != nil || !found {
			return err
		}
		removeUser(tx, &u)
		d.box.Clock.Mark(tx)
		return d.box.audit(tx, c.actor(), "user.remove", "usr_"+u.ID.String())
	})
	_, err = orNotRegistered(User{}, found, err)
	return err
}
