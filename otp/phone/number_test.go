package phone_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp/phone"
)

var dialable = regexp.MustCompile(`^[1-9][0-9]{6,14}$`)

// Every spelling is either refused or the very same number: there is no third
// way, or the limits would split by spelling.
func TestSpellings(t *testing.T) {
	want := phone.Number{Dial: "41791234567", Key: "+41791234567", Country: "CH", Calling: 41}
	accepted := map[string]string{
		"plain":                  "+41791234567",
		"spaces":                 "+41 79 123 45 67",
		"odd groups":             "+4179 1234 567",
		"dashes":                 "+41-79-123-45-67",
		"brackets":               "+41 (79) 123-4567",
		"calling code bracketed": "+(41) 79 123 45 67",
		"dots":                   "+41.79.123.45.67",
		"slash":                  "+41 79/1234567",
		"space after plus":       "+ 41 79 123 45 67",
		"surrounding spaces":     "  +41791234567 ",
		"tel URI":                "tel:+41-79-123-45-67",
		"TEL URI":                "TEL:+41791234567",
		"no-break spaces":        "+41\u00a079\u00a0123\u00a045\u00a067",
		"no-break hyphens":       "+41\u201179\u20111234567",
		"full-width digits":      "+41７９１２３４５６７",
		"full-width plus":        "＋41791234567",
		"Arabic digits":          "+٤١٧٩١٢٣٤٥٦٧",
		"Persian digits":         "+۴۱۷۹۱۲۳۴۵۶۷",
		"trunk prefix":           "+41 (0)79 123 45 67",
		"trunk prefix, plain":    "+410791234567",
		"exactly 32 bytes":       "+41791234567" + strings.Repeat(" ", 20),
	}
	for name, spelling := range accepted {
		t.Run(name, func(t *testing.T) {
			got, err := phone.Parse(spelling)
			if err != nil || got != want {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		})
	}
	refused := map[string]string{
		"empty":                "",
		"plus":                 "+",
		"tel":                  "tel:",
		"national":             "079 123 45 67",
		"no plus":              "41791234567",
		"00":                   "0041791234567",
		"011":                  "01141791234567",
		"zero after plus":      "+041791234567",
		"two pluses":           "++41791234567",
		"plus inside":          "+41+791234567",
		"percent-encoded":      "%2B41791234567",
		"extension":            "+41791234567;ext=1",
		"spoken extension":     "+41791234567 x1",
		"context":              "tel:791234567;phone-context=+41",
		"letters":              "+1 800 FLOWERS",
		"newline at the end":   "+41791234567\n",
		"carriage return":      "+41791234567\r",
		"newline in front":     "\n+41791234567",
		"tab":                  "+41\t791234567",
		"NUL":                  "+41791234567\x00",
		"substitute":           "+41791234567\x1a",
		"escape":               "+4179\x1b1234567",
		"soft hyphen":          "+41\u00ad791234567",
		"zero-width space":     "+41\u200b791234567",
		"word joiner":          "+41\u2060791234567",
		"byte order mark":      "\ufeff+41791234567",
		"left-to-right embed":  "\u202a+41791234567",
		"right-to-left over":   "+41\u202e791234567",
		"line separator":       "+41791234567\u2028",
		"superscript":          "+4179123456⁷",
		"invalid UTF-8":        "+41791234567\xff",
		"lone surrogate":       "+41\xed\xa0\x80791234567",
		"unclosed bracket":     "+41 (79 1234567",
		"brackets reversed":    "+41 )79( 1234567",
		"nested brackets":      "+41 ((79)) 1234567",
		"hanging hyphen":       "+41791234567-",
		"AT command":           "+41791234567\r\nAT+CPWROFF",
		"service code":         "*#06#",
		"plus and stars":       "+1234*99#",
		"emergency":            "112",
		"plus emergency":       "+112",
		"US emergency":         "911",
		"plus US emergency":    "+1911",
		"national emergency":   "+41 112",
		"short code":           "+41 98765",
		"five digits":          "12345",
		"too short":            "+41 79 123",
		"too long":             "+41 79 123 45 67 89 01",
		"sixteen digits":       "+4179123456789012",
		"unknown calling code": "+999 123 456 78",
		"33 bytes":             "+41791234567" + strings.Repeat(" ", 21),
		"10,000 digits":        "+" + strings.Repeat("4", 10_000),
	}
	for name, spelling := range refused {
		t.Run(name, func(t *testing.T) {
			got, err := phone.Parse(spelling)
			if err != phone.ErrInvalid || got != (phone.Number{}) {
				t.Errorf("got %+v, %v; want ErrInvalid", got, err)
			}
		})
	}
}

// Lengths decide, not lists of ranges: a range that is younger than the box
// must work.
func TestPossible(t *testing.T) {
	for spelling, want := range map[string]phone.Number{
		"+1 212 555 0100":     {Dial: "12125550100", Key: "+12125550100", Country: "US", Calling: 1},
		"+1 (555) 010-0100":   {Dial: "15550100100", Key: "+15550100100", Country: "US", Calling: 1}, // no such area
		"+1 876 555 0100":     {Dial: "18765550100", Key: "+18765550100", Country: "JM", Calling: 1}, // +1 is not one country
		"+1 416 555 0100":     {Dial: "14165550100", Key: "+14165550100", Country: "CA", Calling: 1},
		"+7 701 234 56 78":    {Dial: "77012345678", Key: "+77012345678", Country: "KZ", Calling: 7},
		"+7 8 912 345 67 89":  {Dial: "79123456789", Key: "+79123456789", Country: "RU", Calling: 7},
		"+44 7624 123456":     {Dial: "447624123456", Key: "+447624123456", Country: "IM", Calling: 44},
		"+39 06 1234 5678":    {Dial: "390612345678", Key: "+390612345678", Country: "IT", Calling: 39}, // this 0 is no trunk prefix
		"+881 612 345 678":    {Dial: "881612345678", Key: "+881612345678", Country: "001", Calling: 881},
		"+378 886377":         {Dial: "3780549886377", Key: "+3780549886377", Country: "SM", Calling: 378},
		"+290 22158":          {Dial: "29022158", Key: "+29022158", Country: "SH", Calling: 290},
		"+49 1523 4567890":    {Dial: "4915234567890", Key: "+4915234567890", Country: "DE", Calling: 49},
		"+49 (0) 1523 456789": {Dial: "491523456789", Key: "+491523456789", Country: "DE", Calling: 49},
	} {
		got, err := phone.Parse(spelling)
		if got != want || err != nil {
			t.Errorf("%s: got %+v, %v; want %+v", spelling, got, err, want)
		}
	}
}

// Classes that cost the sender or that no person reads are told apart from
// what is no number.
func TestClasses(t *testing.T) {
	for class, spelling := range map[string]string{
		"premium rate":                         "+41 900 123 456",
		"premium rate, US":                     "+1 900 234 5678",
		"shared cost":                          "+41 848 123 456",
		"toll-free":                            "+41 800 123 456",
		"toll-free, US":                        "+1 800 555 0100",
		"pager":                                "+41 74 012 34 56",
		"voicemail":                            "+41 860 79 123 45 67",
		"universal access":                     "+41 58 123 45 67",
		"trunk prefix does not hide":           "+41 (0)900 123 456",
		"international toll-free":              "+800 1234 5678",
		"international shared cost":            "+808 1234 5678",
		"international premium rate":           "+979 1 1234 5678",
		"international premium, unknown range": "+979 123 456 789",
	} {
		t.Run(class, func(t *testing.T) {
			got, err := phone.Parse(spelling)
			if err != phone.ErrRefused || got != (phone.Number{}) {
				t.Errorf("got %+v, %v; want ErrRefused", got, err)
			}
		})
	}
}

func TestBlock(t *testing.T) {
	for _, c := range []struct {
		key  string
		drop int
		want string
	}{
		{"+41791234567", 3, "+41791234"},
		{"+41791234567", 4, "+4179123"},
		{"+41791234567", 0, "+41791234567"},
		{"+4179", 4, "+"},
		{"+4179", 40, "+"},
		{"", 3, ""},
	} {
		if got := phone.Block(c.key, c.drop); got != c.want {
			t.Errorf("Block(%q, %d) = %q, want %q", c.key, c.drop, got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"+41791234567", "tel:+1-212-555-0100", "+41 (0)79 123 45 67", "+52 1 55 1234 5678", "+54 11 15 2345 6789",
		"+55 11 98765 4321", "+378 886377", "+٤١٧٩١٢٣٤٥٦٧", "+1911", "*#06#", "+41791234567;ext=1", "+7 8 912 345 67 89",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		n, err := phone.Parse(input)
		if err != nil {
			// The bare sentinels: nothing of the input is in an error.
			if n != (phone.Number{}) || err != phone.ErrInvalid && err != phone.ErrRefused {
				t.Fatalf("%q: %+v with %v", input, n, err)
			}
			return
		}
		if !dialable.MatchString(n.Dial) || !dialable.MatchString(strings.TrimPrefix(n.Key, "+")) || n.Key[0] != '+' {
			t.Fatalf("%q: cannot be dialled: %+v", input, n)
		}
		if n.Calling == 0 || n.Country == "" {
			t.Fatalf("%q: no country: %+v", input, n)
		}
		if again, err := phone.Parse("+" + n.Dial); err != nil || again != n {
			t.Fatalf("%q: %+v is no fixed point: %+v, %v", input, n, again, err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, spelling := range map[string]string{
		"CH": "+41791234567", "US": "+1 (212) 555-0100", "trunk": "+41 (0)79 123 45 67", "refused": "0791234567",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				phone.Parse(spelling)
			}
		})
	}
}
