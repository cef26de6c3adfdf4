package console

import (
	"fmt"
	"runtime"
	"time"
)

// Build is which program this is, for people and their scripts.
type Build struct {
	Version string `json:"version"`
	Built   string `json:"built"` // as [Moment] writes it
	Go      string `json:"go"`
	System  string `json:"system"`
}

// NewBuild returns what this program is. date is that of its sources.
func NewBuild(version string, date time.Time) Build {
	return Build{version, Moment(date), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
}

// Version shows which program this is.
func Version(in *Invocation, b Build) error {
	in.WithJSON()
	if err := in.Parse(); err != nil {
		return err
	}
	return in.Show(b, fmt.Sprintf("pinferry %s (date %s, %s, %s)", b.Version, b.Built, b.Go, b.System))
}
