package web_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
)

func TestMetadata(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", web.MaxMetadata-8) + `"}`
	for given, want := range map[string]string{"": "", "null": "", "{}": "{}", `{"a":1}`: `{"a":1}`, long: long} {
		got, err := web.Metadata("data", jsontext.Value(given))
		if err != nil || string(got) != want || want == "" && got != nil {
			t.Errorf("%.20s: got %.20s, %v", given, got, err)
		}
	}
	for _, given := range []string{"[]", `"a"`, "1", "true", long + " "} {
		_, err := web.Metadata("data", jsontext.Value(given))
		if err == nil || !strings.Contains(err.Error(), `"data" must be an object of at most 1024 bytes.`) {
			t.Errorf("%.20s: got %v", given, err)
		}
	}
}

// TestIDOf has that what is no id names nothing, and not twice the same: it
// must not be a place where guesses of many meet.
func TestIDOf(t *testing.T) {
	id := otp.NewID()
	if got := web.IDOf(id.String()); got != id {
		t.Errorf("got %s, want %s", got, id)
	}
	for _, handle := range []string{"", "x", id.String() + "0", "vrf_" + id.String(), strings.Repeat("z", 32)} {
		if a, b := web.IDOf(handle), web.IDOf(handle); a.IsZero() || a == b || a == id {
			t.Errorf("%q: got %s and %s", handle, a, b)
		}
	}
}
