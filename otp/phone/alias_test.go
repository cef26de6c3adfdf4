package phone_test

import (
	"testing"

	"github.com/pinferry/pinferry/otp/phone"
)

// One handset has one bucket and one identity, however its number is written.
func TestAliases(t *testing.T) {
	for handset, aliases := range map[string]map[string]string{ // spelling -> dial
		"Mexico": {
			"+52 55 1234 5678":   "525512345678",
			"+52 1 55 1234 5678": "525512345678",
			"+5215512345678":     "525512345678",
		},
		"Argentina": {
			"+54 9 11 2345 6789":     "5491123456789",
			"+54 11 15 2345 6789":    "5491123456789",
			"+54 (0)11 15 2345 6789": "5491123456789",
			"+54 11 2345 6789":       "541123456789",
		},
		"Brazil": {
			"+55 11 98765 4321":     "5511987654321",
			"+55 11 8765 4321":      "551187654321",
			"+55 (0) 11 98765 4321": "5511987654321",
		},
	} {
		key := ""
		for spelling, dial := range aliases {
			n, err := phone.Parse(spelling)
			if err != nil {
				t.Errorf("%s: %s: %v", handset, spelling, err)
				continue
			}
			if key == "" {
				key = n.Key
			}
			if n.Key != key || n.Dial != dial {
				t.Errorf("%s: %s is %s of %s, want %s of %s", handset, spelling, n.Dial, n.Key, dial, key)
			}
		}
	}
}

// Folding must not give two subscribers one identity.
func TestNeighboursStayApart(t *testing.T) {
	for name, pair := range map[string][2]string{
		"a Brazilian landline and the mobile of its digits": {"+55 11 3123 4567", "+55 11 93123 4567"},
		"two area codes of Argentina":                       {"+54 9 11 2345 6789", "+54 9 221 345 6789"},
		"a Mexican number that begins with 1 in its area":   {"+52 55 1234 5678", "+52 15 5123 4567"},
		"neighbours":                    {"+41 79 123 45 67", "+41 79 123 45 68"},
		"a zero that belongs, in Italy": {"+39 06 1234 5678", "+39 6 1234 5678"},
	} {
		a, errA := phone.Parse(pair[0])
		b, errB := phone.Parse(pair[1])
		if errA != nil || errB != nil {
			t.Errorf("%s: not two numbers: %v, %v", name, errA, errB)
		}
		if a.Key == b.Key {
			t.Errorf("%s: both are %s", name, a.Key)
		}
	}
}
