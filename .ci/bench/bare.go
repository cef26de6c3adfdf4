package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"

	"github.com/rs/zerolog"
	"github.com/valyala/fasthttp"

	"github.com/pinferry/pinferry/kv"
	"github.com/pinferry/pinferry/otp"
)

// bare serves a handler that reads a small JSON body and keeps it in one
// durable transaction: what any program on this stack has to pay.
func bare(dir string) error {
	kv.TuneMemory()
	clock := otp.NewClock(otp.ClockSource{})
	db, err := kv.Open(kv.Config{Dir: dir, Now: clock.Now, Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	defer db.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() { // the parent's end is ours
		bufio.NewReader(os.Stdin).ReadByte()
		l.Close()
	}()
	return fasthttp.Serve(l, func(ctx *fasthttp.RequestCtx) {
		var body struct{ To string }
		if err := json.Unmarshal(ctx.PostBody(), &body); err != nil {
			ctx.SetStatusCode(fasthttp.StatusBadRequest)
			return
		}
		id := otp.NewID()
		err := db.Update(context.Background(), func(tx otp.Tx) error {
			tx.Put(otp.Key{Kind: otp.KindVerification, Part: string(id[:])}, []byte(body.To), 0)
			return nil
		})
		if err != nil {
			ctx.SetStatusCode(fasthttp.StatusServiceUnavailable)
			return
		}
		ctx.SetContentType("application/json")
		ctx.SetBodyString(`{"id":"` + id.String() + `"}`)
	})
}

// floor is the bare handler in a process of its own.
type floor struct {
	process *exec.Cmd
	clients *clients
}

func startBare(dir string) (*floor, error) {
	f := &floor{process: exec.Command(os.Args[0], "bare", dir)}
	f.process.Stderr = os.Stderr
	if _, err := f.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := f.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := f.process.Start(); err != nil {
		return nil, err
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the bare handler did not start: %w", err)
	}
	f.clients = newClients(address[:len(address)-1])
	return f, nil
}

func (f *floor) stop() {
	f.process.Process.Kill()
	f.process.Wait()
}

func (f *floor) hit(worker int) (bool, error) {
	_, err := f.clients.post(worker, "/", `{"to":"`+nextNumber()+`"}`, 200)
	return true, err
}
