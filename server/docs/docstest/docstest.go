// Package docstest holds what a box says, and what it is told, against the
// description of its native API. It is for tests alone.
package docstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Contract is the description of an API as a judge of its calls.
type Contract struct {
	mu       sync.Mutex // over compiler
	compiler *jsonschema.Compiler
	document map[string]any
}

// location is what references in the description are relative to.
const location = "https://box.invalid/openapi.json"

// New reads a description. Shapes in it are closed for the judgement: a member
// of an answer that is not described is a mistake, of the answer or of the
// description, though clients are asked to bear it.
func New(document []byte) (*Contract, error) {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return nil, fmt.Errorf("read the description: %w", err)
	}
	root, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("read the description: it is %T", value)
	}
	for _, shape := range below(root, "components", "schemas") {
		if s := shape.(map[string]any); s["properties"] != nil {
			s["additionalProperties"] = false
		}
	}
	c := &Contract{compiler: jsonschema.NewCompiler(), document: root}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource(location, root); err != nil {
		return nil, fmt.Errorf("read the description: %w", err)
	}
	return c, nil
}

// Call is a call as it went over the wire.
type Call struct {
	Method string
	Path   string // as the description writes it: /v1/messages/{id}
	// Request is the body that was sent; empty is none.
	Request []byte
	Status  int
	// Type is the content type of the answer without its parameters, and Answer
	// its body; both are empty for none.
	Type   string
	Answer []byte
}

// Judge returns how a call is not as the description says, or nil. A request
// must be as described if it was granted: that one which is not is refused is
// the business of other tests.
func (c *Contract) Judge(call Call) error {
	at := []string{"paths", call.Path, strings.ToLower(call.Method)}
	operation := below(c.document, at...)
	if operation == nil {
		return fmt.Errorf("%s %s is not described", call.Method, call.Path)
	}
	if err := c.request(call, at, operation, call.Status < 300); err != nil {
		return fmt.Errorf("%s %s: the request: %w", call.Method, call.Path, err)
	}
	return c.JudgeAnswer(call)
}

// JudgeAnswer is [Contract.Judge] of the answer alone, for requests that a
// scripted core grants and a real one would not.
func (c *Contract) JudgeAnswer(call Call) error {
	at := []string{"paths", call.Path, strings.ToLower(call.Method)}
	operation := below(c.document, at...)
	if operation == nil {
		return fmt.Errorf("%s %s is not described", call.Method, call.Path)
	}
	status := fmt.Sprint(call.Status)
	if below(operation, "responses", status) == nil {
		if call.Status < 300 {
			return fmt.Errorf("%s %s: %s is not described", call.Method, call.Path, status)
		}
		status = "default"
	}
	if err := c.answer(call, append(at, "responses", status)); err != nil {
		return fmt.Errorf("%s %s: the answer %d: %w", call.Method, call.Path, call.Status, err)
	}
	return nil
}

func (c *Contract) request(call Call, at []string, operation map[string]any, granted bool) error {
	body := below(operation, "requestBody")
	switch {
	case !granted:
		return nil
	case len(call.Request) == 0 && body["required"] == true:
		return fmt.Errorf("it has no body")
	case len(call.Request) == 0:
		return nil
	case body == nil:
		return fmt.Errorf("it has a body, and none is described")
	}
	return c.judge(append(at, "requestBody", "content", "application/json", "schema"), call.Request)
}

func (c *Contract) answer(call Call, at []string) error {
	response := below(c.document, at...)
	if ref, ok := response["$ref"].(string); ok {
		at = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		response = below(c.document, at...)
	}
	if len(call.Answer) == 0 {
		if below(response, "content") != nil {
			return fmt.Errorf("it is empty")
		}
		return nil
	}
	if below(response, "content", call.Type) == nil {
		return fmt.Errorf("its type %q is not described", call.Type)
	}
	if call.Type == "text/plain" {
		return nil
	}
	if code, ok := codeOf(call); ok {
		if listed, _ := response["x-codes"].([]any); !slices.Contains(listed, any(code)) {
			return fmt.Errorf("the code %s is not among %v", code, listed)
		}
	}
	return c.judge(append(at, "content", call.Type, "schema"), call.Answer)
}

// codeOf returns the code of a problem.
func codeOf(call Call) (code string, ok bool) {
	var problem struct{ Code string }
	if call.Type != "application/problem+json" || json.Unmarshal(call.Answer, &problem) != nil {
		return "", false
	}
	return problem.Code, true
}

// judge holds a body against the schema that stands at a place of the
// description.
func (c *Contract) judge(at []string, body []byte) error {
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	pointer := ""
	for _, step := range at {
		pointer += "/" + escape.Replace(step)
	}
	c.mu.Lock() // calls are judged side by side, and a compiler keeps what it made
	schema, err := c.compiler.Compile(location + "#" + pointer)
	c.mu.Unlock()
	if err != nil {
		return fmt.Errorf("compile the schema at %s: %w", pointer, err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("it is no JSON: %w", err)
	}
	return schema.Validate(value)
}

// Path returns the path of the description that a target of a request is one
// of: "/v1/messages/{id}" for "/v1/messages/msg_00?x=y".
func (c *Contract) Path(target string) (path string, ok bool) {
	target, _, _ = strings.Cut(target, "?")
	steps := strings.Split(target, "/")
	for path := range below(c.document, "paths") {
		want := strings.Split(path, "/")
		if slices.EqualFunc(steps, want, func(step, want string) bool { return step == want || want == "{id}" && step != "" }) {
			return path, true
		}
	}
	return "", false
}

// Paths returns every method and path that is described, as "GET /v1/me".
func (c *Contract) Paths() (all []string) {
	for path, methods := range below(c.document, "paths") {
		for method := range methods.(map[string]any) {
			all = append(all, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(all)
	return all
}

// Examples judges every example of the description by the schema beside it, and
// returns how many there are.
func (c *Contract) Examples() (n int, err error) {
	err = c.examples(c.document, nil, &n)
	return n, err
}

func (c *Contract) examples(node any, at []string, n *int) error {
	switch v := node.(type) {
	case map[string]any:
		if example, ok := v["example"]; ok && v["schema"] != nil {
			*n++
			body, err := json.Marshal(example)
			if err == nil {
				err = c.judge(append(slices.Clip(at), "schema"), body)
			}
			if err != nil {
				return fmt.Errorf("the example at %s: %w", strings.Join(at, "/"), err)
			}
		}
		for name, value := range v {
			if err := c.examples(value, append(slices.Clip(at), name), n); err != nil {
				return err
			}
		}
	case []any:
		for i, value := range v {
			if err := c.examples(value, append(slices.Clip(at), fmt.Sprint(i)), n); err != nil {
				return err
			}
		}
	}
	return nil
}

// below returns the object at a place, or nil.
func below(node map[string]any, at ...string) map[string]any {
	for _, step := range at {
		next, ok := node[step].(map[string]any)
		if !ok {
			return nil
		}
		node = next
	}
	return node
}
