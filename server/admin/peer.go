package admin

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Peer is the process at the other end of the socket, as the kernel knew it
// when it connected.
type Peer struct {
	PID      int32
	UID, GID uint32
}

func peerOf(conn *net.UnixConn) (Peer, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return Peer{}, fmt.Errorf("reach the socket: %w", err)
	}
	var credentials *unix.Ucred
	var failure error
	err = raw.Control(func(fd uintptr) {
		credentials, failure = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err == nil {
		err = failure
	}
	if err != nil {
		return Peer{}, fmt.Errorf("ask who is calling: %w", err)
	}
	return Peer{PID: credentials.Pid, UID: credentials.Uid, GID: credentials.Gid}, nil
}

// allowed tells whether the peer is root, the daemon's own user or a member of
// the socket's group.
func (p Peer) allowed(daemon, group uint32) bool {
	if p.UID == 0 || p.UID == daemon || p.GID == group {
		return true
	}
	// The kernel let nobody connect who may not write to the socket file, so a
	// process that took over this id in the meantime gains nothing by it.
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
	return err == nil && inGroup(status, group)
}

// inGroup reads the supplementary groups in a process status.
func inGroup(status []byte, group uint32) bool {
	want := strconv.FormatUint(uint64(group), 10)
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		groups, ok := strings.CutPrefix(lines.Text(), "Groups:")
		if !ok {
			continue
		}
		for g := range strings.FieldsSeq(groups) {
			if g == want {
				return true
			}
		}
	}
	return false
}
