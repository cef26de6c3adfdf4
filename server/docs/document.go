package docs

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// api is the part of an OpenAPI description that a page shows.
type api struct {
	Info struct {
		Title       string `json:"title"`
		Summary     string `json:"summary"`
		Description string `json:"description"`
	} `json:"info"`
	Tags []struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"tags"`
	Paths      ordered[ordered[operation]] `json:"paths"`
	Components struct {
		SecuritySchemes ordered[scheme]   `json:"securitySchemes"`
		Responses       ordered[response] `json:"responses"`
		Schemas         ordered[schema]   `json:"schemas"`
	} `json:"components"`
}

// ordered is a JSON object whose members keep the order in which they stand.
type ordered[T any] []entry[T]

// entry is a member of an ordered object.
type entry[T any] struct {
	name  string
	value T
}

// UnmarshalJSONFrom reads an object member by member.
func (o *ordered[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if begin, err := d.ReadToken(); err != nil {
		return err
	} else if begin.Kind() != '{' {
		return errors.New("an object is needed here")
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		e := entry[T]{name: name.String()}
		if err := json.UnmarshalDecode(d, &e.value); err != nil {
			return err
		}
		*o = append(*o, e)
	}
	_, err := d.ReadToken()
	return err
}

// get returns the member of this name, or nil.
func (o ordered[T]) get(name string) *T {
	for i := range o {
		if o[i].name == name {
			return &o[i].value
		}
	}
	return nil
}

// operation is a method of a path.
type operation struct {
	ID          string                `json:"operationId"`
	Tags        []string              `json:"tags"`
	Summary     string                `json:"summary"`
	Description string                `json:"description"`
	Security    []map[string][]string `json:"security"`
	Parameters  []parameter           `json:"parameters"`
	Body        *body                 `json:"requestBody"`
	Responses   ordered[response]     `json:"responses"`
}

// parameter is what stands in the path, the query or a header of a call.
type parameter struct {
	Name        string         `json:"name"`
	In          string         `json:"in"`
	Required    bool           `json:"required"`
	Description string         `json:"description"`
	Schema      schema         `json:"schema"`
	Example     jsontext.Value `json:"example"`
}

// body is that of a request.
type body struct {
	Required bool           `json:"required"`
	Content  ordered[media] `json:"content"`
}

// media is a body of one content type.
type media struct {
	Schema  schema         `json:"schema"`
	Example jsontext.Value `json:"example"`
}

// response is an answer, or by Ref the name of one.
type response struct {
	Ref         string         `json:"$ref"`
	Description string         `json:"description"`
	Content     ordered[media] `json:"content"`
	// Codes are those of a problem.
	Codes []string `json:"x-codes"`
}

// scheme is a kind of key.
type scheme struct {
	Description string `json:"description"`
}

// schema is a JSON Schema as far as the description uses one.
type schema struct {
	Ref         string          `json:"$ref"`
	Type        types           `json:"type"`
	Description string          `json:"description"`
	Format      string          `json:"format"`
	Enum        []string        `json:"enum"`
	Default     jsontext.Value  `json:"default"`
	Items       *schema         `json:"items"`
	OneOf       []schema        `json:"oneOf"`
	Properties  ordered[schema] `json:"properties"`
	Required    []string        `json:"required"`
}

// types is a type, or a list of them.
type types []string

// UnmarshalJSONFrom reads either.
func (t *types) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '"' {
		return json.UnmarshalDecode(d, (*[]string)(t))
	}
	*t = []string{""}
	return json.UnmarshalDecode(d, &(*t)[0])
}

// parse reads a description.
func parse(text []byte) (*api, error) {
	a := &api{}
	return a, json.Unmarshal(text, a)
}
