package relay

import (
	"maps"
	"slices"
)

// Fill is what a template becomes, for the fuzzer.
func Fill(source, contentType string, values map[string]string) (string, error) {
	escape, err := escapeOf(contentType)
	if err != nil {
		return "", err
	}
	t, err := newTemplate(source, escape, slices.Collect(maps.Keys(values))...)
	if err != nil {
		return "", err
	}
	return t.fill(values)
}

// Scalar is what a JSON pointer finds, for the fuzzer.
func Scalar(p string, doc []byte) string { return pointer(p).scalar(doc) }
