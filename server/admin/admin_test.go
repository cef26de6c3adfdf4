package admin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/pinferry/pinferry/server/admin"
	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// logBuffer keeps a log, for several goroutines.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// listen opens a socket that greets everybody who is let in.
func listen(t *testing.T) (path string, log *logBuffer) {
	t.Helper()
	// The names of temporary directories may be too long for a socket.
	dir, err := os.MkdirTemp("", "admin")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path, log = filepath.Join(dir, "admin.sock"), new(logBuffer)
	l, err := admin.Listen(path, zerolog.New(log))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			peer := conn.(*admin.Conn).Peer
			fmt.Fprintf(conn, "uid %d gid %d", peer.UID, peer.GID)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return path, log
}

// greet returns what the socket says.
func greet(path string) (string, error) {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	all, err := io.ReadAll(conn)
	return string(all), err
}

func TestListen(t *testing.T) {
	path, _ := listen(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	if got, err := greet(path); err != nil || got != fmt.Sprintf("uid %d gid %d", os.Getuid(), os.Getgid()) {
		t.Errorf("got %q, %v", got, err)
	}
	t.Run("Live", func(t *testing.T) {
		if _, err := admin.Listen(path, zerolog.Nop()); err == nil || !strings.Contains(err.Error(), "answers on") {
			t.Errorf("got %v", err)
		}
		if _, err := greet(path); err != nil {
			t.Errorf("the live socket is gone: %v", err)
		}
	})
	t.Run("Stale", func(t *testing.T) {
		path := filepath.Join(filepath.Dir(path), "stale.sock")
		dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		dead.SetUnlinkOnClose(false)
		dead.Close()
		l, err := admin.Listen(path, zerolog.Nop())
		if err != nil {
			t.Fatalf("what a dead daemon left is in the way: %v", err)
		}
		l.Close()
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket is left behind: %v", err)
		}
	})
	t.Run("File", func(t *testing.T) {
		path := filepath.Join(filepath.Dir(path), "file")
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := admin.Listen(path, zerolog.Nop()); err == nil {
			t.Error("a file is taken for a socket")
		}
		if got, err := os.ReadFile(path); string(got) != "precious" {
			t.Errorf("the file is gone: %v", err)
		}
	})
	t.Run("NoDirectory", func(t *testing.T) {
		if _, err := admin.Listen(filepath.Join(filepath.Dir(path), "none", "x"), zerolog.Nop()); err == nil {
			t.Error("got no error")
		}
	})
}

const nobody = 65534

// TestPeers opens the socket file to everybody and connects as somebody else.
func TestPeers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can call as somebody else")
	}
	path, log := listen(t)
	if err := errors.Join(os.Chmod(path, 0o666), os.Chmod(filepath.Dir(path), 0o755)); err != nil {
		t.Fatal(err)
	}
	as := func(uid, gid uintptr) string {
		got := make(chan string)
		go func() {
			// The thread keeps these ids, and ends with the goroutine for it is
			// never unlocked.
			runtime.LockOSThread()
			_, _, g := unix.RawSyscall(unix.SYS_SETRESGID, gid, gid, gid)
			_, _, u := unix.RawSyscall(unix.SYS_SETRESUID, uid, uid, uid)
			if g != 0 || u != 0 {
				got <- fmt.Sprint(g, u)
				return
			}
			answer, _ := greet(path)
			got <- answer
		}()
		return <-got
	}
	if got := as(nobody, 0); got != "uid 65534 gid 0" {
		t.Errorf("a member of the socket's group got %q", got)
	}
	// This process is in the group of the socket, so the stranger must be one.
	for _, member := range []bool{true, false} {
		t.Run(fmt.Sprintf("SupplementaryGroup=%v", member), func(t *testing.T) {
			got := child(t, path, member)
			if member && got != "uid 65534 gid 65534" || !member && got != "" {
				t.Errorf("got %q", got)
			}
		})
	}
	if !strings.Contains(log.String(), `"uid":65534`) {
		t.Errorf("the refusal is not logged: %s", log.String())
	}
}

// child runs this test binary as nobody and returns what the socket told it.
func child(t *testing.T, path string, member bool) string {
	t.Helper()
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(filepath.Dir(path), "child") // where nobody may run it
	if err := os.WriteFile(exe, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(exe)
	command.Env = append(os.Environ(), "ADMIN_TEST_GREET="+path)
	credential := &syscall.Credential{Uid: nobody, Gid: nobody, Groups: []uint32{nobody}}
	if member {
		credential.Groups = []uint32{nobody, 0}
	}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	command.Dir = "/"
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestMain(m *testing.M) {
	if path := os.Getenv("ADMIN_TEST_GREET"); path != "" {
		answer, _ := greet(path)
		fmt.Print(answer)
		return
	}
	os.Exit(m.Run())
}

func TestClientWithoutDaemon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.sock")
	if _, _, err := admin.Dial(path).Do(t.Context(), "GET", "/healthz", nil); !errors.Is(err, admin.ErrNotRunning) {
		t.Errorf("got %v", err)
	}
	if err := admin.Dial(path).Stream(t.Context(), "/admin/backup", io.Discard); !errors.Is(err, admin.ErrNotRunning) {
		t.Errorf("got %v", err)
	}
}

// TestClientGivesUp calls a daemon that never answers.
func TestClientGivesUp(t *testing.T) {
	dir, err := os.MkdirTemp("", "admin")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.Read(make([]byte, 1))
		cancel()
		<-t.Context().Done()
	}()
	if _, _, err := admin.Dial(filepath.Join(dir, "s")).Do(ctx, "GET", "/healthz", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
