package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

// given is what compat.mjs hands over.
type given struct {
	Base    string
	Handset string // a JSON line for each message that arrived
	First   int    // of the numbers that are this suite's
	Apps    struct{ A, B app }
}

// app is one of the two of box.mjs.
type app struct{ Publishable, Secret, Project, Service string }

// suite runs the steps of one SDK.
type suite struct {
	sdk string
	*ring
}

var (
	number = regexp.MustCompile(`\b\d{6,}\b`)
	jwt    = regexp.MustCompile(`ey[\w-]+\.[\w.-]+`)
	code   = regexp.MustCompile(`\b\d{6}\b`)
)

// step runs one step and reports it in a line of JSON, without codes, numbers
// or tokens. call is its column in the table, rule what it proves.
func (s *suite) step(call, rule string, run func() error) {
	line := map[string]string{"sdk": s.sdk, "call": call, "rule": rule}
	if err := safely(run); err != nil {
		line["error"] = number.ReplaceAllString(jwt.ReplaceAllString(err.Error(), "<token>"), "******")
	}
	_ = json.NewEncoder(os.Stdout).Encode(line)
}

// safely makes an error of a panic: an SDK panics on an answer that it does not
// expect.
func safely(run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return run()
}

// want returns an error unless ok.
func want(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// ring gives out numbers that nobody had before.
type ring struct {
	next    int
	handset string
}

// phone is one of them, and its owner's eyes.
type phone struct {
	number  string
	handset string
	read    int
	last    string
}

func (r *ring) phone() *phone {
	p := &phone{number: fmt.Sprintf("+4179%07d", r.next), handset: r.handset}
	r.next++
	return p
}

// code waits for the next message and returns the code in it.
func (p *phone) code() (string, error) {
	for range 200 {
		texts, err := p.texts()
		if err != nil {
			return "", err
		}
		if len(texts) > p.read {
			p.last = code.FindString(texts[p.read])
			p.read++
			return p.last, want(p.last != "", "a message without a code")
		}
		time.Sleep(50 * time.Millisecond)
	}
	return "", errors.New("no message came")
}

// texts returns what arrived for the number.
func (p *phone) texts() (texts []string, err error) {
	file, err := os.ReadFile(p.handset)
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(file) {
		var sms struct{ To, Text string }
		if json.Unmarshal(line, &sms) == nil && sms.To == p.number {
			texts = append(texts, sms.Text)
		}
	}
	return texts, nil
}

// wrong returns a code that is not the one in the message read last.
func (p *phone) wrong() string {
	return strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, p.last)
}
