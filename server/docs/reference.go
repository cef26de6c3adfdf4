package docs

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/pinferry/pinferry/server/web"
)

// call is an operation with where it stands.
type call struct {
	method, path string
	*operation
}

// calls returns the operations under a tag, in their order.
func (a *api) calls(tag string) (all []call) {
	for _, path := range a.Paths {
		for i := range path.value {
			o := &path.value[i]
			if slices.Contains(o.value.Tags, tag) {
				all = append(all, call{strings.ToUpper(o.name), path.name, &o.value})
			}
		}
	}
	return all
}

// page returns the page of the reference.
func (a *api) page() *web.HTML {
	var here []contents
	for _, tag := range a.Tags {
		c := contents{heading: tag.Name}
		for _, o := range a.calls(tag.Name) {
			c.links = append(c.links, link{"#" + o.ID, o.Summary})
		}
		here = append(here, c)
	}
	schemas := contents{heading: "Shapes"}
	for _, s := range a.Components.Schemas {
		schemas.links = append(schemas.links, link{"#" + s.name, s.name})
	}
	return layout("Native API", append(here, schemas), func(h *web.HTML) {
		h.Raw(`<h1>Native API</h1>`)
		prose(h, a.Info.Description)
		h.Raw(`<h2 id="keys">Keys</h2><dl>`)
		for _, s := range a.Components.SecuritySchemes {
			h.Element("dt", credentials[s.name]).Element("dd", s.value.Description)
		}
		h.Raw(`</dl>`)
		for _, tag := range a.Tags {
			h.Element("h2", tag.Name)
			prose(h, tag.Description)
			for _, o := range a.calls(tag.Name) {
				a.operation(h, o)
			}
		}
		h.Raw(`<h2 id="shapes">Shapes</h2>`)
		for i := range a.Components.Schemas {
			s := &a.Components.Schemas[i]
			h.Element("h3", s.name, web.Pair{Name: "id", Value: s.name})
			h.Element("p", s.value.Description)
			s.value.table(h)
		}
	})
}

// credentials are the security schemes as people call them.
var credentials = map[string]string{"pk": "pk_ key", "sk": "sk_ key", "accessToken": "access token"}

func (a *api) operation(h *web.HTML, o call) {
	h.Raw(`<article`).Attr("id", o.ID).Raw(`>`).Element("h3", o.Summary)
	h.Raw(`<p class="call"><span`).Attr("class", "method "+strings.ToLower(o.method)).Raw(`>`).Text(o.method).Raw(`</span> `)
	h.Element("code", o.path).Element("span", o.needs(), web.Pair{Name: "class", Value: "needs"}).Raw(`</p>`)
	prose(h, o.Description)
	if len(o.Parameters) > 0 {
		h.Raw(`<h4>Parameters</h4>`)
		table(h)
		for i := range o.Parameters {
			p := &o.Parameters[i]
			p.Schema.Description = p.Description
			p.Schema.row(h, p.Name, p.In, p.Required)
		}
		h.Raw(`</tbody></table></div>`)
	}
	if o.Body != nil {
		h.Raw(`<h4>Body</h4>`)
		for i := range o.Body.Content {
			s := &o.Body.Content[i].value.Schema
			if named := a.Components.Schemas.get(s.name()); named != nil {
				named.table(h)
			}
		}
	}
	h.Raw(`<pre class="sample"><code>`).Text(o.curl()).Raw(`</code></pre>`)
	h.Raw(`<h4>Answers</h4><dl>`)
	for i := range o.Responses {
		a.answer(h, o.Responses[i].name, &o.Responses[i].value)
	}
	h.Raw(`</dl></article>`)
}

// needs tells which key a call wants.
func (o *operation) needs() string {
	var names []string
	free := len(o.Security) == 0
	for _, s := range o.Security {
		free = free || len(s) == 0
		for _, name := range []string{"pk", "sk", "accessToken"} {
			if _, ok := s[name]; ok {
				names = append(names, credentials[name])
			}
		}
	}
	if free {
		names = append([]string{"no key"}, names...)
	}
	return strings.Join(names, " or ")
}

// answer writes an answer with its example, and the errors that it may be.
func (a *api) answer(h *web.HTML, status string, r *response) {
	if named := a.Components.Responses.get(component(r.Ref)); named != nil {
		r = named
	}
	if status == "default" {
		status = "else"
	}
	h.Element("dt", status).Raw(`<dd>`)
	inline(h, r.Description)
	if len(r.Codes) > 0 {
		h.Raw(`<br>`)
		for _, code := range r.Codes {
			h.Raw(`<a`).Attr("href", ErrorsPath+"#"+code).Raw(`>`).Element("code", code).Raw(`</a> `)
		}
	} else {
		for i := range r.Content {
			m := &r.Content[i].value
			if name := m.Schema.name(); name != "" {
				h.Raw(` `).Element("a", name, web.Pair{Name: "href", Value: "#" + name})
			}
			if len(m.Example) > 0 {
				h.Raw(`<details><summary>Example</summary><pre><code>`).Text(shown(m.Example)).Raw(`</code></pre></details>`)
			}
		}
	}
	h.Raw(`</dd>`)
}

// shown is an example as people read it: JSON indented, a text as it is.
func shown(example jsontext.Value) string {
	if example.Kind() == '"' {
		text, err := jsontext.AppendUnquote(nil, example)
		if err == nil {
			return string(text)
		}
	}
	v := example.Clone()
	if v.Indent(jsontext.WithIndent("  ")) != nil {
		return string(example)
	}
	return string(v)
}

// curl is the operation on a command line.
func (o call) curl() string {
	path, line := o.path, strings.Builder{}
	for _, p := range o.Parameters {
		if p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", shown(p.Example))
		}
	}
	line.WriteString("curl -s")
	if o.method != "GET" && o.Body == nil || o.method != "GET" && o.method != "POST" {
		line.WriteString(" -X " + o.method)
	}
	line.WriteString(" $BOX" + path)
	for _, key := range []string{"accessToken", "sk", "pk"} {
		if len(o.Security) > 0 && has(o.Security[0], key) {
			line.WriteString(" -H \"Authorization: Bearer " + variables[key] + "\"")
			break
		}
	}
	if o.Body != nil {
		for i := range o.Body.Content {
			body := o.Body.Content[i].value.Example.Clone()
			if body.Compact() == nil {
				line.WriteString(" \\\n  -H 'Content-Type: application/json' -d '" + string(body) + "'")
			}
		}
	}
	return line.String()
}

// variables stand for what a reader puts in.
var variables = map[string]string{"pk": "$PK", "sk": "$SK", "accessToken": "$ACCESS_TOKEN"}

func has(requirement map[string][]string, name string) bool {
	_, ok := requirement[name]
	return ok
}
