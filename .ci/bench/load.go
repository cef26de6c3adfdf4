package main

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// result is what one measurement gave.
type result struct {
	rate     float64 // requests per second
	p50, p99 float64 // milliseconds
	failed   int
	failure  string
}

// load calls do from so many connections for a while. do returns false when it
// has nothing left to do.
func load(connections int, span time.Duration, do func(worker int) (more bool, err error)) result {
	var r result
	var mu sync.Mutex
	var all []time.Duration
	var workers sync.WaitGroup
	began := now()
	for worker := range connections {
		workers.Go(func() {
			var mine []time.Duration
			var failure error
			failed := 0
			for time.Since(began) < span {
				start := now()
				more, err := do(worker)
				if !more {
					break
				}
				if err != nil {
					failed++
					failure = err
				}
				mine = append(mine, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
			r.failed += failed
			if failure != nil {
				r.failure = fmt.Sprint(failure)
			}
		})
	}
	workers.Wait()
	took := time.Since(began)
	if len(all) == 0 {
		return r
	}
	slices.Sort(all)
	r.rate = float64(len(all)) / took.Seconds()
	r.p50, r.p99 = quantile(all, 0.5), quantile(all, 0.99)
	return r
}

func quantile(sorted []time.Duration, q float64) float64 {
	return float64(sorted[int(float64(len(sorted)-1)*q)].Microseconds()) / 1000
}
