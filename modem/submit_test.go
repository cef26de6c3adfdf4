package modem_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/modem"
)

func TestSegments(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       int
	}{
		{"nothing", "", 0},
		{"one septet", "a", 1},
		{"the whole of a segment", strings.Repeat("a", 160), 1},
		{"one more", strings.Repeat("a", 161), 2},
		{"the whole of two", strings.Repeat("a", 306), 2},
		{"one more than two", strings.Repeat("a", 307), 3},
		{"an extension counts twice", strings.Repeat("€", 80), 1},
		{"and so does this", strings.Repeat("€", 80) + "a", 2},
		{"every extension", "^{}\\[~]|€\f", 1},
		{"the default alphabet's own letters", "@£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ ¡ÄÖÑÜ§¿äöñüà", 1},
		{"an extension is not split over two segments", strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152) + "€", 3},
		{"one letter of another alphabet", strings.Repeat("ы", 70), 1},
		{"and one more", strings.Repeat("ы", 71), 2},
		{"the whole of two", strings.Repeat("ы", 134), 2},
		{"one more than two", strings.Repeat("ы", 135), 3},
		{"outside the basic plane", strings.Repeat("😀", 35), 1},
		{"and one more", strings.Repeat("😀", 36), 2},
		{"one letter turns all into UCS-2", strings.Repeat("a", 70) + "ы", 2},
	} {
		if got := modem.Segments(c.text); got != c.want {
			t.Errorf("%s: %d segments, want %d", c.name, got, c.want)
		}
	}
}
