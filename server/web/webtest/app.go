package webtest

import (
	"crypto/sha256"
	"testing"

	"github.com/pinferry/pinferry/otp"
)

// Apps returns the apps of a box. They send to every country, and every text of
// theirs is one segment.
func Apps(t testing.TB, list ...otp.App) *otp.Apps {
	t.Helper()
	for i := range list {
		list[i].Countries = []string{"*"}
	}
	apps, err := otp.NewApps(list, func(string) int { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	return apps
}

// Keys returns what an app keeps of its keys.
func Keys(keys ...string) (digests [][32]byte) {
	for _, key := range keys {
		digests = append(digests, sha256.Sum256([]byte(key)))
	}
	return digests
}
