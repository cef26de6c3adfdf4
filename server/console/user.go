package console

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// user is what the commands read of a user in the native API's answers.
type user struct {
	ID          string    `json:"id"`
	Phone       string    `json:"phone"`
	Email       string    `json:"email"`
	Names       []string  `json:"names"`
	Enabled     bool      `json:"enabled"`
	CreatedAt   time.Time `json:"created_at"`
	LastLoginAt time.Time `json:"last_login_at"`
	Logins      int       `json:"logins"`
}

func (u user) state() string {
	if u.Enabled {
		return "enabled"
	}
	return "blocked"
}

func (u user) lastLogin() string {
	if u.LastLoginAt.IsZero() {
		return "never"
	}
	return Moment(u.LastLoginAt)
}

// names are the login names of the user. They may hold anything.
func (u user) names() string {
	var all []string
	for _, name := range u.Names {
		all = append(all, fmt.Sprintf("%q", name))
	}
	return strings.Join(all, " ")
}

// masked is a number without its middle, or an email address of which one letter
// is left before the @.
func masked(phone string) string {
	if local, domain, email := strings.Cut(phone, "@"); email {
		return local[:min(1, len(local))] + "***@" + domain
	}
	if n := len(phone); n > 5 {
		return phone[:3] + strings.Repeat("*", n-5) + phone[n-2:]
	}
	return phone
}

// anonymous returns what the daemon tells of somebody with number and address
// masked: it tells them to whoever may act on them, and a terminal is looked at
// by others.
func anonymous(somebody json.RawMessage) (json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(somebody, &members); err != nil {
		return nil, fmt.Errorf("read the daemon's answer: %w", err)
	}
	for _, name := range []string{"phone", "email"} {
		var address string
		raw, ok := members[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(raw, &address); err != nil {
			return nil, fmt.Errorf("read the daemon's answer: %w", err)
		}
		if address != "" {
			members[name], _ = json.Marshal(masked(address)) // a string always can be
		}
	}
	return json.Marshal(members)
}

// UserList lists the users of an app, masked.
func UserList(in *Invocation) error {
	in.WithClient()
	limit := in.Int("limit", 100, "show at most this many")
	if err := in.Parse(); err != nil {
		return err
	}
	all, err := in.list("/v1/users", "users", url.Values{}, *limit)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i], err = anonymous(all[i]); err != nil {
			return err
		}
	}
	return showRows(in, all, []string{"ID", "ADDRESS", "STATE", "CREATED", "LAST LOGIN", "NAMES"}, func(u user) []string {
		return []string{u.ID, cmp.Or(u.Phone, u.Email), u.state(), Moment(u.CreatedAt), u.lastLogin(), u.names()}
	})
}

// UserShow shows one user, masked.
func UserShow(in *Invocation) error {
	in.WithClient()
	path, err := userPath(in)
	if err != nil {
		return err
	}
	var answer json.RawMessage
	if err := in.Call("GET", path, nil, &answer); err != nil {
		return err
	}
	return in.showUser(answer, "")
}

// showUser shows what the daemon tells of a user, or says words of it.
func (in *Invocation) showUser(answer json.RawMessage, words string) error {
	answer, err := anonymous(answer)
	if err != nil {
		return err
	}
	if words == "" {
		var u user
		if err := json.Unmarshal(answer, &u); err != nil {
			return fmt.Errorf("read the daemon's answer: %w", err)
		}
		words = facts(
			fact{"user", u.ID}, fact{"phone", u.Phone}, fact{"email", u.Email}, fact{"state", u.state()}, fact{"names", u.names()},
			fact{"created", Moment(u.CreatedAt)}, fact{"last login", u.lastLogin()}, fact{"logins", fmt.Sprint(u.Logins)},
		)
	}
	return in.Show(answer, words)
}

// UserBlock disables a user, or with --lift enables it again.
func UserBlock(in *Invocation) error {
	in.WithClient()
	lift := in.Bool("lift", false, "let the user in again, as user unblock does")
	path, err := userPath(in)
	if err != nil {
		return err
	}
	return in.enable(path, *lift)
}

// UserUnblock enables a user again.
func UserUnblock(in *Invocation) error {
	in.WithClient()
	path, err := userPath(in)
	if err != nil {
		return err
	}
	return in.enable(path, true)
}

// enable lets a user in, or locks it out.
func (in *Invocation) enable(path string, enabled bool) error {
	var answer json.RawMessage
	if err := in.Call("PATCH", path, map[string]any{"enabled": enabled}, &answer); err != nil {
		return err
	}
	if enabled {
		return in.showUser(answer, "enabled")
	}
	return in.showUser(answer, "blocked; every session of the user has ended")
}

// UserRemove forgets a user.
func UserRemove(in *Invocation) error {
	in.WithClient()
	path, err := userPath(in)
	if err != nil {
		return err
	}
	if err := in.Call("DELETE", path, nil, nil); err != nil {
		return err
	}
	return in.Show(struct {
		Removed string `json:"removed"`
	}{strings.TrimPrefix(path, usersPath)}, "removed")
}

const usersPath = "/v1/users/"

// userPath parses a command about one user, who is named by id, number or
// email address, and returns the path of the user.
func userPath(in *Invocation) (string, error) {
	in.Notes = "\nUSER is an id, usr_..., a phone number in international form, or an email address.\n"
	if err := in.Parse(); err != nil {
		return "", err
	}
	named := in.Operands[0]
	if strings.HasPrefix(named, "usr_") {
		return usersPath + url.PathEscape(named), nil
	}
	var found struct {
		Users []user `json:"users"`
	}
	kind := "phone"
	if strings.Contains(named, "@") {
		kind = "email"
	}
	if err := in.Call("GET", "/v1/users?"+kind+"="+url.QueryEscape(named), nil, &found); err != nil {
		return "", err
	}
	if len(found.Users) == 0 {
		return "", Fail(Refused, "nobody has this %s", kind)
	}
	return usersPath + found.Users[0].ID, nil
}
