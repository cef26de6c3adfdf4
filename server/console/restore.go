package console

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

// Archive is a backup on its way back into a box.
type Archive struct {
	// Database is what [Backup] has written.
	Database io.Reader
	// Keys are the sealed keys beside it, and Passphrase what opens them; nil, ""
	// if they are not wanted.
	Keys       []byte
	Passphrase string
	// Force says that a database which is there may be moved aside.
	Force bool
}

// Restore has install put a backup back, from a file or from stdin.
func Restore(in *Invocation, install func(Archive) error) error {
	var a Archive
	in.BoolVar(&a.Force, "force", false, "move the database that is there aside")
	passphrase := in.String("passphrase-file", "", "also restore FILE.keys, with the passphrase in the first line of this `file` (- is stdin)")
	if err := in.Parse(); err != nil {
		return err
	}
	path := in.Operands[0]
	if *passphrase != "" {
		var err error
		if a.Passphrase, err = in.FirstLine(*passphrase); err != nil {
			return err
		}
		if a.Keys, err = os.ReadFile(path + keysSuffix); err != nil {
			return fmt.Errorf("read the keys: %w", err)
		}
	}
	from, total := in.Stdin, int64(0)
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("open the backup: %w", err)
		}
		defer file.Close()
		from = file
		if info, err := file.Stat(); err == nil {
			total = info.Size()
		}
	}
	progress := in.Progress()
	a.Database = bufio.NewReader(progress.Reader(from, "restore", total))
	err := install(a)
	progress.End()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(in.Stdout, "restored; every code sent before is dead")
	return err
}
