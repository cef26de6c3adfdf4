package systemd_test

import (
	"testing"

	"github.com/pinferry/pinferry/systemd"
)

func TestCredential(t *testing.T) {
	for held, want := range map[string]string{"": "", "/run/credentials/pinferry.service": "/run/credentials/pinferry.service/box.key"} {
		env := func(name string) string {
			if name != "CREDENTIALS_DIRECTORY" {
				t.Errorf("it asks for %s", name)
			}
			return held
		}
		if got := systemd.Credential(env, "box.key"); got != want {
			t.Errorf("%q: got %q, want %q", held, got, want)
		}
	}
}
