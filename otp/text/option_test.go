package text_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp/text"
)

func TestCheckOption(t *testing.T) {
	for name, good := range map[string]bool{
		"order": true, "o": true, "order_2": true, strings.Repeat("a", 32): true,
		"": false, "Order": false, "2order": false, "order-2": false, "code": false, "hash": false, "a b": false, "a}": false,
		strings.Repeat("a", 33): false, "order\n": false,
	} {
		if err := text.CheckOption(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A value that whoever may start a verification has chosen leads nowhere.
func TestCheckValue(t *testing.T) {
	for value, good := range map[string]bool{
		"12345": true, "Table 7": true, "12.50 CHF": true, "3/4": true, "Zürich": true, "価格": true, "a; b": true, "Meier & Co.": true,
		strings.Repeat("x", 32): true, strings.Repeat("漢", 32): true, strings.Repeat("😀", 16): true,
		"": false, strings.Repeat("x", 33): false, strings.Repeat("😀", 17): false,
		"http://1.2.3.4": false, "WWW.1": false, "evil.tld": false, "evil。tld": false, "evil．tld": false,
		"me@home": false, "#123456": false, "{code}": false, "a}": false, "a\nb": false, "a\x1ab": false, "a\u202eb": false,
		"a\u2028b": false, "\xff": false,
	} {
		err := text.CheckValue(value)
		if (err == nil) != good {
			t.Errorf("%q: %v", value, err)
		}
		if err != nil && len(value) > 3 && strings.Contains(err.Error(), value) {
			t.Errorf("the error repeats the value: %v", err)
		}
	}
}

// An option is put in once and never read again; what an app has not named is
// no placeholder.
func TestOptionsInATemplate(t *testing.T) {
	if _, err := text.Parse("{code} {order}"); err == nil {
		t.Error("a placeholder that nobody has named is accepted")
	}
	if _, err := text.Parse("{code} {ordr}", "order"); err == nil || !strings.Contains(err.Error(), "nearest is {order}") {
		t.Errorf("error is %v, want one that names {order}", err)
	}
	template, err := text.Parse("{order}: {code} for {app}{tail}", "order", "tail")
	if err != nil {
		t.Fatal(err)
	}
	got := template.Render(text.Values{Code: "1", App: "{tail}", Options: map[string]string{"order": "{code}\n{app}", "tail": ""}})
	if want := "{code} {app}: 1 for {tail}"; got != want {
		t.Errorf("rendered as %q, want %q", got, want)
	}
}

// The widest value counts, and it is not of the GSM alphabet.
func TestOptionsTakeTheirRoom(t *testing.T) {
	segments := func(s string) int {
		room := 160
		if strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f }) {
			room = 70
		}
		return (len([]rune(s)) + room - 1) / room
	}
	for src, good := range map[string]bool{
		"{code} {order}" + strings.Repeat("x", 31): true,
		"{code} {order}" + strings.Repeat("x", 32): false,
		"{code}" + strings.Repeat("x", 154):        true,
	} {
		template, err := text.Parse(src, "order")
		if err != nil {
			t.Fatal(err)
		}
		err = text.CheckSegments(template, text.Widest{CodeLength: 6, Options: []string{"order"}}, segments)
		if (err == nil) != good {
			t.Errorf("%d bytes: %v", len(src), err)
		}
	}
}
