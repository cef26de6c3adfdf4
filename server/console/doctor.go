package console

import (
	"context"
	"errors"
	"time"

	"github.com/pinferry/pinferry/server/admin"
)

// Doctor says what is wrong with the box, and what to do. look is as in
// [Invocation.Diagnose]; repair does what --fix promises and returns a sentence
// for each thing that it has put right.
func Doctor(in *Invocation, look func(context.Context) (admin.Facts, error), repair func() ([]string, error)) error {
	in.WithJSON()
	in.WithSocket()
	fix := in.Bool("fix", false, "put right what can be put right without a risk")
	in.Notes = `
--fix closes keys to other users (in the data directory), and installs udev
rules where ModemManager runs and nothing keeps it from the modems. Nothing else
is changed. Exit code 0: no check is red; 1: one is; 3: no box runs.
`
	if err := in.Parse(); err != nil {
		return err
	}
	var fixed []string
	if *fix {
		var err error
		if fixed, err = repair(); err != nil {
			return err
		}
	}
	found, err := in.Diagnose(look)
	if err != nil {
		return err
	}
	found.Fixed = fixed
	if err := in.Show(found, in.Paint(found.String())); err != nil {
		return err
	}
	switch {
	case !found.Running:
		return Fail(NotReady, "no box runs")
	case found.Level == admin.Red:
		return errors.New("something is wrong")
	}
	return nil
}

// Diagnose asks the box how it is. If none runs, look collects what can be seen
// without one.
func (in *Invocation) Diagnose(look func(context.Context) (admin.Facts, error)) (found admin.Diagnosis, err error) {
	progress := in.Progress()
	defer progress.End()
	progress.Say("asking the box how it is ...")
	if err := in.Call("GET", "/admin/doctor", nil, &found); !errors.Is(err, admin.ErrNotRunning) {
		return found, err
	}
	progress.Say("no box runs; trying the ports of the modems ...")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	facts, err := look(ctx)
	return facts.Diagnose(), err
}
