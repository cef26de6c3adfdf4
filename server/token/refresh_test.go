package token_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/token"
)

var refreshForms = map[string]token.Form{
	"opaque": {}, "ES256": {Refresh: map[string]any{"drn": "DSR"}}, "RS256": {Algorithm: token.RS256, Refresh: map[string]any{}},
}

func TestRefresh(t *testing.T) {
	b := newBox(t, token.RS256)
	for name, form := range refreshForms {
		t.Run(name, func(t *testing.T) {
			b.now.Store(int64(start))
			g := b.login("")
			refresh := func(shown string) (token.Set, error) {
				set, got, err := b.Refresh(t.Context(), b.at(""), shown, func(g *otp.Grant) token.Form {
					if g.User.ID != g.Session.User {
						t.Error("the form was asked for somebody else")
					}
					return form
				})
				if err == nil && got.Session.ID != g.Session.ID {
					t.Error("the grant is of another session")
				}
				return set, err
			}
			first := b.issue(t, g, form)
			b.pass(time.Minute)
			second, err := refresh(first.Refresh)
			if err != nil {
				t.Fatal(err)
			}
			if second.Refresh == first.Refresh {
				t.Error("the token was not changed")
			}
			if _, err := b.Bearer(t.Context(), b.at(""), second.Access); err != nil {
				t.Errorf("the new access token: %v", err)
			}

			if form.Refresh != nil {
				if _, payload := parts(t, second.Refresh); !strings.Contains(payload, `"ctr":1,`) || !strings.Contains(payload, `"iat":1795339860,`) {
					t.Errorf("the successor says %s", payload)
				}
			}

			// The parent gets the same successor, to the letter, for ten seconds.
			b.pass(9 * time.Second)
			again, err := refresh(first.Refresh)
			if err != nil || again.Refresh != second.Refresh {
				t.Errorf("a repeat has another successor: %v", err)
			}
			if _, err := b.Show(t.Context(), b.at(""), first.Refresh); err != nil {
				t.Errorf("the parent is not shown within the grace: %v", err)
			}
			b.pass(time.Second)
			for what, shown := range map[string]string{"parent": first.Refresh, "successor": second.Refresh} {
				if _, err := b.Show(t.Context(), b.at(""), shown); (err == nil) != (what == "successor") {
					t.Errorf("%s shown after the grace: %v", what, err)
				}
			}
			if n := b.sessions.counter(g.Session.ID); n != 1 {
				t.Errorf("showing has moved the counter to %d", n)
			}
			// Later its use ends the family.
			if _, err := refresh(first.Refresh); !isCode(err, otp.Unauthorized) {
				t.Errorf("the parent after the grace: %v, want unauthorized", err)
			}
			if _, err := refresh(second.Refresh); !isCode(err, otp.Unauthorized) {
				t.Errorf("the successor after that: %v, want unauthorized", err)
			}
		})
	}
}

//
func TestParallelRefresh(t *testing.T) {
	b := newBox(t, token.RS256)
	for name, form := range refreshForms {
		set := b.issue(t, b.login(""), form)
		var all sync.WaitGroup
		successors := make([]string, 20)
		for i := range successors {
			all.Go(func() {
				next, _, err := b.Refresh(t.Context(), b.at(""), set.Refresh, func(*otp.Grant) token.Form { return form })
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				successors[i] = next.Refresh
			})
		}
		all.Wait()
		for _, s := range successors {
			if s == set.Refresh || s != successors[0] {
				t.Errorf("%s: 20 uses of one token have several successors", name)
				break
			}
		}
	}
}

func TestForgedRefresh(t *testing.T) {
	b := newBox(t)
	g := b.login("")
	good := b.issue(t, g, token.Form{}).Refresh
	raw := func(change func(raw []byte) []byte) string { return rebase64(change(unbase64(t, good))) }
	flip := func(i int) string {
		return raw(func(raw []byte) []byte { raw[i] ^= 0x80; return raw })
	}
	for name, forged := range map[string]string{
		"nothing": "", "another family": flip(0), "another counter": flip(16), "another seal": flip(20), "the seal's last byte": flip(47),
		"short": good[:60], "long": good + "AAAA", "padded": good + "=", "a line break": good + "\n",
		"a line break inside": good[:60] + "\n" + good[60:63], "line breaks for letters": good[:60] + "\r\n\r\n", "nothing but line breaks": strings.Repeat("\n", 64),
		"standard base64": strings.Repeat("+/", 32), "no seal": raw(func(raw []byte) []byte { return raw[:20] }),
		"a seal of zeros":     raw(func(raw []byte) []byte { clear(raw[20:]); return raw }),
		"upper case":          strings.ToUpper(good),
		"a dot":               good[:63] + ".",
		"the bare family":     g.Session.ID.String(),
		"a session's own hex": g.Session.ID.String() + g.Session.ID.String(),
	} {
		_, _, err := b.Refresh(t.Context(), b.at(""), forged, func(*otp.Grant) token.Form { return token.Form{} })
		if !isCode(err, otp.Unauthorized) {
			t.Errorf("%s: %v, want unauthorized", name, err)
		}
		if err := b.Revoke(t.Context(), b.at(""), forged); !isCode(err, otp.Unauthorized) {
			t.Errorf("%s revoked: %v, want unauthorized", name, err)
		}
	}
	if n := b.sessions.asked(); n != 0 {
		t.Errorf("sessions were asked %d times", n)
	}
	if _, err := b.Show(t.Context(), b.at(""), good); err != nil {
		t.Errorf("the token that all forgeries start from: %v", err)
	}
}
