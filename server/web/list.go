package web

import (
	"strconv"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/valyala/fasthttp"
)

// The bounds of a page of a list.
const (
	defaultPage = 20
	maxPage     = 100
)

// PageLimit reads from the query how long a page shall be.
func (c *Call) PageLimit() (int, error) {
	given := c.Query("limit")
	if given == "" {
		return defaultPage, nil
	}
	limit, err := strconv.Atoi(given)
	if err != nil || limit < 1 || limit > maxPage {
		return 0, Invalid("limit must be a number from 1 to 100.")
	}
	return limit, nil
}

// QueryPhone reads a number from the query. A plus sign that was not encoded has
// arrived as a blank.
func (c *Call) QueryPhone() string {
	phone := c.Query("phone")
	if rest, blank := strings.CutPrefix(phone, " "); blank && !strings.ContainsAny(rest, "+@") {
		phone = "+" + rest
	}
	return phone
}

// OrNull returns what stands for s in an answer: null for "".
func OrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// ParseID reads an id with its prefix.
func ParseID(prefix, s string) (otp.ID, bool) {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return otp.ID{}, false
	}
	return otp.ParseID(digits)
}

// Missing turns the refusal of an id that names nothing into a 404. Other errors
// stay what they are.
func Missing(err error) error {
	switch e := otp.AsError(err); {
	case e == nil:
		return nil
	case e.Code == otp.CodeUnknown || e.Code == otp.NotRegistered:
		return &Problem{Status: fasthttp.StatusNotFound, Code: string(e.Code), Title: "Not found", Detail: e.Detail}
	}
	return err
}
