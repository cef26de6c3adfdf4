package otp

import "slices"

// maxNames is how many login names a user may have beside the phone.
const maxNames = 5

// User is a registered holder of an address, a phone for the most part, at one app. It comes to exist when a
// number has been proven, never before; only the app's own server can vouch
// for one that has not ([Directory.Create]).
type User struct {
	_ struct{} `cbor:",toarray"`

	ID      ID // one per (app, address), for ever
	App     string
	Address Address
	// Names are login names beside the phone, unique per app, as they were
	// given; they are compared in lower case.
	Names []string
	// Metadata is a JSON object, or nil. It comes from whoever may register, so
	// it never becomes a claim, and never stands in a message.
	Metadata []byte
	Disabled bool

	Created   Time
	Updated   Time
	Verified  Time // when the address was proven last, 0 for never
	LastLogin Time // 0 before the first
	Logins    uint32
	// Era is raised when all sessions of the user shall end: a session of an
	// earlier era is dead.
	Era uint32
}

// Named tells whether the user has a login name, in whatever case.
func (u *User) Named(name string) bool {
	want := nameAddress(name)
	return slices.ContainsFunc(u.Names, func(n string) bool { return nameAddress(n) == want })
}

// UserChange changes what an app may change of a user; nil leaves a field as
// it is. Neither the phone nor its proof is among them.
type UserChange struct {
	Enabled  *bool
	Metadata []byte // a JSON object; nil leaves it
}

// UserRequest asks for a user without a proof, which only a secret key may
// (the app's own server vouches for it). Its address is not verified until a
// code has come back.
type UserRequest struct {
	To       string // as typed
	Metadata []byte
}

// userPrefix begins the keys of an app's users.
func userPrefix(app string) Key { return Key{KindUser, app + "\x00"} }

func userKey(app string, id ID) Key { return Key{KindUser, app + "\x00" + id.key()} }

// loginKey names the row that leads from a login to its user.
func loginKey(app string, login Address) Key {
	if login.Kind == loginName {
		return Key{KindUserName, app + "\x00" + login.Key}
	}
	return Key{KindUserName, app + "\x00+" + login.Key}
}

// userNameRow leads from a login to its user.
type userNameRow struct {
	_    struct{} `cbor:",toarray"`
	User ID
}

func saveUser(tx Tx, u *User) { save(tx, userKey(u.App, u.ID), u, 0) }

func saveLogin(tx Tx, u *User, login Address) {
	save(tx, loginKey(u.App, login), userNameRow{User: u.ID}, 0)
}

func loadUser(tx Tx, app string, id ID) (u User, found bool, err error) {
	found, err = load(tx, userKey(app, id), &u)
	return u, found, err
}

// findUser reads the user of a login.
func findUser(tx Tx, app string, login Address) (u User, found bool, err error) {
	var row userNameRow
	if found, err = load(tx, loginKey(app, login), &row); err != nil || !found {
		return User{}, false, err
	}
	return loadUser(tx, app, row.User)
}

// createUser writes a user and the row of its phone.
func createUser(tx Tx, app string, a Address, metadata []byte, now Time) User {
	u := User{ID: NewID(), App: app, Address: a, Metadata: metadata, Created: now, Updated: now}
	saveUser(tx, &u)
	saveLogin(tx, &u, a)
	return u
}

// moveUser gives a user another phone. The old one is free from now on.
func moveUser(tx Tx, u *User, to Address) {
	tx.Delete(loginKey(u.App, u.Address))
	u.Address = to
	saveLogin(tx, u, to)
}

// nameUser adds a login name that is known to be free.
func nameUser(tx Tx, u *User, name string) {
	if name == "" || u.Named(name) {
		return
	}
	u.Names = append(u.Names, name)
	saveLogin(tx, u, nameAddress(name))
}

// removeUser forgets a user with every login. Its sessions die with it.
func removeUser(tx Tx, u *User) {
	tx.Delete(userKey(u.App, u.ID))
	tx.Delete(loginKey(u.App, u.Address))
	for _, name := range u.Names {
		tx.Delete(loginKey(u.App, nameAddress(name)))
	}
}
