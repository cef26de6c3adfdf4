package modem

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// holder names the process that has path open, as far as this user may see,
// from a folder like /proc. Our own other descriptors count too: the port may
// belong to another modem of the configuration.
func holder(proc, path string) string {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = path
	}
	processes, _ := os.ReadDir(proc)
	for _, process := range processes {
		id := process.Name()
		if _, err := strconv.Atoi(id); err != nil {
			continue
		}
		files := filepath.Join(proc, id, "fd")
		links, _ := os.ReadDir(files) // closed to us if it is another user's
		for _, link := range links {
			if at, err := os.Readlink(filepath.Join(files, link.Name())); err != nil || at != target {
				continue
			}
			name, err := os.ReadFile(filepath.Join(proc, id, "comm"))
			if err != nil {
				return "process " + id
			}
			return fmt.Sprintf("process %s (%s)", id, strings.TrimSpace(string(name)))
		}
	}
	return fmt.Sprintf("a process that this user cannot see (`sudo fuser -v %s` names it; ModemManager is the usual one)", path)
}
