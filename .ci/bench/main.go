// Command bench measures a running box beside a bare fasthttp handler that
// does one durable, group-committed transaction of the same store. Rates of a
// shared machine drift, so the two take turns and what counts is their ratio.
//
// It owns a throw-away box: a test-mode app, the null route, limits lifted. It
// knows the codes because it holds that box's own key.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

const (
	turns = 3               // of each measurement
	span  = 2 * time.Second // of one
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "bare" {
		exit(bare(os.Args[2]))
		return
	}
	dir, err := os.MkdirTemp("", "bench")
	exit(err)
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "pinferry")
	build := exec.Command("make", "--no-print-directory", "build", "OUT="+program) // as it is shipped
	build.Stderr = os.Stderr
	exit(build.Run())
	exit(rates(dir, program))
	exit(doors(dir, program))
	exit(radio(dir, program))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// rates compares start, check and whole pairs with the bare handler, at each
// number of connections with a fresh database on either side.
func rates(dir, program string) error {
	fmt.Println("connections  what    requests/s   p50 ms   p99 ms   of the bare handler")
	for _, connections := range []int{1, 16, 64} {
		if err := compare(filepath.Join(dir, fmt.Sprint(connections)), program, connections); err != nil {
			return err
		}
	}
	return nil
}

func compare(dir, program string, connections int) error {
	floor, err := startBare(filepath.Join(dir, "bare"))
	if err != nil {
		return err
	}
	defer floor.stop()
	b, err := newBox(filepath.Join(dir, "box"), program, `device = "null"`)
	if err != nil {
		return err
	}
	defer b.stop()
	idle := b.memory()
	results := map[string][]result{}
	for range turns {
		results["pair"] = append(results["pair"], load(connections, span, b.pair))
		results["bare"] = append(results["bare"], load(connections, span, floor.hit))
		results["start"] = append(results["start"], load(connections, span, b.start))
		results["check"] = append(results["check"], load(connections, span, b.check))
		b.forget()
	}
	base := median(results["bare"])
	for _, what := range []string{"bare", "start", "check", "pair"} {
		m := median(results[what])
		fmt.Printf("%11d  %-6s %11.0f %8.2f %8.2f   %.2f\n", connections, what, m.rate, m.p50, m.p99, m.rate/base.rate)
		if m.failed > 0 {
			return fmt.Errorf("%s: %d of the requests failed, the first with %s", what, m.failed, m.failure)
		}
	}
	fmt.Printf("             first answer after start %s; resident idle %s, after the load %s\n",
		b.firstAnswer.Round(time.Millisecond), idle, b.memory())
	return nil
}

// median returns the result with the median rate.
func median(all []result) result {
	slices.SortFunc(all, func(a, b result) int { return int(a.rate - b.rate) })
	return all[len(all)/2]
}
