package server

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// router finds the handler of a request. It compares the bytes of the path as
// they came: no decoding, no cleaning, so there is one spelling of each path
// and nothing to hide in another.
type router struct {
	fixed map[string]*path
	// open are the patterns with an {app} or an {id}, by their number of
	// segments; where two fit, the one that spells more out comes first.
	open map[int][]*path
	// below are the beginnings that belong to a door alone, as paths without a
	// method, the longest first.
	below []*path
	none  *path // counts what has no path
}

// path is a pattern with its methods.
type path struct {
	pattern  string
	segments []string
	methods  []string
	handlers []web.Handler
	door     web.Door // nameless for paths that belong to none
	allow    string   // for the header of the same name
	set      *metrics.Set
	counters [6]string // names, by class of status
}

// What a pattern may leave open.
const (
	appSegment = "{app}"
	idSegment  = "{id}"
)

// anything ends the pattern of what lies below a beginning.
const anything = "/*"

// everyMethod is what a page may send there: a browser that is not let through
// would show its page no refusal at all, and the client of the vendor in it would
// not know what was wrong.
const everyMethod = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

func isOpen(segment string) bool { return segment == appSegment || segment == idSegment }

// newRouter returns the router of all paths of the doors. Two doors that want
// one path are a mistake in the table, and an error.
func newRouter(doors []web.Door, set *metrics.Set) (*router, error) {
	r := &router{fixed: map[string]*path{}, open: map[int][]*path{}, none: newPath("none", set)}
	byPattern := map[string]*path{}
	for _, door := range doors {
		for _, beginning := range door.Below {
			p := newPath(beginning+anything, set)
			p.door, p.allow = door, everyMethod
			if i := slices.IndexFunc(r.below, func(b *path) bool { return b.pattern == p.pattern }); i >= 0 {
				return nil, fmt.Errorf("%s stands twice in the table of paths: at %q and at %q", p.pattern, r.below[i].door.Name, door.Name)
			}
			r.below = append(r.below, p)
		}
		for _, line := range door.Routes {
			p := byPattern[line.Pattern]
			if p == nil {
				p = newPath(line.Pattern, set)
				p.door = door
				byPattern[line.Pattern] = p
				r.add(p)
			}
			if p.door.Name != door.Name || slices.Contains(p.methods, line.Method) {
				return nil, fmt.Errorf("%s %s stands twice in the table of paths: at %q and at %q", line.Method, line.Pattern, p.door.Name, door.Name)
			}
			p.methods = append(p.methods, line.Method)
			p.handlers = append(p.handlers, line.Handle)
		}
	}
	slices.SortFunc(r.below, func(a, b *path) int { return len(b.pattern) - len(a.pattern) })
	for _, p := range byPattern {
		p.allow = strings.Join(p.methods, ", ")
		if slices.Contains(p.methods, fasthttp.MethodGet) {
			p.allow += ", HEAD"
		}
		p.allow += ", OPTIONS"
	}
	return r, nil
}

func (r *router) add(p *path) {
	if !slices.ContainsFunc(p.segments, isOpen) {
		r.fixed[p.pattern] = p
		return
	}
	n := len(p.segments)
	r.open[n] = append(r.open[n], p)
	slices.SortStableFunc(r.open[n], func(a, b *path) int {
		for i := range a.segments {
			if x, y := isOpen(a.segments[i]), isOpen(b.segments[i]); x != y {
				return map[bool]int{true: 1, false: -1}[x]
			}
		}
		return 0
	})
}

func newPath(pattern string, set *metrics.Set) *path {
	p := &path{pattern: pattern, segments: strings.Split(strings.TrimPrefix(pattern, "/"), "/"), set: set}
	for class := range p.counters {
		p.counters[class] = fmt.Sprintf(`pinferry_http_requests_total{path=%q,status="%dxx"}`, pattern, class)
	}
	return p
}

// find returns the path of a call, and notes what stood for {app} and {id}. It
// is one without a method where only the door is known, and nil where not even
// that is.
func (r *router) find(c *web.Call) *path {
	target := pathOf(c.HTTP.Request.Header.RequestURI())
	p, app, id := r.match(target)
	if p == nil {
		i := slices.IndexFunc(r.below, func(b *path) bool {
			rest, ok := bytes.CutPrefix(target, []byte(strings.TrimSuffix(b.pattern, anything)))
			return ok && (len(rest) == 0 || rest[0] == '/')
		})
		if i < 0 {
			return nil
		}
		p = r.below[i]
	}
	c.App, c.Param = app, id
	return p
}

// handler returns what answers a call to p, which [router.find] has found.
func (r *router) handler(c *web.Call, p *path) (web.Handler, error) {
	if p != nil && c.HTTP.IsOptions() {
		c.HTTP.Response.Header.Set("Allow", p.allow)
		return (*web.Call).Empty, nil
	}
	if p == nil || len(p.methods) == 0 {
		return nil, web.NoPath()
	}
	method := string(c.HTTP.Method())
	if c.HTTP.IsHead() {
		method = fasthttp.MethodGet // the body is left out when the answer is written
	}
	if i := slices.Index(p.methods, method); i >= 0 {
		return p.handlers[i], nil
	}
	c.HTTP.Response.Header.Set("Allow", p.allow)
	return nil, &web.Problem{
		Status: fasthttp.StatusMethodNotAllowed, Code: string(otp.InvalidRequest), Title: "Method not allowed",
		Detail: "This path has " + p.allow + ".",
	}
}

// match compares the path with every pattern of as many segments.
func (r *router) match(path []byte) (p *path, app, id string) {
	if p := r.fixed[string(path)]; p != nil {
		return p, "", ""
	}
	if len(path) == 0 || path[0] != '/' {
		return nil, "", ""
	}
	for _, p := range r.open[bytes.Count(path, []byte("/"))] {
		if app, id, ok := p.match(path[1:]); ok {
			return p, app, id
		}
	}
	return nil, "", ""
}

func (p *path) match(rest []byte) (app, id string, ok bool) {
	for _, want := range p.segments {
		var segment []byte
		segment, rest, _ = bytes.Cut(rest, []byte("/"))
		switch {
		case !isOpen(want):
			if string(segment) != want {
				return "", "", false
			}
		case len(segment) == 0:
			return "", "", false
		case want == appSegment:
			app = string(segment)
		default:
			id = string(segment)
		}
	}
	return app, id, true
}

// pathOf returns a request target without its query.
func pathOf(target []byte) []byte {
	path, _, _ := bytes.Cut(target, []byte("?"))
	return path
}

// count counts a request to this path by the class of its status.
func (p *path) count(status int) {
	if class := status / 100; p.set != nil && class < len(p.counters) {
		p.set.GetOrCreateCounter(p.counters[class]).Inc()
	}
}
