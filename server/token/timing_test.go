package token_test

import (
	"testing"

	"github.com/pinferry/pinferry/server/token"
)

// What a login costs in signatures, by algorithm: RS256 is there for SDKs that
// know nothing else.
func BenchmarkIssue(b *testing.B) {
	box := newBox(b, token.RS256)
	g := box.login("")
	for _, algorithm := range []token.Algorithm{token.ES256, token.RS256} {
		b.Run(string(algorithm), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				box.issue(b, g, token.Form{Algorithm: algorithm})
			}
		})
	}
}

func BenchmarkBearer(b *testing.B) {
	box := newBox(b, token.RS256)
	g := box.login("")
	for _, algorithm := range []token.Algorithm{token.ES256, token.RS256} {
		b.Run(string(algorithm), func(b *testing.B) {
			access := box.issue(b, g, token.Form{Algorithm: algorithm}).Access
			b.ReportAllocs()
			for b.Loop() {
				if _, err := box.Bearer(b.Context(), box.at(""), access); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
