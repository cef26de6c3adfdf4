package relay

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// pointer is a JSON pointer (RFC 6901): "/messages/0/id". "" is none.
type pointer string

// ok tells whether it is written as one.
func (p pointer) ok() bool { return p == "" || p[0] == '/' }

// unescape undoes what a pointer does to the names in it.
var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// find returns what the pointer points at. A document that is no JSON, has a
// name twice or is not UTF-8 has nothing anywhere.
func (p pointer) find(doc []byte) (jsontext.Value, bool) {
	value := jsontext.Value(doc)
	if !value.IsValid() {
		return nil, false
	}
	if p == "" {
		return value, true
	}
	for name := range strings.SplitSeq(string(p[1:]), "/") {
		var ok bool
		if value, ok = step(value, unescape.Replace(name)); !ok {
			return nil, false
		}
	}
	return value, true
}

// step goes down by one name, or by one index of an array.
func step(v jsontext.Value, name string) (jsontext.Value, bool) {
	if v.Kind() == '[' {
		var list []jsontext.Value
		i, err := strconv.Atoi(name)
		if err != nil || json.Unmarshal(v, &list) != nil || i < 0 || i >= len(list) {
			return nil, false
		}
		return list[i], true
	}
	var fields map[string]jsontext.Value
	if v.Kind() != '{' || json.Unmarshal(v, &fields) != nil {
		return nil, false
	}
	found, ok := fields[name]
	return found, ok
}

// scalar returns the string, number or boolean that the pointer points at as
// it is written, so that an id of twenty digits keeps them all. null, an empty
// string, an object and an array are nothing.
func (p pointer) scalar(doc []byte) string {
	v, ok := p.find(doc)
	if !ok || p == "" {
		return ""
	}
	switch v.Kind() {
	case '"':
		var s string
		if json.Unmarshal(v, &s) != nil {
			return ""
		}
		return s
	case '0', 't', 'f':
		return strings.TrimSpace(string(v))
	}
	return ""
}
