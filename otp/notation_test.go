package otp_test

import (
	"encoding"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
)

// notation is what people write and read.
type notation interface {
	encoding.TextUnmarshaler
	encoding.TextMarshaler
}

// all is a fresh one of each.
func all() []notation {
	return []notation{new(otp.Duration), new(otp.Rule), new(otp.Conversion), new(otp.Network), new(otp.Digest)}
}

func TestNotation(t *testing.T) {
	for _, test := range []struct {
		into          notation
		text, written string // as it is written again; "" if it is refused
	}{
		{new(otp.Duration), "90s", "1m30s"}, {new(otp.Duration), "300s", "5m"}, {new(otp.Duration), "168h", "168h"}, {new(otp.Duration), "0s", "0s"},
		{new(otp.Duration), "1h30s", "1h0m30s"}, {new(otp.Duration), "-1s", ""}, {new(otp.Duration), "5", ""}, {new(otp.Duration), "", ""},
		{new(otp.Rule), "3/5m", "3/5m"}, {new(otp.Rule), "10/24h", "10/24h"}, {new(otp.Rule), "0/5m", ""}, {new(otp.Rule), "3/999ms", ""},
		{new(otp.Rule), "3", ""}, {new(otp.Rule), "3/5m/1%", ""}, {new(otp.Rule), "many/5m", ""},
		{new(otp.Conversion), "20/1h/10%", "20/1h/10%"}, {new(otp.Conversion), "20/1h/0%", ""}, {new(otp.Conversion), "20/1h/101%", ""},
		{new(otp.Conversion), "20/1h/10", ""}, {new(otp.Conversion), "20/1h", ""}, {new(otp.Conversion), "10%", ""},
		{new(otp.Network), "10.0.0.0/8", "10.0.0.0/8"}, {new(otp.Network), "10.0.0.7", "10.0.0.7/32"}, {new(otp.Network), "fd00::/8", "fd00::/8"},
		{new(otp.Network), "10.0.0.7/8", ""}, {new(otp.Network), "fe80::1%eth0", ""}, {new(otp.Network), "localhost", ""},
		{new(otp.Digest), otp.DigestOf("sk_x").String(), otp.DigestOf("sk_x").String()},
		{new(otp.Digest), "sha256:" + strings.Repeat("0", 62), ""}, {new(otp.Digest), "sha256:" + strings.Repeat("0", 66), ""}, {new(otp.Digest), strings.Repeat("0", 64), ""},
	} {
		err := test.into.UnmarshalText([]byte(test.text))
		if (err == nil) != (test.written != "") {
			t.Errorf("%T %q: %v", test.into, test.text, err)
		}
		if err != nil {
			continue
		}
		if got, err := test.into.MarshalText(); err != nil || string(got) != test.written {
			t.Errorf("%T %q is written %q (%v), want %q", test.into, test.text, got, err, test.written)
		}
	}
	if err := new(otp.Digest).UnmarshalText([]byte("sk_secret")); err == nil || strings.Contains(err.Error(), "sk_secret") {
		t.Errorf("a key in place of its digest: %v", err)
	}
	var c otp.Conversion
	if err := c.UnmarshalText([]byte("20/1h30m/10%")); err != nil || c != (otp.Conversion{Sends: 20, Window: 90 * time.Minute, Percent: 10}) {
		t.Errorf("got %+v (%v)", c, err)
	}
}

// FuzzNotation reads what it has written as the same value.
func FuzzNotation(f *testing.F) {
	for _, text := range []string{"5m", "3/5m", "20/1h/10%", "1/-1h", "9999999999h", "/", "%", "10.0.0.0/8", "::1", "sha256:00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fresh := all()
		for i, value := range all() {
			if value.UnmarshalText([]byte(text)) != nil {
				continue
			}
			written, err := value.MarshalText()
			if err != nil || fresh[i].UnmarshalText(written) != nil {
				t.Fatalf("%T %q is written %q (%v), which nobody can read", value, text, written, err)
			}
			if again, _ := fresh[i].MarshalText(); string(again) != string(written) {
				t.Errorf("%T %q: %q becomes %q", value, text, written, again)
			}
		}
	})
}
