package console

import (
	"encoding/json"
	"fmt"
)

// AdminSetup shows the secret by which the administrator's first password is
// set on the page.
func AdminSetup(in *Invocation) error { return adminSecret(in, "GET", "/admin/setup") }

// AdminReset forgets the administrator's password, second factor and sign-ins,
// and shows a new setup secret: for who has the machine and cannot get in.
func AdminReset(in *Invocation) error { return adminSecret(in, "POST", "/admin/reset") }

func adminSecret(in *Invocation, method, path string) error {
	in.WithJSON()
	in.WithSocket()
	if err := in.Parse(); err != nil {
		return err
	}
	var answer json.RawMessage
	if err := in.Call(method, path, nil, &answer); err != nil {
		return err
	}
	var setup struct{ Secret string }
	if err := json.Unmarshal(answer, &setup); err != nil {
		return fmt.Errorf("read the daemon's answer: %w", err)
	}
	words := "The administrator's password is set. `pinferry admin reset` forgets it."
	if setup.Secret != "" {
		words = "setup secret  " + setup.Secret + "\nOpen /admin/ of the box in a browser and set a password with it. It is good once."
	}
	return in.Show(answer, words)
}
