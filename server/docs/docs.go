// Package docs is the documentation in the box: the description of the native
// API as OpenAPI 3.1, a page that shows it, a page that explains every error, and
// guides. All of it is in the binary and asks nothing of the outside.
package docs

import (
	"embed"
	"fmt"
	"strings"

	"github.com/pinferry/pinferry/server/web"
)

// The paths of the documentation. The type of a problem leads to ErrorsPath.
const (
	Path           = "/docs"
	ErrorsPath     = "/docs/errors"
	DocumentPath   = "/openapi.json"
	guidePattern   = "/docs/guides/{id}"
	stylePath      = "/docs/docs.css"
	scriptPath     = "/docs/docs.js"
	iconPath       = "/docs/icon.svg"
	guidesFolder   = "guides"
	guideExtension = ".html"
)

//go:embed openapi.json
var document []byte

//go:embed guides static
var files embed.FS

// Document returns the description of the native API, as it is served.
func Document() []byte { return append([]byte(nil), document...) }

// Docs answers with the documentation. It is made once and never changes.
type Docs struct {
	reference, errors *web.HTML
	guides            map[string]*web.HTML // by name
	// static are the files that pages load.
	static []web.Route
}

// New returns the documentation, its pages written. An error is a mistake in
// what the binary was built from.
func New() (*Docs, error) {
	d := &Docs{guides: map[string]*web.HTML{}}
	for _, f := range []struct{ path, contentType string }{
		{stylePath, "text/css; charset=utf-8"}, {scriptPath, "text/javascript; charset=utf-8"}, {iconPath, "image/svg+xml"},
	} {
		body, err := files.ReadFile("static" + strings.TrimPrefix(f.path, Path))
		if err != nil {
			return nil, fmt.Errorf("read a file of the docs: %w", err)
		}
		d.static = append(d.static, web.Route{Method: "GET", Pattern: f.path, Handle: file(f.contentType, body)})
	}
	api, err := parse(document)
	if err != nil {
		return nil, fmt.Errorf("read the description of the API: %w", err)
	}
	d.reference, d.errors = api.page(), errorsPage()
	for _, g := range guides {
		page, err := g.page()
		if err != nil {
			return nil, err
		}
		d.guides[g.name] = page
	}
	return d, nil
}

// Routes are the paths of the documentation, for the table of the server.
func (d *Docs) Routes() []web.Route {
	page := func(h *web.HTML) web.Handler {
		return func(c *web.Call) error { return c.HTML(200, h, web.PagePolicy) }
	}
	return append([]web.Route{
		{Method: "GET", Pattern: DocumentPath, Handle: file("application/json", document)},
		{Method: "GET", Pattern: Path, Handle: page(d.reference)},
		{Method: "GET", Pattern: ErrorsPath, Handle: page(d.errors)},
		{Method: "GET", Pattern: guidePattern, Handle: d.guide},
	}, d.static...)
}

// file answers with what everybody may see and keep for a while.
func file(contentType string, body []byte) web.Handler {
	return func(c *web.Call) error {
		c.HTTP.SetContentType(contentType)
		c.HTTP.Response.Header.Set("Cache-Control", "public, max-age=300")
		c.HTTP.SetBody(body)
		return nil
	}
}

// guide answers GET /docs/guides/{id}.
func (d *Docs) guide(c *web.Call) error {
	page, ok := d.guides[c.Param]
	if !ok {
		return c.HTML(404, missingPage(), web.PagePolicy)
	}
	return c.HTML(200, page, web.PagePolicy)
}
