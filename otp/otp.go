// Package otp decides: it issues one-time codes, verifies them, counts tries
// and sends, and drives each message to a terminal state.
//
// It holds rules and state machines only. There is no disk, socket or radio in
// it: a [Store] keeps its records, a [Route] carries its messages, a [Clock]
// tells it box time. Three types act: [Verifications], [Outbox] and, on users
// and their sessions, [Directory].
//
// A code is derived from the box key, never stored and never logged. See
// [Keys].
package otp
