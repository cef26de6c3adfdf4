package cert

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/rs/zerolog"
)

// lookEvery is how often files are looked at while connections come in.
const lookEvery = 5 * time.Second

// Files shows a certificate of the operator's own. When its files change, the
// new pair takes the place of the old one; what does not fit together is told
// in the log and by [Files.State], and the old pair stays.
type Files struct {
	cert, key string
	now       func() otp.Time
	log       zerolog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	looked  otp.Time
	seen    [2]fs.FileInfo // of what was read last, or could not be; nil: there was no file
	trouble error
}

// NewFiles reads a chain and its key, both in PEM. now is box time.
func NewFiles(cert, key string, now func() otp.Time, log zerolog.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, now: now, log: log}
	f.seen, f.looked = f.look(), now()
	pair, err := readPair(cert, key)
	if err != nil {
		return nil, err
	}
	f.use(pair)
	return f, nil
}

// use shows a pair from now on. One that has ended is shown all the same: a
// client may be told to take it, and none would take plain HTTP.
func (f *Files) use(pair *tls.Certificate) {
	f.pair = pair
	if until := pair.Leaf.NotAfter; f.now() > otp.TimeOf(until) {
		f.log.Warn().Time("until", until).Msg("the certificate has ended, and nobody believes it: replace its files, without a restart")
	}
}

// ReadFiles tells how a chain and its key stand, for whoever has no box to show
// them.
func ReadFiles(cert, key string) (State, error) {
	files, err := NewFiles(cert, key, func() otp.Time { return 0 }, zerolog.Nop())
	if err != nil {
		return State{}, err
	}
	return files.State(), nil
}

func readPair(cert, key string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("read the certificate: %w; the user of the service must be able to read it", err)
	case err != nil:
		return nil, fmt.Errorf("read the certificate: %s and %s: %w", cert, key, err)
	}
	return &pair, nil
}

// Current returns the certificate to be shown now.
func (f *Files) Current() *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); now.Sub(f.looked).Abs() >= lookEvery { // box time can be set back
		f.looked = now
		f.refresh()
	}
	return f.pair
}

// State tells how the files stand now.
func (f *Files) State() State {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	s := State{Names: namesOf(f.pair), Until: otp.TimeOf(f.pair.Leaf.NotAfter), Trouble: f.trouble}
	if info := f.seen[1]; info != nil && info.Mode().Perm()&0o007 != 0 {
		s.Loose = f.key
	}
	return s
}

// refresh reads the pair again if a file has changed, or could not be used. The
// caller holds mu.
func (f *Files) refresh() {
	// What is seen now may be older than what is read next, never newer: a
	// change in between shows at the next look.
	seen := f.look()
	if same(seen[0], f.seen[0]) && same(seen[1], f.seen[1]) && f.trouble == nil {
		return
	}
	f.seen = seen
	pair, err := readPair(f.cert, f.key)
	if err == nil {
		f.log.Info().Time("until", pair.Leaf.NotAfter).Msg("the new certificate is in use")
		f.use(pair)
	} else if f.trouble == nil || f.trouble.Error() != err.Error() {
		f.log.Error().Err(err).Msg("the new certificate cannot be used, the old one stays")
	}
	f.trouble = err
}

func (f *Files) look() (seen [2]fs.FileInfo) {
	for i, path := range []string{f.cert, f.key} {
		if info, err := os.Stat(path); err == nil {
			seen[i] = info
		}
	}
	return seen
}

// same tells whether a file is still what it was. One that replaces another may
// have its size and time.
func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && a.Mode() == b.Mode()
}
