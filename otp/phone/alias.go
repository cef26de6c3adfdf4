package phone

import (
	"strconv"
	"strings"
)

// Some numbering plans give one mobile two forms, and the network delivers to
// both. Whoever may choose between them has two buckets for one handset, and
// two identities, unless they are folded. They are folded only where
// the plan never gave the two forms to two subscribers: otherwise one person
// could receive another's codes.

// current drops what was once part of a number and is now dialled out of habit
// only: since 2019 a Mexican mobile has no 1 between +52 and its ten digits.
func current(digits string) string {
	if strings.HasPrefix(digits, "521") && len(digits) == len("521")+10 {
		return "52" + digits[len("521"):]
	}
	return digits
}

// key returns the identity of the handset at a national significant number.
func key(calling int, national string) string {
	switch {
	// Argentina: the 9 tells callers from abroad that this is a mobile. The
	// ten digits behind it are unique in the country.
	case calling == 54 && len(national) == 11 && national[0] == '9':
		national = national[1:]
	// Brazil: mobiles of the eight digits 6... to 9... got a 9 in front. Below
	// 6 the eight digits are a landline, somebody else's.
	case calling == 55 && len(national) == 11 && national[2] == '9' && national[3] >= '6':
		national = national[:2] + national[3:]
	}
	return "+" + strconv.Itoa(calling) + national
}
