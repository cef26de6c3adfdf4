package cert

import (
	"fmt"
	"strings"

	"github.com/pinferry/pinferry/server/web"
	"rsc.io/qr/coding"
)

// quiet is the white border of a QR code, in squares: readers need four.
const quiet = 4

// drawQR writes text as a QR code in SVG, dark on white whatever the page's
// colours are. label is for those who do not see it.
func drawQR(h *web.HTML, text, label string) error {
	plan, err := planOf(coding.String(text))
	if err != nil {
		return fmt.Errorf("draw a QR code: %w", err)
	}
	code, err := plan.Encode(coding.String(text))
	if err != nil {
		return fmt.Errorf("draw a QR code: %w", err)
	}
	var squares strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from { // one stroke for squares side by side
				fmt.Fprintf(&squares, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}
	side := code.Size + 2*quiet
	h.Raw(`<svg class="qr" role="img" shape-rendering="crispEdges"`).
		Attr("aria-label", label).Attr("viewBox", fmt.Sprintf("%d %d %d %d", -quiet, -quiet, side, side)).
		Raw(`><rect fill="#fff"`).Attr("x", fmt.Sprint(-quiet)).Attr("y", fmt.Sprint(-quiet)).
		Attr("width", fmt.Sprint(side)).Attr("height", fmt.Sprint(side)).
		Raw(`/><path fill="#000"`).Attr("d", squares.String()).Raw(`/></svg>`)
	return nil
}

// planOf returns the smallest plan that holds text with a medium amount of
// correction.
func planOf(text coding.Encoding) (*coding.Plan, error) {
	for v := coding.Version(coding.MinVersion); v <= coding.MaxVersion; v++ {
		if text.Bits(v) <= v.DataBytes(coding.M)*8 {
			return coding.NewPlan(v, coding.M, 0)
		}
	}
	return nil, fmt.Errorf("%d bits are too many", text.Bits(coding.MaxVersion))
}
