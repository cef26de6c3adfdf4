package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pinferry/pinferry/server/admin"
)

// Call asks the daemon and decodes its answer into answer, if that is not nil.
// path is as in "/v1/messages"; body is encoded as JSON, nil is none. A refusal
// is an error with the exit code that it deserves.
func (in *Invocation) Call(method, path string, body, answer any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
	}
	if in.app != "" {
		mark := "?"
		if strings.Contains(path, "?") {
			mark = "&"
		}
		path += mark + "app=" + url.QueryEscape(in.app)
	}
	// Longer than the daemon takes for anything: a network has 30 s for a code.
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Second)
	defer cancel()
	return in.reach(func(c *admin.Client) error {
		status, got, err := c.Do(ctx, method, path, text)
		if err != nil {
			return err
		}
		if status >= 300 {
			return refusal(status, got)
		}
		if answer == nil {
			return nil
		}
		if err := json.Unmarshal(got, answer); err != nil {
			return fmt.Errorf("read the daemon's answer: %w", err)
		}
		return nil
	})
}

// reach calls ask with the first socket that a daemon answers on.
func (in *Invocation) reach(ask func(*admin.Client) error) error {
	sockets := []string{in.Socket}
	if in.Socket == "" {
		sockets = in.sockets()
	}
	for _, path := range sockets {
		if dir := filepath.Dir(path); in.Socket == "" && in.Getenv("PINFERRY_SOCKET") == "" && filepath.Dir(dir) == filepath.Clean(os.TempDir()) {
			if err := ownRunDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return Fail(Refused, "no socket there is trusted: %w", err)
			}
		}
		err := ask(admin.Dial(path))
		switch {
		case errors.Is(err, fs.ErrPermission):
			return Fail(Refused, "open %s: permission denied; become root, or a member of the socket's group", path)
		case !errors.Is(err, admin.ErrNotRunning):
			return err
		}
	}
	return Fail(NotReady, "%w %s; start one with `pinferry serve`", admin.ErrNotRunning, strings.Join(sockets, ", "))
}

// refusal turns a problem into an error.
func refusal(status int, problem []byte) error {
	var said struct {
		Detail, Title string
		Code          string
		RetryAfter    int `json:"retry_after"`
	}
	if json.Unmarshal(problem, &said) != nil || said.Code == "" {
		said.Code, said.Detail = "internal", fmt.Sprintf("the daemon answered %d", status)
	}
	if said.Detail == "" {
		said.Detail = said.Title
	}
	words := fmt.Sprintf("%s (%s)", said.Detail, said.Code)
	if said.RetryAfter > 0 {
		words += fmt.Sprintf("; try again in %s", time.Duration(said.RetryAfter)*time.Second)
	}
	switch {
	case status == 503:
		return Fail(NotReady, "%s", words)
	case status < 500:
		return Fail(Refused, "%s", words)
	}
	return errors.New(words)
}
