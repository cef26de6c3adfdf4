package console

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pinferry/pinferry/server/admin"
)

// SupportBundle writes what a helper needs to see of a box to a file: what the box
// tells of itself, and what add adds.
func SupportBundle(in *Invocation, add func(*Bundle)) error {
	in.WithJSON()
	in.WithSocket()
	in.Notes = `
The bundle has what the doctor says, the status of the box and its routes,
metrics, the config file without secrets, the newest messages without numbers and
texts, and the journal, if this user may read it. Numbers, codes, keys and tokens
are removed before anything is written. Look through it all the same:
tar xzOf FILE | less
`
	if err := in.Parse(); err != nil {
		return err
	}
	b := &Bundle{in: in, Progress: in.Progress()}
	b.Progress.Say("asking the box ...")
	b.ask()
	add(b)
	b.Progress.End()
	path := in.Operands[0]
	names, err := b.save(path)
	if err != nil || path == "-" {
		return err
	}
	return in.Show(struct {
		File  string   `json:"file"`
		Parts []string `json:"parts"`
	}{path, names}, fmt.Sprintf("%s has %s. Look through it before you send it.", path, strings.Join(names, ", ")))
}

// Bundle is what a helper is given to look at: a few files, each scrubbed before
// it is taken in. See [Scrub].
type Bundle struct {
	// Progress is the line that tells what the bundle waits for.
	Progress *Progress

	in    *Invocation
	files []bundled
	notes bytes.Buffer
}

// bundled is a file of a bundle.
type bundled struct {
	name string
	text []byte
}

// bundleFolder is where the files of a bundle unpack to.
const bundleFolder = "pinferry-support/"

// ask fills the bundle with what the running box tells of itself. What cannot be
// had is noted in the bundle: it is made for boxes on which something is wrong.
func (b *Bundle) ask() {
	for _, one := range []struct {
		name, path string
		scrub      func([]byte) ([]byte, error)
	}{
		{"status.json", "/admin/status", scrubJSON},
		{"ready.json", "/readyz", scrubJSON},
		{"clock.json", "/admin/clock", scrubJSON},
		{"routes.json", "/v1/routes", scrubJSON},
		{"events.json", "/admin/overview", scrubJSON},
		{"messages.json", "/admin/messages?limit=100", scrubJSON},
		{"webhooks.json", "/admin/events", scrubJSON},
		{"metrics.txt", "/metrics", func(text []byte) ([]byte, error) { return scrubMetrics(text), nil }},
	} {
		text, err := b.in.fetch(one.path)
		if err == nil {
			text, err = one.scrub(text)
		}
		b.take(one.name, text, err)
		if errors.Is(err, admin.ErrNotRunning) {
			break // nor will it answer the rest
		}
	}
}

// fetch returns what the daemon answers, be it a success or a refusal.
func (in *Invocation) fetch(path string) (answer []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err = in.reach(func(c *admin.Client) error {
		_, answer, err = c.Do(ctx, "GET", path, nil)
		return err
	})
	return answer, err
}

// Text adds a text file, or notes why there is none.
func (b *Bundle) Text(name string, text []byte, err error) {
	b.take(name, []byte(Scrub(string(text))), err)
}

// JSON adds a value as a file, or notes why there is none.
func (b *Bundle) JSON(name string, value any, err error) {
	var text []byte
	if err == nil {
		text, err = json.Marshal(value)
	}
	if err == nil {
		text, err = scrubJSON(text)
	}
	b.take(name, text, err)
}

func (b *Bundle) take(name string, text []byte, err error) {
	if err != nil {
		fmt.Fprintf(&b.notes, "%s is missing: %s\n", name, Scrub(err.Error()))
		return
	}
	b.files = append(b.files, bundled{name, text})
}

// save writes the bundle to a file, "-" is stdout, as a tar archive that is
// compressed by gzip, and returns the names of what is in it.
func (b *Bundle) save(path string) ([]string, error) {
	files := b.files
	if b.notes.Len() > 0 {
		files = append(files, bundled{"missing.txt", b.notes.Bytes()})
	}
	var names []string
	err := b.in.WriteFile(path, func(w io.Writer) error {
		compressed := gzip.NewWriter(w)
		archive := tar.NewWriter(compressed)
		for _, f := range files {
			names = append(names, f.name)
			head := &tar.Header{Name: bundleFolder + f.name, Mode: 0o600, Size: int64(len(f.text)), Format: tar.FormatUSTAR}
			if err := archive.WriteHeader(head); err != nil {
				return fmt.Errorf("write the bundle: %w", err)
			}
			if _, err := archive.Write(f.text); err != nil {
				return fmt.Errorf("write the bundle: %w", err)
			}
		}
		return errors.Join(archive.Close(), compressed.Close())
	})
	return names, err
}
