package modem

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/rs/zerolog"
)

// FinderConfig is where a finder looks. The zero value is the box itself.
type FinderConfig struct {
	// Root is the folder that the file system of the machine begins at; "" is "/".
	Root string
	// Sys, Dev and Proc are "sys", "dev" and "proc" in it if they are "".
	Sys, Dev, Proc string
	// Log is the finder's logger.
	Log zerolog.Logger
}

// Finder finds the modems of the box and shares them out: no stick is given to
// two routes, and one that is plugged in again goes to the route that it was
// with, whatever its ports are called then. It is safe for concurrent use.
type Finder struct {
	cfg FinderConfig
	// looking holds a token while somebody looks: two who probe would find each
	// other's ports busy.
	looking chan struct{}

	mu       sync.Mutex         // guards all below
	searches map[string]*Search // by route
	claims   map[string]*Search // by the folder of the device
	rests    map[string]respite // by the plug of a device that is asked with care
}

// respite lets a device that did not answer alone for a while.
type respite struct {
	left, next int        // looks to leave it out for, now and after the next failure
	why        *OpenError // what it was found to be
}

// maxRest is the longest rest: some minutes of looks that are 5 s apart.
const maxRest = 64

// NewFinder returns a finder that has not looked yet.
func NewFinder(cfg FinderConfig) *Finder {
	for at, name := range map[*string]string{&cfg.Sys: "sys", &cfg.Dev: "dev", &cfg.Proc: "proc"} {
		if *at == "" {
			*at = filepath.Join("/", cfg.Root, name)
		}
	}
	return &Finder{
		cfg: cfg, looking: make(chan struct{}, 1),
		searches: make(map[string]*Search), claims: make(map[string]*Search), rests: make(map[string]respite),
	}
}

// Seek returns the search of a route for its modem. device is "auto" (the next
// one that nobody else wants), "imei:" and 15 digits, or the path of a port.
// All routes should be known before the first of them opens its modem: what one
// names is not given to another. A second search of a route replaces the first.
func (f *Finder) Seek(route, device string) *Search {
	s := &Search{finder: f, route: route, wake: make(chan struct{}, 1)}
	if imei, ok := strings.CutPrefix(device, "imei:"); ok {
		s.imei, s.fixed = imei, true
	} else if device != "auto" {
		s.path = device
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.searches[route] = s
	return s
}

// Watch wakes the searches when the kernel tells of a new device, until ctx
// ends. Where it cannot listen, as in some containers, it returns at once, and
// routes without a modem find it as they look again by themselves.
func (f *Finder) Watch(ctx context.Context) {
	if err := events(ctx, f.Heed); err != nil {
		f.cfg.Log.Info().Err(err).Msg("a modem that is plugged in is found by looking for it every few seconds")
	}
}

// Heed takes an event of the kernel. A device that appeared wakes every search.
func (f *Finder) Heed(e Event) {
	if e.Action != "add" && e.Action != "bind" || e.Subsystem != "tty" && e.Subsystem != "usb" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.searches {
		select {
		case s.wake <- struct{}{}:
		default: // it has not looked since it was last woken
		}
	}
}

// lock makes the caller the only one who looks.
func (f *Finder) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case f.looking <- struct{}{}:
		return func() { <-f.looking }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ttyPath is the path of a tty's node.
func (f *Finder) ttyPath(tty string) string { return filepath.Join(f.cfg.Dev, tty) }

// holds tells which port of d the node at path is, following links.
func (f *Finder) holds(d *usbDevice, path string) (usbPort, bool) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return usbPort{}, false
	}
	i := slices.IndexFunc(d.ports, func(p usbPort) bool {
		at, err := filepath.EvalSymlinks(f.ttyPath(p.tty))
		return err == nil && at == target
	})
	if i < 0 {
		return usbPort{}, false
	}
	return d.ports[i], true
}

// owner returns the route that a device is taken by, other than s, or "". One
// that a route's configuration names a port of is out of reach for a search
// that takes what it finds.
func (f *Finder) owner(d *usbDevice, s *Search) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if holder := f.claims[d.folder]; holder != nil && holder != s {
		return holder.route
	}
	for _, other := range f.searches {
		if other == s || other.path == "" || s.path != "" {
			continue
		}
		if _, ok := f.holds(d, other.path); ok {
			return other.route
		}
	}
	return ""
}

// wanted tells whether a modem belongs to another search than s: by the
// configuration, or because it was with it last.
func (f *Finder) wanted(imei string, s *Search) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, other := range f.searches {
		if other != s && sameIMEI(other.imei, imei) {
			return true
		}
	}
	return false
}

// claim gives a device to a search until the port is closed.
func (f *Finder) claim(d *usbDevice, s *Search, imei string) (release func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.claims[d.folder], s.last = s, *d
	if s.path == "" && !s.fixed {
		s.imei = imei
	}
	return sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.claims, d.folder)
	})
}

// had tells whether d looks like the stick that s had last: the same ids at the
// same socket.
func (f *Finder) had(d *usbDevice, s *Search) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return d.folder == s.last.folder && d.id() == s.last.id()
}

// left tells whether a stick that nobody has can only be for s: it takes any,
// and every other search has its own.
func (f *Finder) left(s *Search) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	served := map[*Search]bool{s: !s.fixed}
	for _, holder := range f.claims {
		served[holder] = true
	}
	for _, other := range f.searches {
		if other.path == "" && !served[other] {
			return false
		}
	}
	return true
}

// refresh ends the rest of a device: whoever has lost it waits for it.
func (f *Finder) refresh(d *usbDevice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.rests, d.plug())
}

// resting tells whether a device that is asked with care is left alone in this
// look, and if so, why.
func (f *Finder) resting(d *usbDevice) *OpenError {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.rests[d.plug()]
	if r.left == 0 {
		return nil
	}
	r.left--
	f.rests[d.plug()] = r
	return r.why
}

// tire makes the next rest of a device that did not answer twice as long.
func (f *Finder) tire(d *usbDevice, why *OpenError) {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := min(max(2*f.rests[d.plug()].next, 1), maxRest)
	f.rests[d.plug()] = respite{left: next, next: next, why: why}
}
