package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"github.com/valyala/fasthttp"

	"github.com/pinferry/pinferry/kv"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/otptest"
)

const config = `
[server]
listen = %q
[storage]
dir = %q
[[modem]]
name = "out"
%s
[routes]
order = ["out"]
[[app]]
id = "bench"
mode = "test"
keys = ["sha256:%x"]
doors = ["native", "ssojet", "passage", "strike", "gotrue", "descope", "twilio"]
aliases = ["` + service + `"]
countries = ["*"]
[limits]
sends_per_phone = []
sends_per_address_phone = []
sends_per_address = []
sends_per_block = []
sends_per_large_block = []
sends_per_country = []
sends_per_box = []
conversion_per_block = []
conversion_per_country = []
backoff = []
tries_per_phone = []
tries_per_address_phone = []
tries_per_address = []
refusals_per_address = []
messages_per_app = []
`

const key = "sk_bench"

// box is a throw-away box in a process of its own.
type box struct {
	process     *exec.Cmd
	clients     *clients
	firstAnswer time.Duration
	keys        *otp.Keys
	epoch       *otptest.Memory // the one row of the store that codes need

	mu      sync.Mutex
	pending []otp.ID // started and not checked
}

func newBox(dir, program, device string) (*box, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	l.Close()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "pinferry.toml")
	text := fmt.Sprintf(config, address, data, device, sha256.Sum256([]byte(key)))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	b := &box{clients: newClients(address)}
	if err := b.readKeys(data); err != nil {
		return nil, err
	}
	began := now()
	b.process = exec.Command(program, "serve", "--config", file, "--socket", filepath.Join(dir, "admin.sock"), "--log-level", "warn")
	b.process.Stderr = os.Stderr
	if err := b.process.Start(); err != nil {
		return nil, err
	}
	for b.firstAnswer == 0 {
		if status, _, err := fasthttp.Get(nil, "http://"+address+"/healthz"); err == nil && status == 200 {
			b.firstAnswer = time.Since(began)
		} else if time.Since(began) > 10*time.Second {
			return nil, fmt.Errorf("the box does not answer")
		}
	}
	return b, nil
}

// readKeys makes the store before the box does, and keeps what codes derive
// from.
func (b *box) readKeys(data string) error {
	secret, err := kv.BoxKey(data, "")
	if err != nil {
		return err
	}
	if b.keys, err = otp.NewKeys(secret); err != nil {
		return err
	}
	clock := otp.NewClock(otp.ClockSource{})
	db, err := kv.Open(kv.Config{Dir: data, Now: clock.Now, Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	defer db.Close()
	ctx := context.Background()
	if _, err := (&otp.Box{Store: db, Clock: clock, Keys: b.keys}).Open(ctx, db.Lost()); err != nil {
		return err
	}
	b.epoch = otptest.NewMemory()
	return db.View(ctx, func(from otp.Tx) error {
		return b.epoch.Update(ctx, func(to otp.Tx) error {
			return from.Scan(otp.Key{Kind: otp.KindMeta}, otp.Key{}, 0, func(k otp.Key, v []byte) bool {
				to.Put(k, bytes.Clone(v), 0)
				return true
			})
		})
	})
}

func (b *box) stop() {
	b.process.Process.Kill()
	b.process.Wait()
}

var subscribers atomic.Int64

// nextNumber returns a number that has not been used.
func nextNumber() string { return fmt.Sprintf("+4179%07d", subscribers.Add(1)%10_000_000) }

// start begins a verification.
func (b *box) start(worker int) (bool, error) {
	id, err := b.begin(worker)
	if err == nil {
		b.mu.Lock()
		b.pending = append(b.pending, id)
		b.mu.Unlock()
	}
	return true, err
}

func (b *box) begin(worker int) (otp.ID, error) {
	body, err := b.clients.post(worker, "/v1/verifications", `{"to":"`+nextNumber()+`"}`, 201)
	if err != nil {
		return otp.ID{}, err
	}
	return idAfter(body, `"vrf_`)
}

// idAfter reads the id that follows a mark in an answer.
func idAfter(answer []byte, mark string) (otp.ID, error) {
	if _, rest, ok := bytes.Cut(answer, []byte(mark)); ok && len(rest) >= 32 {
		if id, ok := otp.ParseID(string(rest[:32])); ok {
			return id, nil
		}
	}
	return otp.ID{}, fmt.Errorf("no id in the answer")
}

// check approves what start began, while there is any.
func (b *box) check(worker int) (bool, error) {
	b.mu.Lock()
	n := len(b.pending)
	if n == 0 {
		b.mu.Unlock()
		return false, nil
	}
	id := b.pending[n-1]
	b.pending = b.pending[:n-1]
	b.mu.Unlock()
	return true, b.approve(worker, id)
}

// forget drops what check did not come to.
func (b *box) forget() { b.pending = nil }

func (b *box) pair(worker int) (bool, error) {
	id, err := b.begin(worker)
	if err != nil {
		return true, err
	}
	return true, b.approve(worker, id)
}

// code derives the digits that the SMS holds.
func (b *box) code(id otp.ID) (code string, err error) {
	err = b.epoch.View(context.Background(), func(tx otp.Tx) (err error) {
		code, err = b.keys.Derive(tx, &otp.Verification{ID: id, Generation: 1, Length: 6})
		return err
	})
	return code, err
}

func (b *box) approve(worker int, id otp.ID) error {
	code, err := b.code(id)
	if err != nil {
		return err
	}
	_, err = b.clients.post(worker, "/v1/verifications/vrf_"+id.String()+"/check", `{"code":"`+code+`"}`, 200)
	return err
}

// memory tells what the box has resident: its own memory and, beside it, the
// pages of its files that the kernel keeps mapped while it needs them for
// nothing else.
func (b *box) memory() string {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.process.Process.Pid))
	mib := func(field string) (n float64) {
		if _, rest, ok := bytes.Cut(status, []byte(field)); ok {
			fmt.Sscan(string(rest), &n)
		}
		return n / 1024
	}
	return fmt.Sprintf("%.0f MiB (%.0f own, %.0f of files; highest %.0f)", mib("VmRSS:"), mib("RssAnon:"), mib("RssFile:"), mib("VmHWM:"))
}

// clients are keep-alive connections, one a worker.
type clients struct {
	base string
	mu   sync.Mutex
	all  map[int]*fasthttp.HostClient
}

func newClients(address string) *clients {
	return &clients{base: address, all: map[int]*fasthttp.HostClient{}}
}

func (c *clients) of(worker int) *fasthttp.HostClient {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all[worker] == nil {
		c.all[worker] = &fasthttp.HostClient{Addr: c.base, MaxConns: 1}
	}
	return c.all[worker]
}

// post sends JSON with the box's key and returns the answer's body, which must
// come with this status.
func (c *clients) post(worker int, path, body string, want int) ([]byte, error) {
	return c.send(worker, path, body, "application/json", "Bearer "+key, want)
}

func (c *clients) send(worker int, path, body, kind, auth string, want int) ([]byte, error) {
	request, answer := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(answer)
	request.SetRequestURI("http://" + c.base + path)
	request.Header.SetMethod("POST")
	if auth != "" {
		request.Header.Set("Authorization", auth)
	}
	request.Header.SetContentType(kind)
	request.SetBodyString(body)
	if err := c.of(worker).Do(request, answer); err != nil {
		return nil, err
	}
	if answer.StatusCode() != want {
		return nil, fmt.Errorf("status %d: %s", answer.StatusCode(), answer.Body())
	}
	return bytes.Clone(answer.Body()), nil
}
