package main

import "time"

// now is the stopwatch.
func now() time.Time { return time.Now() }
