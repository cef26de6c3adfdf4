package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pinferry/pinferry/server/admin"
)

// Backup writes a backup of the running box to a file, or to a [Shelf] once or
// again and again. seal returns the keys of the box, sealed by a passphrase.
func Backup(in *Invocation, seal func(passphrase string) ([]byte, error)) error {
	in.WithJSON()
	in.WithSocket()
	shelf := Shelf{}
	in.StringVar(&shelf.Dir, "to", "", "in place of FILE: a `directory` that gets one more backup, named by the time of the box")
	in.IntVar(&shelf.Keep, "keep", 14, "with --to: how many backups are kept there; the oldest go")
	every := in.Duration("schedule", 0, "with --to: stay, and write a backup each time so much has passed, such as 24h; without systemd")
	withKeys := in.Bool("with-keys", false, "also write FILE.keys: the keys, sealed by a passphrase; needs to read the data directory")
	passphrase := in.String("passphrase-file", "", "`file` whose first line is the passphrase (- is stdin)")
	if err := in.Parse(); err != nil {
		return err
	}
	switch {
	case (len(in.Operands) == 1) == (shelf.Dir != ""):
		return Fail(Usage, "backup: give a FILE, or --to and a directory")
	case *every != 0 && (shelf.Dir == "" || *every < time.Minute):
		return Fail(Usage, "backup --schedule: give --to and a directory, and at least 1m")
	case *withKeys && (shelf.Dir == "" && in.Operands[0] == "-" || *passphrase == ""):
		return Fail(Usage, "backup --with-keys: give a FILE and a --passphrase-file")
	}
	var keys []byte
	if *withKeys {
		phrase, err := in.FirstLine(*passphrase)
		if err == nil {
			keys, err = seal(phrase)
		}
		if err != nil {
			return err
		}
	}
	save := func(path string, room func() error) error {
		if err := in.SaveBackup(path, room); err != nil || keys == nil {
			return err
		}
		return in.WriteFile(path+keysSuffix, func(w io.Writer) error {
			_, err := w.Write(keys)
			return err
		})
	}
	if shelf.Dir == "" {
		return save(in.Operands[0], nil)
	}
	once := func() error {
		path, err := shelf.Add(in, save)
		if err != nil {
			return err
		}
		return in.Show(struct {
			File string `json:"file"`
		}{path}, path)
	}
	if *every == 0 {
		return once()
	}
	return in.repeat(*every, once)
}

// repeat does something at once and then again and again, until a signal. What
// goes wrong is said and tried again in its turn.
func (in *Invocation) repeat(every time.Duration, do func() error) error {
	ctx, stop := in.Until()
	defer stop()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := do(); err != nil {
			fmt.Fprintf(in.Stderr, "pinferry: %v; the next try is in %s\n", err, every)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// SaveBackup writes a backup of the running box to a file, "-" is stdout. While
// it writes it asks now and then whether there is room; nil: there is.
func (in *Invocation) SaveBackup(path string, room func() error) error {
	return in.WriteFile(path, func(w io.Writer) error {
		progress := in.Progress()
		defer progress.End()
		if room != nil {
			w = &careful{w: w, room: room}
		}
		return in.reach(func(c *admin.Client) error {
			err := c.Stream(context.Background(), "/admin/backup", progress.Writer(w, "backup"))
			var refused *admin.Refusal
			if errors.As(err, &refused) {
				return refusal(refused.Status, refused.Answer)
			}
			return err
		})
	})
}

// careful is a writer that asks every so often whether there is room for more.
type careful struct {
	w    io.Writer
	room func() error
	left int // bytes until it asks
}

func (c *careful) Write(b []byte) (int, error) {
	if c.left -= len(b); c.left < 0 {
		if err := c.room(); err != nil {
			return 0, err
		}
		c.left = progressStep
	}
	return c.w.Write(b)
}
