package captcha

import (
	"encoding/base64"
	"errors"
	"fmt"

	altcha "github.com/altcha-org/altcha-lib-go"
	"github.com/go-json-experiment/json"
)

// payload is a solution as a page sends it, in JSON and base64. What else its
// solver has put in is passed over.
type payload struct {
	Algorithm string `json:"algorithm"`
	Challenge string `json:"challenge"`
	Number    int64  `json:"number"`
	Salt      string `json:"salt"`
	Signature string `json:"signature"`
}

// parse reads a solution; whether it is one is not its business. The stricter
// reader stands before the library's, which takes doubled members and whatever
// hash a page names.
func parse(solution string) (altcha.Payload, error) {
	text, err := base64.StdEncoding.Strict().DecodeString(solution)
	if err != nil {
		return altcha.Payload{}, fmt.Errorf("decode the base64 of a solution: %w", err)
	}
	var p payload
	if err := json.Unmarshal(text, &p); err != nil {
		return altcha.Payload{}, errors.New("the JSON of a solution cannot be read") // the cause would quote it
	}
	if p.Algorithm != string(altcha.SHA256) {
		return altcha.Payload{}, errors.New("a solution is not by SHA-256")
	}
	return altcha.Payload(p), nil
}
