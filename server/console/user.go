package console

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
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
}

// String is the user in a line, without the middle of the number or address.
func (u user) String() string {
	state := "enabled"
	if !u.Enabled {
		state = "blocked"
	}
	last := "never"
	if !u.LastLoginAt.IsZero() {
		last = Moment(u.LastLoginAt)
	}
	words := fmt.Sprintf("%s  %-16s  %s  created %s  last login %s", u.ID, masked(cmp.Or(u.Phone, u.Email)), state, Moment(u.CreatedAt), last)
	for _, name := range u.Names {
		words += fmt.Sprintf("  %q", name) // it may hold anything, for a terminal to obey
	}
	return words
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

// UserList lists the users of an app, masked.
func UserList(in *Invocation) error {
	in.WithClient()
	limit := in.Int("limit", 100, "show at most this many")
	if err := in.Parse(); err != nil {
		return err
	}
	all := []json.RawMessage{}
	for cursor := ""; len(all) < *limit; {
		var page struct {
			Users []json.RawMessage `json:"users"`
			Next  string            `json:"next_cursor"`
		}
		query := url.Values{"limit": {strconv.Itoa(min(*limit-len(all), 100))}, "cursor": {cursor}}
		if err := in.Call("GET", "/v1/users?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		all = append(all, page.Users...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if in.JSON {
		return in.Show(all, "")
	}
	for _, one := range all {
		var u user
		if err := json.Unmarshal(one, &u); err != nil {
			return fmt.Errorf("read the daemon's answer: %w", err)
		}
		if err := in.Show(nil, u.String()); err != nil {
			return err
		}
	}
	return nil
}

// UserBlock disables a user, or with --lift enables it again.
func UserBlock(in *Invocation) error {
	in.WithClient()
	lift := in.Bool("lift", false, "let the user in again")
	path, err := userPath(in)
	if err != nil {
		return err
	}
	var answer json.RawMessage
	if err := in.Call("PATCH", path, map[string]any{"enabled": *lift}, &answer); err != nil {
		return err
	}
	words := "blocked; every session of the user has ended"
	if *lift {
		words = "enabled"
	}
	return in.Show(answer, words)
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
