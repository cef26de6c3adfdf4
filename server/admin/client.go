package admin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// ErrNotRunning says that nobody answers on the socket: no daemon runs there.
var ErrNotRunning = errors.New("no daemon answers on the socket")

// answerLimit bounds what [Client.Do] reads, in bytes.
const answerLimit = 4 << 20

// Client talks to a running daemon through its admin socket. Each call has a
// connection of its own, so a client may be used by several goroutines and
// needs no closing.
type Client struct{ path string }

// Dial returns a client of the socket at path. It does not touch the socket:
// the first call does.
func Dial(path string) *Client { return &Client{path: path} }

// Do makes one call: method and path as in "POST", "/v1/messages?app=demo". A
// body is JSON; nil is none. The answer is returned whatever its status is; an
// error means that there was no answer, and is [ErrNotRunning] when nobody
// listens.
func (c *Client) Do(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	err = c.exchange(ctx, method, path, body, false, func(resp *fasthttp.Response) error {
		status, answer = resp.StatusCode(), append([]byte(nil), resp.Body()...)
		return nil
	})
	return status, answer, err
}

// Refusal is an answer that is not a success, where [Client.Stream] expected a
// stream.
type Refusal struct {
	Status int
	Answer []byte // the problem, as JSON
}

// Error returns the status; the answer tells more.
func (r *Refusal) Error() string { return fmt.Sprintf("the daemon answered %d", r.Status) }

// Stream makes a GET call and copies the answer into w as it comes. A stream
// that was cut short is an error. An answer other than 200 writes nothing and
// is a [*Refusal].
func (c *Client) Stream(ctx context.Context, path string, w io.Writer) error {
	return c.exchange(ctx, fasthttp.MethodGet, path, nil, true, func(resp *fasthttp.Response) error {
		if resp.StatusCode() != fasthttp.StatusOK {
			answer, err := io.ReadAll(io.LimitReader(resp.BodyStream(), answerLimit))
			if err != nil {
				return fmt.Errorf("read the refusal: %w", err)
			}
			return &Refusal{Status: resp.StatusCode(), Answer: answer}
		}
		_, err := io.Copy(w, resp.BodyStream())
		return err
	})
}

// exchange sends one request on a fresh connection and hands the answer to
// read before the connection is closed.
func (c *Client) exchange(ctx context.Context, method, path string, body []byte, stream bool, read func(*fasthttp.Response) error) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", c.path)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w (%w)", ErrNotRunning, err)
	}
	defer conn.Close()
	// An ended context breaks whatever read or write is under way.
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	err = func() error {
		var req fasthttp.Request
		req.Header.SetMethod(method)
		req.SetRequestURI(path)
		req.Header.SetHost("localhost")
		req.SetConnectionClose()
		if body != nil {
			req.Header.SetContentType("application/json")
			req.SetBodyRaw(body)
		}
		w := bufio.NewWriter(conn)
		if err := req.Write(w); err != nil {
			return fmt.Errorf("send the request: %w", err)
		}
		if err := w.Flush(); err != nil {
			return fmt.Errorf("send the request: %w", err)
		}
		resp := fasthttp.Response{StreamBody: stream}
		limit := answerLimit
		if stream {
			limit = 0
		}
		if err := resp.ReadLimitBody(bufio.NewReader(whole{conn}), limit); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		defer resp.CloseBodyStream()
		return read(&resp)
	}()
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// whole reads from a connection that must not end: every answer says itself
// where it does, and one that breaks off between two chunks would otherwise
// look complete.
type whole struct{ net.Conn }

func (w whole) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
