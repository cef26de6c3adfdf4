package phone_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp/phone"
)

// What people type at home is the number that it is from abroad.
func TestInternational(t *testing.T) {
	for _, c := range []struct{ region, typed, want string }{
		{"CH", "079 123 45 67", "+41791234567"},
		{"CH", "079/123-45-67", "+41791234567"},
		{"CH", "79 123 45 67", "+41791234567"},
		{"CH", "0041 79 123 45 67", "+41791234567"},
		{"CH", "41791234567", "+41791234567"},
		{"CH", "０７９１２３４５６７", "+41791234567"},
		{"CH", "+49 1523 4567890", "+49 1523 4567890"}, // as it is
		{"CH", "0049 1523 4567890", "+4915234567890"},
		{"US", "(212) 555-0100", "+12125550100"},
		{"US", "1 212 555 0100", "+12125550100"},
		{"US", "011 41 79 123 45 67", "+41791234567"},
		{"CA", "416 555 0100", "+14165550100"},
		{"GB", "07911 123456", "+447911123456"},
		{"IT", "312 345 6789", "+393123456789"},
		{"IT", "06 1234 5678", "+390612345678"}, // this 0 belongs
		{"DE", "0900 1234567", "+499001234567"}, // to be refused by Parse
		{"BR", "(11) 98765-4321", "+5511987654321"},
	} {
		if got := phone.International(c.typed, c.region); got != c.want {
			t.Errorf("%s in %s: got %q, want %q", c.typed, c.region, got, c.want)
		}
	}
	for _, typed := range []string{
		"", " ", "abc", "079 FLOWERS", "079123456x12", "*100#", "079\t1234567", "112", "0", strings.Repeat("7", 20), strings.Repeat(" ", 33),
		"079 123 45 67\n", "tel:0791234567", "\xff\xfe", "(079", "++41791234567",
	} {
		if got, err := phone.Parse(phone.International(typed, "CH")); err == nil {
			t.Errorf("%q became %s", typed, got.Key)
		}
	}
	for _, region := range []string{"", "XX", "ch", "001", "*", "+1", strings.Repeat("C", 100)} {
		if got := phone.International("079 123 45 67", region); got != "079 123 45 67" {
			t.Errorf("in %q: got %q", region, got)
		}
	}
}

// Each example is one that the field it stands under accepts.
func TestExamples(t *testing.T) {
	regions := phone.Regions()
	if len(regions) < 200 || !slices.IsSorted(regions) || !slices.Contains(regions, "CH") {
		t.Fatalf("%d regions", len(regions))
	}
	for _, region := range regions {
		example := phone.Example(region)
		if example == "" {
			continue
		}
		n, err := phone.Parse(phone.International(example, region))
		if err != nil || n.Calling != phone.Calling(region) {
			t.Errorf("%s: %q is %+v, %v", region, example, n, err)
		}
	}
	if phone.Example("XX") != "" || phone.Calling("XX") != 0 || phone.Example("CH") != "078 123 45 67" {
		t.Errorf("CH has %q", phone.Example("CH"))
	}
}

func FuzzInternational(f *testing.F) {
	for _, seed := range [][2]string{{"079 123 45 67", "CH"}, {"0111 ", "US"}, {"+41", "XX"}, {"0", "IT"}, {"(11) 98765-4321", "BR"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, typed, region string) {
		got := phone.International(typed, region)
		if got != typed && !strings.HasPrefix(got, "+") {
			t.Errorf("%q in %q became %q", typed, region, got)
		}
		if again := phone.International(got, region); again != got {
			t.Errorf("%q in %q became %q and then %q", typed, region, got, again)
		}
	})
}
