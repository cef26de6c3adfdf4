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
	none *path // counts what has no path
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

func isOpen(segment string) bool { return segment == appSegment || segment == idSegment }

// newRouter returns the router of all paths of the doors. Two doors that want
// one path are a mistake in the table, and an error.
func newRouter(doors []web.Door, set *metrics.Set) (*router, error) {
	r := &router{fixed: map[string]*path{}, open: map[int][]*path{}, none: newPath("none", set)}
	byPattern := map[string]*path{}
	for _, door := range doors {
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

// find returns the path and the handler of a call, and notes what stood for
// {app} and {id}. A path that is known is returned with the error too.
func (r *router) find(c *web.Call) (*path, web.Handler, error) {
	p, app, id := r.match(pathOf(c.HTTP.Request.Header.RequestURI()))
	if p == nil {
		return nil, nil, &web.Problem{
			Status: fasthttp.StatusNotFound, Code: string(otp.InvalidRequest), Title: "Not found",
			Detail: "There is no such path.",
		}
	}
	c.App, c.Param = app, id
	method := string(c.HTTP.Method())
	if c.HTTP.IsHead() {
		method = fasthttp.MethodGet // the body is left out when the answer is written
	}
	if i := slices.Index(p.methods, method); i >= 0 {
		return p, p.handlers[i], nil
	}
	c.HTTP.Response.Header.Set("Allow", p.allow)
	if c.HTTP.IsOptions() {
		return p, (*web.Call).Empty, nil
	}
	return p, nil, &web.Problem{
		Status: fasthttp.StatusMethodNotAllowed, Code: string(otp.InvalidRequest), Title: "Method not allowed",
		Detail: "This path has " + p.allow + ".",
	}
}

// match compares the path with every pattern of as many segments.
func (r *router) match(path []byte) (p *path, app, id string) {
	if p := r.fixed[string(path)]; p != nil {
		return p, "", ""
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
