package systemd

import (
	"context"
	"fmt"
	"os/exec"
	"time"
)

// The journal that a helper gets to see: so many lines, unless they take longer
// to be found.
const (
	journalLines = "2000"
	journalTime  = 20 * time.Second
)

// Journal returns the newest lines that the service has written into the
// journal of this machine. The error is that of a machine without a journal, or
// of a user who may not read it.
func Journal(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, journalTime)
	defer cancel()
	lines, err := exec.CommandContext(ctx, "journalctl", "--unit=pinferry", "--lines="+journalLines, "--output=short-iso", "--no-pager", "--quiet").Output()
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	return lines, nil
}
