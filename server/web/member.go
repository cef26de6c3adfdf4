package web

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/otp"
)

// MaxMetadata is how many bytes of JSON are kept beside a user or a
// verification.
const MaxMetadata = 1 << 10

// Metadata returns v, the member of a body with this name, as the core keeps it;
// nil is a member that is missing or null. The core takes what it gets, so it
// must be an object, and short.
func Metadata(name string, v jsontext.Value) (jsontext.Value, error) {
	if len(v) == 0 || v.Kind() == jsontext.KindNull {
		return nil, nil
	}
	if v.Kind() != jsontext.KindBeginObject || len(v) > MaxMetadata {
		return nil, Invalid(fmt.Sprintf("%q must be an object of at most %d bytes.", name, MaxMetadata))
	}
	return v, nil
}

// IDOf reads the id of a verification as a client sends it back. What cannot be
// one must cost, charge and look the same as an id that names nothing, and so
// it becomes one.
func IDOf(handle string) otp.ID {
	if id, ok := otp.ParseID(handle); ok {
		return id
	}
	return otp.NewID()
}
