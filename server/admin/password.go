package admin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"golang.org/x/crypto/argon2"
)

// The cost of a password: 19 MiB and two passes, some 40 ms on a small server
// and two seconds on the smallest board. One at a time is computed, or a few
// tries at once would take the memory of such a board.
const (
	argonTime    = 2
	argonMemory  = 19 << 10 // KiB
	argonThreads = 1
	argonSalt    = 16 // bytes
	argonKey     = 32 // bytes
)

// argonQueue is how many may wait for their turn.
const argonQueue = 8

// Passwords keeps passwords as Argon2id hashes. It is an [otp.Passwords].
type Passwords struct{ turn, queue chan struct{} }

var _ otp.Passwords = (*Passwords)(nil)

// NewPasswords returns the keeper of one box.
func NewPasswords() *Passwords {
	return &Passwords{turn: make(chan struct{}, 1), queue: make(chan struct{}, argonQueue)}
}

// Hash returns "$argon2id$v=19$m=19456,t=2,p=1$salt$hash", the last two in
// base64. It is [otp.Busy] when too many wait.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	rand.Read(salt)
	key, err := p.derive(ctx, password, salt, argonTime, argonMemory, argonThreads, argonKey)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// Match compares a password with a hash of [Passwords.Hash], whose cost may be
// one of an earlier build.
func (p *Passwords) Match(ctx context.Context, hash, password string) (bool, error) {
	var version, memory, time, threads int
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, fmt.Errorf("read the password's hash: it is none")
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &time, &threads); err != nil {
		return false, fmt.Errorf("read the password's hash: %w", err)
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, fmt.Errorf("read the salt of the password's hash: %w", err)
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil {
		return false, fmt.Errorf("read the password's hash: %w", err)
	}
	const most = 64 << 10 // a damaged row must not take all the memory there is
	if version != argon2.Version || len(want) == 0 || memory < 8 || memory > most || time < 1 || time > 8 || threads < 1 || threads > 4 {
		return false, fmt.Errorf("read the password's hash: its cost is out of bounds")
	}
	got, err := p.derive(ctx, password, salt, uint32(time), uint32(memory), uint8(threads), uint32(len(want)))
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1, err
}

func (p *Passwords) derive(ctx context.Context, password string, salt []byte, time, memory uint32, threads uint8, size uint32) ([]byte, error) {
	select {
	case p.queue <- struct{}{}:
		defer func() { <-p.queue }()
	default:
		return nil, &otp.Error{Code: otp.Busy, Detail: "Too many are signing in at once. Try again in a moment."}
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	// A box of 64 MiB cannot leave this to the next collection.
	defer debug.FreeOSMemory()
	return argon2.IDKey([]byte(password), salt, time, memory, threads, size), nil
}
