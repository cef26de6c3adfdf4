package server

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/admin"
	"github.com/pinferry/pinferry/server/web"
	"github.com/rs/zerolog"
	"github.com/valyala/fasthttp"
)

// gate takes the requests of one entrance from the parser to their handler,
// and is the one place where an error becomes an answer and a line in the log.
type gate struct {
	server *Server
	paths  *router
	guard  *guard // nil on the admin socket
	cors   *cors  // nil there too
}

// handle answers one request.
func (g *gate) handle(ctx *fasthttp.RequestCtx) {
	c := g.call(ctx)
	var p *path
	var handler web.Handler
	var err error
	defer func() { g.end(c, p, recover()) }()
	if p, handler, err = g.enter(c); err == nil {
		err = g.run(c, handler)
	}
	if err != nil {
		g.refuse(c, p, err)
	}
	if g.server.life.Err() != nil {
		ctx.SetConnectionClose() // whoever was too slow for the shutdown is not waited for again
	}
}

// call returns the call of a request, with an id of our own.
func (g *gate) call(ctx *fasthttp.RequestCtx) *web.Call {
	c := &web.Call{HTTP: ctx, Life: g.server.life, RequestID: requestID()}
	h := &ctx.Response.Header
	h.Set("X-Request-Id", c.RequestID)
	h.Set("X-Content-Type-Options", "nosniff")
	return c
}

// requestID returns 16 hex digits. They name a line in the log and guard
// nothing.
func requestID() string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], rand.Uint64())
	return hex.EncodeToString(b[:])
}

// enter runs the guard and finds the handler. A path that is known is returned
// with a refusal too, for its door to word it.
func (g *gate) enter(c *web.Call) (*path, web.Handler, error) {
	p := g.paths.find(c)
	if p != nil && p.door.Prepare != nil {
		p.door.Prepare(c)
	}
	if err := checkFraming(c.HTTP); err != nil {
		c.HTTP.SetConnectionClose() // whatever follows cannot be told from this request
		return p, nil, err
	}
	if g.guard != nil {
		if err := g.guard.checkHost(c.HTTP); err != nil {
			return p, nil, err
		}
		c.Peer, c.Client = addressOf(c.HTTP.RemoteAddr()), g.guard.client(c.HTTP)
		c.Secure = secured(c.HTTP) || g.guard.secure(c.HTTP)
		g.strict(c)
		if instead := g.plain(c, p); instead != nil {
			return p, instead, nil
		}
	}
	handler, err := g.paths.handler(c, p)
	return p, handler, err
}

// run lets the handler answer. The core gets a deadline of its own: the one of
// the parser's context is the end of the server.
func (g *gate) run(c *web.Call, handler web.Handler) error {
	ctx, cancel := context.WithTimeout(g.server.life, g.server.config.WriteTimeout)
	defer cancel()
	c.Context = ctx
	return handler(c)
}

// refuse answers an error in the form of the path's door, and logs it if it is
// a fault. Before a path is known, and at doors without a form of their own, it
// is a problem.
func (g *gate) refuse(c *web.Call, p *path, err error) {
	if e := web.ErrorOf(err); e.Code == otp.Internal {
		g.server.config.Log.Error().Err(e.Err).Str("request", c.RequestID).Msg("request failed")
	}
	g.answer(c, p, err)
}

// answer writes a refusal in place of whatever the answer was so far.
func (g *gate) answer(c *web.Call, p *path, err error) {
	if p == nil || p.door.Refuse == nil {
		c.Refuse(web.ProblemOf(err))
		return
	}
	c.HTTP.Response.ResetBody()
	p.door.Refuse(c, web.ErrorOf(err), web.StatusOf(err))
}

// panicked answers for a handler that panicked. What a panic says may hold
// what was being handled, so only what the runtime says itself is logged.
func (g *gate) panicked(c *web.Call, p *path, reason any) {
	words := fmt.Sprintf("%T", reason)
	var fault runtime.Error
	if err, ok := reason.(error); ok && errors.As(err, &fault) {
		words = fault.Error()
	}
	g.server.config.Log.Error().Str("request", c.RequestID).Str("panic", words).
		Bytes("stack", debug.Stack()).Msg("handler panicked")
	defer func() {
		if recover() != nil { // it is the door's refusal that panics
			c.Refuse(web.ProblemOf(errPanic))
		}
	}()
	g.answer(c, p, errPanic)
}

var errPanic = errors.New("a handler panicked")

// malformed answers what the parser could not read. Its errors quote the
// request, so they go nowhere.
func (g *gate) malformed(ctx *fasthttp.RequestCtx, err error) {
	c := g.call(ctx)
	refusal := web.Invalid("The request is not valid HTTP.")
	var p *path
	var header *fasthttp.ErrSmallBuffer
	var network net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		refusal.Status, refusal.Title, refusal.Detail = fasthttp.StatusRequestEntityTooLarge, "Body too large", fmt.Sprintf("The body may have %d bytes.", maxBody)
		p = g.paths.find(c) // the head was read
	case errors.As(err, &header):
		refusal.Status, refusal.Title, refusal.Detail = fasthttp.StatusRequestHeaderFieldsTooLarge, "Head too large", fmt.Sprintf("The head of a request may have %d bytes.", maxHeader)
	case errors.As(err, &network) && network.Timeout():
		refusal.Status, refusal.Title, refusal.Detail = fasthttp.StatusRequestTimeout, "Request timeout", "The request did not come in time."
	}
	defer func() { g.end(c, p, recover()) }()
	g.refuse(c, p, refusal)
}

// end finishes an answer. reason is what a handler panicked with, or nil.
func (g *gate) end(c *web.Call, p *path, reason any) {
	if reason != nil {
		g.panicked(c, p, reason)
	}
	if g.cors != nil && p != nil {
		g.cors.mark(c, p)
	}
	g.done(c, p)
}

// done counts and logs a call that has been answered. Only the pattern of a
// path is logged: the path itself holds ids, and what people type.
func (g *gate) done(c *web.Call, p *path) {
	if p == nil {
		p = g.paths.none
	}
	status := c.HTTP.Response.StatusCode()
	p.count(status)
	var event *zerolog.Event
	caller, socket := c.HTTP.Conn().(*admin.Conn)
	if socket {
		event = g.server.config.Log.Info().Uint32("uid", caller.Peer.UID).Int32("pid", caller.Peer.PID)
	} else {
		event = g.server.config.Log.Debug()
	}
	if !event.Enabled() {
		return
	}
	if c.Caller.App != nil {
		event.Str("app", c.Caller.App.ID)
	}
	var took time.Duration
	if begun := c.HTTP.Time(); !begun.IsZero() {
		took = time.Since(begun)
	}
	event.Str("request", c.RequestID).Str("method", method(c.HTTP)).Str("path", p.pattern).
		Int("status", status).Dur("took", took).Msg(map[bool]string{true: "admin call", false: "call"}[socket])
}

// method returns the request's method if it is one of HTTP's own.
func method(ctx *fasthttp.RequestCtx) string {
	switch m := string(ctx.Method()); m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "other"
}
