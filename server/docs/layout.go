package docs

import "github.com/pinferry/pinferry/server/web"

// link is a line of a page's contents.
type link struct{ href, text string }

// contents are the links of one page, under a heading.
type contents struct {
	heading string
	links   []link
}

// layout writes a page: the contents of the docs as a whole, those of the page
// itself, and what fill writes.
func layout(title string, here []contents, fill func(h *web.HTML)) *web.HTML {
	h := &web.HTML{}
	h.Raw(`<!doctype html><html lang="en"><head><meta charset="utf-8">`)
	h.Raw(`<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">`)
	h.Element("title", title+" · pinferry")
	h.Raw(`<link rel="stylesheet"`).Attr("href", stylePath).Raw(`><script defer`).Attr("src", scriptPath).Raw(`></script><link rel="icon"`).Attr("href", iconPath).Raw(`></head><body>`)
	h.Raw(`<a class="skip" href="#main">Skip to the text</a><header><a`).Attr("href", Path).Raw(`>pinferry</a> <span>docs</span></header>`)
	h.Raw(`<details class="menu" open><summary>Contents</summary><nav aria-label="Contents">`)
	for _, c := range append(house(), here...) {
		h.Element("p", c.heading, web.Pair{Name: "class", Value: "heading"}).Raw(`<ul>`)
		for _, l := range c.links {
			h.Raw(`<li>`).Element("a", l.text, web.Pair{Name: "href", Value: l.href}).Raw(`</li>`)
		}
		h.Raw(`</ul>`)
	}
	h.Raw(`</nav></details><main id="main">`)
	fill(h)
	h.Raw(`</main></body></html>`)
	return h
}

// house are the contents that every page has.
func house() []contents {
	all := contents{heading: "Guides"}
	for _, g := range guides {
		all.links = append(all.links, link{g.path(), g.title})
	}
	return []contents{
		{"Reference", []link{{Path, "Native API"}, {ErrorsPath, "Errors"}, {DocumentPath, "openapi.json"}}},
		all,
	}
}

// missingPage is what stands where no guide is.
func missingPage() *web.HTML {
	return layout("Not found", nil, func(h *web.HTML) {
		h.Raw(`<h1>There is no such page</h1><p>The contents list those that there are.</p>`)
	})
}

// prose writes a paragraph of plain text in which what stands between backticks
// is code.
func prose(h *web.HTML, text string) {
	h.Raw(`<p>`)
	inline(h, text)
	h.Raw(`</p>`)
}

// inline writes the text of a paragraph.
func inline(h *web.HTML, text string) {
	code := false
	begin := 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && text[i] != '`' {
			continue
		}
		if code {
			h.Element("code", text[begin:i])
		} else {
			h.Text(text[begin:i])
		}
		code, begin = !code, i+1
	}
}
