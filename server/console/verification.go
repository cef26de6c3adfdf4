package console

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// verification is what the commands read of one in the native API's answers.
type verification struct {
	ID           string    `json:"id"`
	App          string    `json:"app"`
	Door         string    `json:"door"`
	Status       string    `json:"status"`
	To           string    `json:"to"` // masked
	Channel      string    `json:"channel"`
	Purpose      string    `json:"purpose"`
	AttemptsLeft int       `json:"attempts_left"`
	CreatedAt    time.Time `json:"created_at"`
	ExpiresAt    time.Time `json:"expires_at"`
	Message      message   `json:"message"`
	Timeline     []step    `json:"timeline"`
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

// VerificationList lists the verifications of the box, the newest first.
func VerificationList(in *Invocation) error {
	in.WithClient()
	f := in.filters(
		[2]string{"status", "only those in this `status`: pending, approved, canceled, expired, exhausted"},
		[2]string{"phone", "only those of this `number`"},
	)
	if err := in.Parse(); err != nil {
		return err
	}
	all, err := in.list("/admin/verifications", "verifications", f.query, f.limit)
	if err != nil {
		return err
	}
	return showRows(in, all, []string{"ID", "STATUS", "TO", "MESSAGE", "ROUTE", "CREATED", "APP"}, func(v verification) []string {
		return []string{v.ID, v.Status, v.To, cmp.Or(v.Message.State, "-"), cmp.Or(v.Message.Route, "-"), Moment(v.CreatedAt), v.App}
	})
}

// VerificationShow shows how far a verification came, step by step.
func VerificationShow(in *Invocation) error {
	in.WithJSON()
	in.WithSocket()
	if err := in.Parse(); err != nil {
		return err
	}
	var answer json.RawMessage
	if err := in.Call("GET", "/admin/verifications/"+url.PathEscape(in.Operands[0]), nil, &answer); err != nil {
		return err
	}
	var v verification
	if err := json.Unmarshal(answer, &v); err != nil {
		return fmt.Errorf("read the daemon's answer: %w", err)
	}
	words := facts(
		fact{"verification", v.ID}, fact{"status", v.Status}, fact{"to", v.To}, fact{"app", v.App}, fact{"door", v.Door},
		fact{"channel", v.Channel}, fact{"purpose", v.Purpose}, fact{"tries left", strconv.Itoa(v.AttemptsLeft)},
		fact{"created", Moment(v.CreatedAt)}, fact{"expires", Moment(v.ExpiresAt)},
		fact{"message", strings.Join(strings.Fields(v.Message.ID+" "+v.Message.State+" "+v.Message.Reason+" "+v.Message.Route), " ")},
	)
	return in.Show(answer, words+timeline(v.Timeline))
}
