package web

import (
	"strings"
	"unicode/utf8"
)

// Markup is HTML that stands in our source. A constant becomes one by itself
// and a variable does not, so that what somebody sent cannot be taken for it
// by mistake: it is never written Markup(value).
type Markup string

// HTML is a page, or a piece of one, while it is written. The zero value is
// empty and ready. It is the one place of the house that escapes for HTML:
//
//	var h web.HTML
//	h.Raw(`<p class="note">`).Text(note).Raw(`</p><input id="name"`).Attr("value", name).Raw(`>`)
//	h.Element("h1", app.Name, web.Pair{Name: "id", Value: "title"})
//	return c.HTML(200, &h, web.PagePolicy)
//
// Markup is ours and stands as it is; everything else passes through
// [HTML.Text] or [HTML.Attr]. A text of somebody whom we do not know is best
// put into a bdi element, for marks in it may turn the direction of what follows.
type HTML struct{ b strings.Builder }

// Raw writes markup of ours as it is.
func (h *HTML) Raw(m Markup) *HTML {
	h.b.WriteString(string(m))
	return h
}

// Text writes s so that it is shown as it is, between tags and within a quoted
// attribute. Controls but tabs and ends of lines, and what is no UTF-8, are written
// as U+FFFD.
func (h *HTML) Text(s string) *HTML {
	for _, r := range s {
		switch {
		case r == '&':
			h.b.WriteString("&amp;")
		case r == '<':
			h.b.WriteString("&lt;")
		case r == '>':
			h.b.WriteString("&gt;")
		case r == '"':
			h.b.WriteString("&#34;")
		case r == '\'':
			h.b.WriteString("&#39;")
		case r == '`':
			h.b.WriteString("&#96;")
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r >= 0x7f && r < 0xa0:
			h.b.WriteRune(utf8.RuneError)
		default:
			h.b.WriteRune(r) // of what is no UTF-8 it is U+FFFD
		}
	}
	return h
}

// Attr writes a space and an attribute with its value in quotes. An address
// that a browser would follow (href, src, action, formaction) is written
// only if it is a path of ours or an http or https URL, else as "#": a script
// can stand in the others.
func (h *HTML) Attr(name Markup, value string) *HTML {
	switch name {
	case "href", "src", "action", "formaction":
		if !followable(value) {
			value = "#"
		}
	}
	return h.Raw(" ").Raw(name).Raw(`="`).Text(value).Raw(`"`)
}

// Flag writes an attribute without a value, such as disabled, if on.
func (h *HTML) Flag(name Markup, on bool) *HTML {
	if on {
		h.Raw(" ").Raw(name)
	}
	return h
}

// Element writes an element that holds a text alone, escaped as the values of its
// attributes are.
func (h *HTML) Element(tag Markup, text string, attributes ...Pair) *HTML {
	h.Raw("<").Raw(tag)
	for _, a := range attributes {
		h.Attr(a.Name, a.Value)
	}
	return h.Raw(">").Text(text).Raw("</").Raw(tag).Raw(">")
}

// Pair is an attribute with its value.
type Pair struct {
	Name  Markup
	Value string
}

// String returns what has been written.
func (h *HTML) String() string { return h.b.String() }

// followable tells an address that leads to a page: a path on this host, a query
// or fragment, or an absolute http or https URL.
func followable(address string) bool {
	switch {
	case strings.HasPrefix(address, "https://"), strings.HasPrefix(address, "http://"):
		return true
	case strings.HasPrefix(address, "//"), strings.HasPrefix(address, `/\`):
		return false // another host
	}
	return strings.HasPrefix(address, "/") || strings.HasPrefix(address, "?") || strings.HasPrefix(address, "#")
}

// PagePolicy is the Content-Security-Policy of a page of the box: what it shows
// and runs comes from the box and nowhere else, nothing stands in the markup
// itself, and no other page may frame it.
const PagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// HTML answers with a page, in place of whatever the answer was so far. policy
// is its Content-Security-Policy, [PagePolicy] or one derived from it. No cache
// keeps the page, no other site learns its address, and no site frames it.
func (c *Call) HTML(status int, page *HTML, policy string) error {
	c.HTTP.Response.ResetBody()
	c.HTTP.SetStatusCode(status)
	c.HTTP.SetContentType("text/html; charset=utf-8")
	h := &c.HTTP.Response.Header
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	if c.Secure { // elsewhere browsers pass over it, and complain
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	c.HTTP.SetBodyString(page.String())
	return nil
}
