package docs

import (
	"slices"
	"strings"

	"github.com/pinferry/pinferry/server/web"
)

// component returns what a reference names, "" if it names nothing.
func component(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// name returns which of the named schemas s is, "" for none.
func (s *schema) name() string { return component(s.Ref) }

// table begins a table of members, which the caller ends.
func table(h *web.HTML) {
	h.Raw(`<div class="wide"><table><thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">What it is</th></tr></thead><tbody>`)
}

// table writes the members of an object.
func (s *schema) table(h *web.HTML) {
	if len(s.Properties) == 0 {
		return
	}
	table(h)
	for i := range s.Properties {
		p := &s.Properties[i]
		p.value.row(h, p.name, "", slices.Contains(s.Required, p.name))
	}
	h.Raw(`</tbody></table></div>`)
}

// row writes a member: its name, where it stands if that is not the body, its
// type, and what it is.
func (s *schema) row(h *web.HTML, name, in string, required bool) {
	h.Raw(`<tr><th scope="row">`).Element("code", name)
	if required {
		h.Raw(`<span class="mark">always</span>`)
	}
	h.Raw(`</th><td>`)
	s.kind(h)
	if in != "" {
		h.Element("span", in, web.Pair{Name: "class", Value: "mark"})
	}
	h.Raw(`</td><td>`)
	inline(h, s.Description)
	if len(s.Enum) > 1 {
		h.Raw(` <span class="enum">`)
		for i, value := range s.Enum {
			if i > 0 {
				h.Raw(` · `)
			}
			h.Element("code", value)
		}
		h.Raw(`</span>`)
	}
	if len(s.Default) > 0 {
		h.Raw(` Default: `).Element("code", shown(s.Default)).Raw(`.`)
	}
	h.Raw(`</td></tr>`)
}

// kind writes the type, with a link where it has a name.
func (s *schema) kind(h *web.HTML) {
	switch name := s.name(); {
	case name != "":
		h.Element("a", name, web.Pair{Name: "href", Value: "#" + name})
	case s.Items != nil:
		h.Raw(`list of `)
		s.Items.kind(h)
	case len(s.OneOf) > 0:
		for i := range s.OneOf {
			if i > 0 {
				h.Raw(` or `)
			}
			s.OneOf[i].kind(h)
		}
	case s.Format == "date-time":
		h.Text(strings.Replace(strings.Join(s.Type, " or "), "string", "time", 1))
	default:
		h.Text(strings.Join(s.Type, " or "))
	}
}
