package docs

import (
	"fmt"
	"regexp"

	"github.com/pinferry/pinferry/server/web"
)

// guide is a page of guides/, by the name of its file. The file is a fragment of
// HTML of ours that begins with an h1; each h2 has an id, by which it can be
// linked to for good.
type guide struct{ name, title string }

// guides are in the order in which they are listed.
var guides = []guide{
	{"install", "Install on a Raspberry Pi"},
	{"modems", "Modems that work"},
	{"tls", "TLS on a LAN"},
	{"backend", "Ask from a backend, and be told"},
	{"move", "Move in from a hosted service"},
	{"field", "Technicians and fleets"},
	{"alerts", "Home Assistant and alarms"},
	{"monitor", "Watch the box"},
	{"backup", "Backup and restore"},
	{"risk", "What SMS is good for"},
}

func (g guide) path() string { return Path + "/guides/" + g.name }

// heading is an h2 with its id. The files are ours, so no parser is needed; a
// test holds them against this form.
var heading = regexp.MustCompile(`<h2 id="([a-z0-9-]+)">([^<]+)</h2>`)

// page returns the guide as a page.
func (g guide) page() (*web.HTML, error) {
	text, err := files.ReadFile(guidesFolder + "/" + g.name + guideExtension)
	if err != nil {
		return nil, fmt.Errorf("read a guide: %w", err)
	}
	here := contents{heading: "On this page"}
	for _, h2 := range heading.FindAllSubmatch(text, -1) {
		here.links = append(here.links, link{"#" + string(h2[1]), string(h2[2])})
	}
	return layout(g.title, []contents{here}, func(h *web.HTML) {
		h.Raw(web.Markup(text)) // it stands in our source, beside this file
	}), nil
}
