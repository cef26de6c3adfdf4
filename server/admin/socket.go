// Package admin serves the operator on the same machine: a unix socket that
// knows who is calling, the paths that exist only there, and the client that
// the commands use.
package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// socketMode lets the owner and the group of the socket in; [Listener] asks
// the kernel once more who really came.
const socketMode = 0o660

// probeTime is how long a socket that is already there may take to answer.
const probeTime = time.Second

// Listener accepts calls on the admin socket, and closes the connections of
// those who have no business there.
type Listener struct {
	*net.UnixListener
	group uint32 // of the socket file
	log   zerolog.Logger
}

// Listen makes the socket at path. A socket file that nobody answers on is
// what a killed daemon left, and is replaced; one that lives is an error.
func Listen(path string, log zerolog.Logger) (*Listener, error) {
	if err := clear(path); err != nil {
		return nil, err
	}
	inner, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on the admin socket: %w", err)
	}
	l := &Listener{UnixListener: inner, log: log}
	if err := l.guard(path); err != nil {
		inner.Close()
		return nil, err
	}
	return l, nil
}

// clear removes the socket file of a dead daemon.
func clear(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at the admin socket: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("the admin socket cannot be made: %s is there and is no socket", path)
	}
	conn, err := net.DialTimeout("unix", path, probeTime)
	if err == nil {
		conn.Close()
		return fmt.Errorf("the admin socket cannot be made: a daemon answers on %s already", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("ask who holds the admin socket: %w", err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove the admin socket of a dead daemon: %w", err)
	}
	return nil
}

// guard sets the mode of the socket file and notes its group.
func (l *Listener) guard(path string) error {
	if err := os.Chmod(path, socketMode); err != nil {
		return fmt.Errorf("set the mode of the admin socket: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("look at the admin socket: %w", err)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		l.group = stat.Gid
	}
	return nil
}

// Accept returns the next connection of somebody who may call: a [*Conn].
func (l *Listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		peer, err := peerOf(conn)
		if err == nil && peer.allowed(uint32(os.Getuid()), l.group) {
			return &Conn{UnixConn: conn, Peer: peer}, nil
		}
		conn.Close()
		l.log.Warn().Err(err).Uint32("uid", peer.UID).Int32("pid", peer.PID).Msg("admin socket: caller refused")
	}
}

// Conn is a connection on the admin socket.
type Conn struct {
	*net.UnixConn
	Peer Peer
}
