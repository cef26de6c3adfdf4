package admin_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/admin"
)

func TestPasswords(t *testing.T) {
	p := admin.NewPasswords()
	a, err := p.Hash(t.Context(), "correct horse battery")
	if err != nil || !strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("got %s, %v", a, err)
	}
	if b, err := p.Hash(t.Context(), "correct horse battery"); err != nil || a == b {
		t.Errorf("two hashes of one password are the same, or %v", err)
	}
	for password, want := range map[string]bool{"correct horse battery": true, "correct horse batterx": false, "": false} {
		if got, err := p.Match(t.Context(), a, password); err != nil || got != want {
			t.Errorf("%q: got %v, %v", password, got, err)
		}
	}
	if got, err := p.Match(t.Context(), strings.Replace(a, "v=19", "v=16", 1), "correct horse battery"); err == nil || got {
		t.Errorf("another version: %v, %v", got, err)
	}
}

// TestPasswordsWaitInLine has as many tries at once refused as would take the
// memory of a small board, and one that is given up not hold up the next.
func TestPasswordsWaitInLine(t *testing.T) {
	p := admin.NewPasswords()
	var busy atomic.Int64
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			if _, err := p.Hash(t.Context(), "correct horse battery"); otp.AsError(err) != nil && otp.AsError(err).Code == otp.Busy {
				busy.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := busy.Load(); n == 0 || n > 32 {
		t.Errorf("%d of 40 were refused", n)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	p.Hash(gone, "correct horse battery")
	if _, err := p.Hash(t.Context(), "correct horse battery"); err != nil {
		t.Error(err)
	}
}

// FuzzMatch has no row that is damaged take the process down, or let anybody in.
func FuzzMatch(f *testing.F) {
	p := admin.NewPasswords()
	f.Add("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA")
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$AAAA")
	f.Add("$argon2id$v=19$m=8,t=0,p=0$$")
	f.Add("$2a$10$N9qo8uLOickgx2ZMRZoMye")
	f.Add("")
	f.Fuzz(func(t *testing.T, hash string) {
		if ok, _ := p.Match(t.Context(), hash, "not the password of this hash"); ok && len(hash) > 60 {
			t.Errorf("%q lets in", hash)
		}
	})
}
