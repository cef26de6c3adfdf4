package kv_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pinferry/pinferry/kv"
	"github.com/pinferry/pinferry/otp"
)

// TestMain lets the test binary be the process that a test kills or lets die:
// the environment names its part.
func TestMain(m *testing.M) {
	dir := os.Getenv("KV_TEST_DIR")
	switch os.Getenv("KV_TEST_PART") {
	case "":
		os.Exit(m.Run())
	case "write":
		writeForEver(dir)
	case "read":
		readAll(dir)
	case "leave":
		writeAndLeave(dir)
	case "fill":
		fillAgain(dir)
	}
}

// child returns the command that plays a part.
func child(t *testing.T, part, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "KV_TEST_PART="+part, "KV_TEST_DIR="+dir,
		"GORACE=atexit_sleep_ms=0") // or each of many children sleeps for a second
	return cmd
}

// writeForEver is the child that gets killed. It names every row on stdout
// once it is durable.
func writeForEver(dir string) {
	db, err := kv.Open(kv.Config{Dir: dir})
	if err != nil {
		fmt.Println("fault", err)
		os.Exit(1)
	}
	if db.Lost() {
		fmt.Println("fault lost after a kill")
		os.Exit(1)
	}
	var mu sync.Mutex
	for caller := range 16 {
		go func() {
			for {
				part := fmt.Sprintf("%d-%d-%x", os.Getpid(), caller, rand.Uint64())
				err := db.Update(context.Background(), func(tx otp.Tx) error {
					tx.Put(row(part), []byte(strings.Repeat(part, 8)), 0)
					n, _ := tx.Get(row("count"))
					tx.Put(row("count"), fmt.Appendf(nil, "%d", atoi(n)+1), 0)
					return nil
				})
				mu.Lock()
				if err != nil {
					fmt.Println("fault", err)
				} else {
					fmt.Println(part)
				}
				mu.Unlock()
			}
		}()
	}
	select {}
}

func atoi(b []byte) (n int) {
	fmt.Sscan(string(b), &n)
	return n
}

func TestKill(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for range 10 {
		cmd := child(t, "write", dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		killAt := len(acknowledged) + 1 + rand.IntN(1500)
		lines := bufio.NewScanner(out)
		for lines.Scan() { // to the end: what was written before the kill counts
			if strings.HasPrefix(lines.Text(), "fault") {
				t.Error(lines.Text())
				break
			}
			acknowledged[lines.Text()] = true
			if len(acknowledged) == killAt {
				if err := cmd.Process.Kill(); err != nil {
					t.Error(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Error("the child ended of itself")
		}
		db := open(t, kv.Config{Dir: dir})
		if db.Lost() {
			t.Error("a kill lost commits")
		}
		for part := range acknowledged {
			if get(t, db, part) != strings.Repeat(part, 8) {
				t.Errorf("row %s was acknowledged and is not there", part)
			}
		}
		// What was committed and not yet named may be there beside it.
		if count := atoi([]byte(get(t, db, "count"))); count < len(acknowledged) || count > len(acknowledged)+16*10 {
			t.Errorf("the counter is %d, %d were acknowledged", count, len(acknowledged))
		}
		shut(t, db)
	}
}

// readAll is the child that opens what a test has damaged: if the engine
// panics in a goroutine of its own, it takes the child and not the test.
func readAll(dir string) {
	db, err := kv.Open(kv.Config{Dir: dir})
	if err != nil {
		fmt.Println("refused", err)
		return
	}
	rows := 0
	err = db.View(context.Background(), func(tx otp.Tx) error {
		return tx.Scan(row(""), otp.Key{}, 0, func(otp.Key, []byte) bool {
			rows++
			return true
		})
	})
	if err != nil {
		fmt.Println("failed", err)
		return
	}
	if err := db.Update(context.Background(), func(tx otp.Tx) error {
		tx.Put(row("again"), nil, 0)
		return nil
	}); err != nil {
		fmt.Println("failed", err)
		return
	}
	if err := db.Close(); err != nil {
		fmt.Println("failed", err)
		return
	}
	fmt.Println("read", rows, db.Lost())
}

// leaveRows is how many rows writeSome writes, each under a number of its own.
const leaveRows = 1000

func writeSome(db *kv.DB) {
	for range leaveRows {
		if err := db.Update(context.Background(), func(tx otp.Tx) error {
			part := fmt.Sprintf("+4179%07d", rand.IntN(1e7))
			for _, taken := tx.Get(row(part)); taken; _, taken = tx.Get(row(part)) {
				part = fmt.Sprintf("+4179%07d", rand.IntN(1e7))
			}
			tx.Put(row(part), []byte(strings.Repeat("x", 100)), 0)
			return nil
		}); err != nil {
			fmt.Println("fault", err)
			os.Exit(1)
		}
	}
}

// writeAndLeave is a child that ends without closing its database, so that its
// last rows are in a log and in no table.
func writeAndLeave(dir string) {
	db, err := kv.Open(kv.Config{Dir: dir})
	if err != nil {
		fmt.Println("fault", err)
		os.Exit(1)
	}
	writeSome(db)
	os.Exit(0)
}

// A flipped byte anywhere in the engine's files is refused, or fails what reads
// it, or is told as a loss, or harms nothing. It never ends in a panic and
// never passes for an older state of the box.
func TestDamage(t *testing.T) {
	const rows = 3 * leaveRows
	origin := t.TempDir()
	for range 2 { // tables
		db := open(t, kv.Config{Dir: origin})
		writeSome(db)
		shut(t, db)
	}
	if out, err := child(t, "leave", origin).CombinedOutput(); err != nil { // and a log
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Remove(filepath.Join(origin, "ballast")); err != nil { // only a burden to copy
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Join(origin, "db"))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, file := range files {
		if file.Name() == "LOCK" || file.Name() == "DISCARD" {
			continue // nothing of ours
		}
		flips := 3
		if file.Name() == "MANIFEST" {
			flips = 8
		}
		for range flips {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(origin)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "db", file.Name())
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(content) == 0 {
				continue
			}
			used := len(content)
			for used > 1 && content[used-1] == 0 {
				used-- // the tail of a log is a hole
			}
			at := random.IntN(used)
			content[at] ^= 1 << random.IntN(8)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := child(t, "read", dir).CombinedOutput()
			text := string(out)
			var got int
			var lost bool
			n, _ := fmt.Sscanf(text, "read %d %t", &got, &lost)
			switch {
			case err != nil:
				t.Errorf("%s, byte %d of %d: the process died, %v: %s", file.Name(), at, used, err, text)
			case strings.Contains(text, "4179"):
				t.Errorf("%s, byte %d of %d: a number is told: %s", file.Name(), at, used, text)
			case n == 2 && got < rows && !lost:
				t.Errorf("%s, byte %d of %d: %d of %d rows are there and nothing is said to be lost", file.Name(), at, used, got, rows)
			}
		}
	}
}
