package docstest_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/server/docs/docstest"
)

const document = `{"openapi":"3.1.0","paths":{
 "/v1/things/{id}":{"post":{
  "requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Order"},"example":{"n":1}}}},
  "responses":{
   "201":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Thing"},"example":{"id":"a","at":null}}}},
   "204":{},
   "default":{"$ref":"#/components/responses/Problem"}}}}},
 "components":{
  "responses":{"Problem":{"x-codes":["busy"],"content":{"application/problem+json":{"schema":{"type":"object","required":["code"]}}}}},
  "schemas":{
   "Order":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]},
   "Thing":{"type":"object","properties":{"id":{"type":"string"},"at":{"type":["string","null"],"format":"date-time"}},"required":["id"]}}}}`

func TestJudge(t *testing.T) {
	c, err := docstest.New([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	good := docstest.Call{Method: "POST", Path: "/v1/things/{id}", Request: []byte(`{"n":2}`), Status: 201, Type: "application/json", Answer: []byte(`{"id":"x","at":"2026-11-22T09:30:00.007Z"}`)}
	refused := docstest.Call{Method: "POST", Path: "/v1/things/{id}", Request: []byte(`{"m":2}`), Status: 503, Type: "application/problem+json", Answer: []byte(`{"code":"busy"}`)}
	for name, test := range map[string]struct {
		call   docstest.Call
		change func(*docstest.Call)
		want   string // in the error; "" is none
	}{
		"Granted":         {good, func(*docstest.Call) {}, ""},
		"Refused":         {refused, func(*docstest.Call) {}, ""},
		"NoContent":       {good, func(c *docstest.Call) { c.Status, c.Type, c.Answer = 204, "", nil }, ""},
		"OtherPath":       {good, func(c *docstest.Call) { c.Path = "/v1/things" }, "not described"},
		"OtherMethod":     {good, func(c *docstest.Call) { c.Method = "PUT" }, "not described"},
		"OtherStatus":     {good, func(c *docstest.Call) { c.Status = 200 }, "200 is not described"},
		"MemberMissing":   {good, func(c *docstest.Call) { c.Answer = []byte(`{}`) }, "id"},
		"MemberUnknown":   {good, func(c *docstest.Call) { c.Answer = []byte(`{"id":"x","secret":1}`) }, "secret"},
		"MemberWrong":     {good, func(c *docstest.Call) { c.Answer = []byte(`{"id":1}`) }, "string"},
		"TimeWrong":       {good, func(c *docstest.Call) { c.Answer = []byte(`{"id":"x","at":"yesterday"}`) }, "date-time"},
		"Empty":           {good, func(c *docstest.Call) { c.Answer = nil }, "empty"},
		"NoJSON":          {good, func(c *docstest.Call) { c.Answer = []byte(`{"id"`) }, "no JSON"},
		"OtherType":       {good, func(c *docstest.Call) { c.Type = "text/html" }, "text/html"},
		"RequestUnknown":  {good, func(c *docstest.Call) { c.Request = []byte(`{"n":1,"o":2}`) }, "o"},
		"RequestMissing":  {good, func(c *docstest.Call) { c.Request = nil }, "no body"},
		"CodeNotListed":   {refused, func(c *docstest.Call) { c.Answer = []byte(`{"code":"internal"}`) }, "internal"},
		"ProblemNoObject": {refused, func(c *docstest.Call) { c.Answer = []byte(`[]`) }, "problem"},
	} {
		t.Run(name, func(t *testing.T) {
			call := test.call
			test.change(&call)
			err := c.Judge(call)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestExamples(t *testing.T) {
	c, err := docstest.New([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Examples(); n != 2 || err != nil {
		t.Errorf("got %d examples and %v", n, err)
	}
	c, err = docstest.New([]byte(strings.Replace(document, `"example":{"n":1}`, `"example":{"n":"1"}`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Examples(); err == nil {
		t.Error("a wrong example passes")
	}
}

func TestPath(t *testing.T) {
	c, err := docstest.New([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{
		"/v1/things/7": "/v1/things/{id}", "/v1/things/7?a=b": "/v1/things/{id}", "/v1/things/": "", "/v1/things": "", "/v1/things/7/8": "",
	} {
		if got, ok := c.Path(target); got != want || ok != (want != "") {
			t.Errorf("%s: got %q", target, got)
		}
	}
	if got := c.Paths(); len(got) != 1 || got[0] != "POST /v1/things/{id}" {
		t.Errorf("got %v", got)
	}
}
