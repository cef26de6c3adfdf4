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
	// open are the patterns with an {id}, by their number of segments.
	open map[int][]*path
	none *path // counts what has no path
}

// path is a pattern with its methods.
type path struct {
	pattern  string
	segments []string
	methods  []string
	handlers []web.Handler
	allow    string // for the header of the same name
	set      *metrics.Set
	counters [6]string // names, by class of status
}

const placeholder = "{id}"

func newRouter(routes []route, set *metrics.Set) *router {
	r := &router{fixed: map[string]*path{}, open: map[int][]*path{}, none: newPath("none", set)}
	byPattern := map[string]*path{}
	for _, line := range routes {
		p := byPattern[line.pattern]
		if p == nil {
			p = newPath(line.pattern, set)
			byPattern[line.pattern] = p
			if slices.Contains(p.segments, placeholder) {
				r.open[len(p.segments)] = append(r.open[len(p.segments)], p)
			} else {
				r.fixed[line.pattern] = p
			}
		}
		p.methods = append(p.methods, line.method)
		p.handlers = append(p.handlers, line.handle)
	}
	for _, p := range byPattern {
		p.allow = strings.Join(p.methods, ", ")
		if slices.Contains(p.methods, fasthttp.MethodGet) {
			p.allow += ", HEAD"
		}
		p.allow += ", OPTIONS"
	}
	return r
}

func newPath(pattern string, set *metrics.Set) *path {
	p := &path{pattern: pattern, segments: strings.Split(strings.TrimPrefix(pattern, "/"), "/"), set: set}
	for class := range p.counters {
		p.counters[class] = fmt.Sprintf(`pinferry_http_requests_total{path=%q,status="%dxx"}`, pattern, class)
	}
	return p
}

// find returns the path and the handler of a call, and notes what stood for
// {id}. A path that is known is returned with the error too.
func (r *router) find(c *web.Call) (*path, web.Handler, error) {
	p, id := r.match(pathOf(c.HTTP.Request.Header.RequestURI()))
	if p == nil {
		return nil, nil, &web.Problem{
			Status: fasthttp.StatusNotFound, Code: string(otp.InvalidRequest), Title: "Not found",
			Detail: "There is no such path.",
		}
	}
	c.Param = id
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
func (r *router) match(path []byte) (p *path, id string) {
	if p := r.fixed[string(path)]; p != nil {
		return p, ""
	}
	for _, p := range r.open[bytes.Count(path, []byte("/"))] {
		if id, ok := p.match(path[1:]); ok {
			return p, id
		}
	}
	return nil, ""
}

func (p *path) match(rest []byte) (id string, ok bool) {
	for _, want := range p.segments {
		var segment []byte
		segment, rest, _ = bytes.Cut(rest, []byte("/"))
		if want == placeholder {
			if len(segment) == 0 {
				return "", false
			}
			id = string(segment)
		} else if string(segment) != want {
			return "", false
		}
	}
	return id, true
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
