package console

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// verification is what the commands read of one in the native API's answers.
type verification struct {
	ID           string `json:"id"`
	Status       string `json:"status"`
	To           string `json:"to"`
	AttemptsLeft int    `json:"attempts_left"`
}

// Verify sends a code, asks for it and checks it.
func Verify(in *Invocation) error {
	in.WithClient()
	locale := in.String("locale", "", "`language` of the text, such as de-CH")
	if err := in.Parse(); err != nil {
		return err
	}
	request := map[string]any{"to": in.Operands[0]}
	if *locale != "" {
		request["locale"] = *locale
	}
	var v verification
	if err := in.Call("POST", "/v1/verifications", request, &v); err != nil {
		return err
	}
	path := "/v1/verifications/" + v.ID
	lines := bufio.NewScanner(in.Stdin)
	for {
		// Questions go to stderr: stdout is for the result.
		fmt.Fprintf(in.Stderr, "code for %s: ", v.To)
		if !lines.Scan() {
			fmt.Fprintln(in.Stderr)
			if err := in.Call("DELETE", path, nil, nil); err != nil {
				return err
			}
			return errors.New("no code was given; the verification is canceled")
		}
		var answer json.RawMessage
		err := in.Call("POST", path+"/check", map[string]any{"code": strings.TrimSpace(lines.Text())}, &answer)
		if err == nil {
			return in.Show(answer, "approved")
		}
		if now := in.Call("GET", path, nil, &v); now != nil || v.Status != "pending" {
			return err
		}
		fmt.Fprintf(in.Stderr, "%v; %d left\n", err, v.AttemptsLeft)
	}
}
