package captcha_test

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/captcha"
)

// issued is when the golden challenge was made.
const issued = otp.Time(1_800_000_000_000)

// golden is a solution that another implementation of the protocol has made,
// under the key that seal gives the app "demo".
//
//go:embed testdata/solution.json
var golden []byte

// seal gives each app a key of its own.
func seal(label string, parts ...[]byte) (sum [32]byte) {
	if label != "pinferry captcha v1" || len(parts) != 1 {
		panic("sealed " + label)
	}
	for i := range sum {
		sum[i] = 7
	}
	if app := string(parts[0]); app != "demo" {
		sum = sha256.Sum256(parts[0])
	}
	return sum
}

// at returns a maker at a moment.
func at(now otp.Time) *captcha.Altcha {
	return captcha.NewAltcha(seal, func() otp.Time { return now })
}

func caller(app string) otp.Caller { return otp.Caller{App: &otp.App{ID: app}} }

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(text)
}

// solve returns the payload of a challenge of demo, found by trying.
func solve(t testing.TB, a *captcha.Altcha, work int) map[string]any {
	t.Helper()
	c, _, err := a.Challenge(&otp.App{ID: "demo"}, work)
	if err != nil {
		t.Fatal(err)
	}
	for n := range work + 1 {
		if sum := sha256.Sum256(fmt.Append(nil, c.Salt, n)); hex.EncodeToString(sum[:]) == c.Challenge {
			return map[string]any{"algorithm": c.Algorithm, "challenge": c.Challenge, "number": n, "salt": c.Salt, "signature": c.Signature, "took": 12}
		}
	}
	t.Fatal("the challenge has no solution")
	return nil
}

func refusedBy(err error) otp.Code {
	var e *otp.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Code
}

func TestSolution(t *testing.T) {
	a := at(issued)
	p := solve(t, a, captcha.MinWork)
	proof, err := a.Prove(t.Context(), caller("demo"), encode(p))
	if err != nil || proof.Until != issued.Add(captcha.Life) {
		t.Fatalf("got %v, good until %d", err, proof.Until)
	}
	// The end of the salt can be left out: that must not make two of one.
	p["salt"] = strings.TrimSuffix(p["salt"].(string), "&")
	if again, err := a.Prove(t.Context(), caller("demo"), encode(p)); err != nil || again != proof {
		t.Errorf("another spelling is another captcha: %v", err)
	}
	if other, err := a.Prove(t.Context(), caller("demo"), encode(solve(t, a, captcha.MinWork))); err != nil || other.ID == proof.ID {
		t.Errorf("another captcha has the same name: %v", err)
	}
}

// TestGolden has the protocol kept.
func TestGolden(t *testing.T) {
	proof, err := at(issued).Prove(t.Context(), caller("demo"), base64.StdEncoding.EncodeToString(golden))
	if err != nil || proof.Until != issued.Add(captcha.Life) {
		t.Errorf("got %v, good until %d", err, proof.Until)
	}
}

func TestForgedSolutions(t *testing.T) {
	for name, forge := range map[string]func(p map[string]any){
		"Number":      func(p map[string]any) { p["number"] = 4712 },
		"NoNumber":    func(p map[string]any) { delete(p, "number") },
		"Negative":    func(p map[string]any) { p["number"] = -4711 },
		"Fraction":    func(p map[string]any) { p["number"] = 4711.5 },
		"NumberText":  func(p map[string]any) { p["number"] = "4711" },
		"Huge":        func(p map[string]any) { p["number"] = json.Number("99999999999999999999") },
		"Expires":     func(p map[string]any) { p["salt"] = strings.Replace(p["salt"].(string), "1800000300", "1800000400", 1) },
		"Spliced":     func(p map[string]any) { p["salt"], p["number"] = p["salt"].(string)+"47", 11 },
		"SaltLonger":  func(p map[string]any) { p["salt"] = p["salt"].(string) + "expires=1900000000&" },
		"Challenge":   func(p map[string]any) { p["challenge"] = strings.Repeat("0", 64) },
		"Capitals":    func(p map[string]any) { p["challenge"] = strings.ToUpper(p["challenge"].(string)) },
		"Signature":   func(p map[string]any) { p["signature"] = strings.Repeat("0", 64) },
		"NoSignature": func(p map[string]any) { delete(p, "signature") },
		"Algorithm":   func(p map[string]any) { p["algorithm"] = "SHA-1" },
		"NoAlgorithm": func(p map[string]any) { delete(p, "algorithm") },
		"OwnSalt": func(p map[string]any) {
			sum := sha256.Sum256([]byte("x?expires=1800000300&1"))
			p["salt"], p["number"], p["challenge"] = "x?expires=1800000300&", 1, hex.EncodeToString(sum[:])
		},
	} {
		t.Run(name, func(t *testing.T) {
			var p map[string]any
			if err := json.Unmarshal(golden, &p); err != nil {
				t.Fatal(err)
			}
			forge(p)
			if _, err := at(issued).Prove(t.Context(), caller("demo"), encode(p)); refusedBy(err) != otp.CaptchaRequired {
				t.Errorf("got %v", err)
			}
		})
	}
	for _, text := range []string{"", "x", "e30=", "bnVsbA==", "W10=", base64.StdEncoding.EncodeToString([]byte(`{"number":1,"number":2}`))} {
		if _, err := at(issued).Prove(t.Context(), caller("demo"), text); refusedBy(err) != otp.CaptchaRequired {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestSolutionOfAnotherApp(t *testing.T) {
	if _, err := at(issued).Prove(t.Context(), caller("other"), base64.StdEncoding.EncodeToString(golden)); refusedBy(err) != otp.CaptchaRequired {
		t.Errorf("got %v", err)
	}
}

// TestAge has a challenge good for its five minutes of box time, and not at all
// once the clock was set back to before it was made.
func TestAge(t *testing.T) {
	solution := base64.StdEncoding.EncodeToString(golden)
	for since, want := range map[time.Duration]otp.Code{
		0: "", captcha.Life - time.Millisecond: "", captcha.Life: otp.CaptchaRequired, 43 * 365 * 24 * time.Hour: otp.CaptchaRequired,
		-time.Second: otp.CaptchaRequired, -24 * time.Hour: otp.CaptchaRequired,
	} {
		if _, err := at(issued.Add(since)).Prove(t.Context(), caller("demo"), solution); refusedBy(err) != want {
			t.Errorf("%s after it was made: got %v, want %q", since, err, want)
		}
	}
}

// TestOneBlock keeps what a page hashes within one block, which its solver
// builds on.
func TestOneBlock(t *testing.T) {
	c, _, err := at(issued).Challenge(&otp.App{ID: strings.Repeat("a", 64)}, captcha.MaxWork)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(fmt.Append(nil, c.Salt, captcha.MaxWork)); n > 55 {
		t.Errorf("a page hashes %d bytes", n)
	}
}

// FuzzSolution: whatever comes is refused as a captcha, or is the golden one.
func FuzzSolution(f *testing.F) {
	f.Add(base64.StdEncoding.EncodeToString(golden))
	f.Add(encode(map[string]any{"algorithm": "SHA-256", "number": -1, "salt": "?expires=x&"}))
	f.Add("e30=")
	a := at(issued)
	want, err := a.Prove(f.Context(), caller("demo"), base64.StdEncoding.EncodeToString(golden))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, solution string) {
		proof, err := a.Prove(t.Context(), caller("demo"), solution)
		if err == nil && proof != want {
			t.Errorf("%q is good, as %x", solution, proof.ID)
		}
		if err != nil && refusedBy(err) != otp.CaptchaRequired {
			t.Errorf("%q: %v", solution, err)
		}
	})
}

// BenchmarkProve measures what a start costs more.
func BenchmarkProve(b *testing.B) {
	a, c, solution := at(issued), caller("demo"), base64.StdEncoding.EncodeToString(golden)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Prove(b.Context(), c, solution); err != nil {
			b.Fatal(err)
		}
	}
}
