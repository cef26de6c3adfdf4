package text

import (
	"strconv"
	"strings"
)

// maxWanted is how much of a wish is read, in bytes. A browser's list is
// shorter; what is longer is no wish.
const maxWanted = 256

// Match returns the locale of [Locales] that fits best what is wanted: a
// language tag ("de-CH") or a list of them with weights, as in the header
// Accept-Language ("pt-BR, pt;q=0.9, *;q=0.1"). A tag without a text falls
// back to its shorter forms, "de-CH" to "de"; a wish that nothing fits falls
// back to "en".
func Match(wanted string) string {
	if len(wanted) > maxWanted {
		return fallback
	}
	best, weight := fallback, 0.0
	for item := range strings.SplitSeq(wanted, ",") {
		tag, parameters, _ := strings.Cut(item, ";")
		if q := quality(parameters); q > weight {
			if locale, ok := lookup(strings.TrimSpace(tag)); ok {
				best, weight = locale, q
			}
		}
	}
	return best
}

// quality returns the weight of a list item: 1 if it has none, 0 if it cannot
// be read.
func quality(parameters string) float64 {
	parameters = strings.TrimSpace(parameters)
	if parameters == "" {
		return 1
	}
	value, ok := strings.CutPrefix(parameters, "q=")
	q, err := strconv.ParseFloat(value, 64)
	if !ok || err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}

// lookup returns the locale that is equal to tag or to the longest beginning
// of its subtags.
func lookup(tag string) (string, bool) {
	tag = strings.ReplaceAll(tag, "_", "-") // some systems write de_CH
	for tag != "" {
		for _, b := range builtin {
			if strings.EqualFold(b.locale, tag) {
				return b.locale, true
			}
		}
		tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)]
	}
	return "", false
}
