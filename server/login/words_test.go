package login_test

import (
	"testing"

	"github.com/pinferry/pinferry/server/login"
)

// A word that a language lacks would be an empty button, or an error in silence.
func TestWords(t *testing.T) {
	for _, gap := range login.Unsaid() {
		t.Error(gap, "is not said")
	}
}
