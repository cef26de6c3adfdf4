package phone_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp/phone"
)

func TestParseNational(t *testing.T) {
	for _, test := range []struct {
		digits, region string
		certain        bool
		want           string // the key; "" is refused
	}{
		{"0791234567", "CH", false, "+41791234567"},
		{"791234567", "CH", true, "+41791234567"},
		{"41791234567", "CH", false, "+41791234567"},   // without its plus sign
		{"0041791234567", "CH", false, "+41791234567"}, // dialled
		{"07911123456", "GB", false, "+447911123456"},
		{"015112345678", "DE", false, "+4915112345678"},
		{"612345678", "ES", true, "+34612345678"},
		{"2125550100", "US", true, "+12125550100"},
		{"91123456789", "AR", true, "+541123456789"},
		{"11987654321", "BR", true, "+551187654321"},
		{"791234567", "CH", false, "+41791234567"}, // +7 912 345 67 is too short to be any
		// Two numbers, unless the network has said which.
		{"13812345678", "CN", false, ""}, // and +1 381 234 5678
		{"13812345678", "CN", true, "+8613812345678"},
		// No mobile of the region.
		{"0442345678", "CH", true, ""},
		{"0900123456", "CH", true, ""},
		{"0800123456", "CH", false, ""},
		{"4636", "CH", false, ""},
		{"112", "CH", true, ""},
		{"911", "US", true, ""},
		{"00447911123456", "CH", false, ""}, // a mobile, but of another region
		{"0791234567", "DE", false, ""},
		// No digits, no region.
		{"", "CH", true, ""},
		{"MyBank", "CH", true, ""},
		{"079CODES12", "CH", true, ""},
		{"+41791234567", "CH", true, ""},
		{"0791234567", "", true, ""},
		{"0791234567", "XX", true, ""},
		{strings.Repeat("0", 300), "CH", true, ""},
	} {
		n, err := phone.ParseNational(test.digits, test.region, test.certain)
		if n.Key != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%q in %s, certain %v: %q, %v; want %q", test.digits, test.region, test.certain, n.Key, err, test.want)
		}
	}
}

func TestHome(t *testing.T) {
	for imsi, want := range map[string]string{
		"228011234567890": "CH", "262021234567890": "DE", "310260123456789": "US", "234159876543210": "GB",
		"440101234567890": "JP", "724051234567890": "BR", "750001234567890": "FK", "202051234567890": "GR",
		"001010123456789": "", "901401234567890": "", "425011234567890": "", "GR2000000000000": "", "2 2": "", "": "", "22": "",
	} {
		if got := phone.Home(imsi); got != want {
			t.Errorf("the home of %s is %q, want %q", imsi, got, want)
		}
	}
	regions := 0
	for mcc := range 1000 {
		code := string([]byte{'0' + byte(mcc/100), '0' + byte(mcc/10%10), '0' + byte(mcc%10)})
		if region := phone.Home(code + "000000000000"); region != "" {
			regions++
			if !phone.Country(region) {
				t.Errorf("%s is of %q, where no numbers are given out", code, region)
			}
		}
	}
	if regions < 200 {
		t.Errorf("%d codes are known", regions)
	}
}

// FuzzParseNational: whatever a sender is, nothing panics, and what is read is
// the number that its own canonical form is read as.
func FuzzParseNational(f *testing.F) {
	f.Add("0791234567", "CH", false)
	f.Add("15551234567", "US", true)
	f.Add("00447911123456", "GB", false)
	f.Fuzz(func(t *testing.T, digits, region string, certain bool) {
		n, err := phone.ParseNational(digits, region, certain)
		if err != nil {
			if n != (phone.Number{}) || err != phone.ErrInvalid {
				t.Fatalf("%+v, %v", n, err)
			}
			return
		}
		if again, err := phone.Parse("+" + n.Dial); err != nil || again != n {
			t.Errorf("%+v is read as %+v, %v", n, again, err)
		}
	})
}
