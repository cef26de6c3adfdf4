package admin

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// static is the page, as it is.
//
//go:embed static
var static embed.FS

// Where the page stands.
const (
	pagePath   = "/admin/"
	staticPath = "/admin/static/"
	indexFile  = "index.html"
)

// types are the content types of the files. The system's own table is not asked:
// it differs from machine to machine.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2",
	".json": "application/json", ".txt": "text/plain; charset=utf-8",
}

// smallest is from how many bytes on a file is worth compressing.
const smallest = 512

// asset is one file of the page.
type asset struct {
	kind, tag string
	plain     []byte
	// packed is the file in gzip, made when the first browser asks for it; nil:
	// it does not become smaller. The encoder of brotli would cost the program
	// ten times what it saves here.
	packed func() []byte
}

// staticRoutes returns a path for each file, and for the page itself.
func staticRoutes() ([]web.Route, error) {
	routes := []web.Route{{Method: "GET", Pattern: strings.TrimSuffix(pagePath, "/"), Handle: func(c *web.Call) error {
		c.HTTP.Response.Header.Set("Location", pagePath) // not made of Host
		c.HTTP.SetStatusCode(fasthttp.StatusPermanentRedirect)
		return nil
	}}}
	err := fs.WalkDir(static, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		plain, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		kind := types[path.Ext(name)]
		if kind == "" {
			return fmt.Errorf("the page's file %s has no content type", name)
		}
		file := newAsset(kind, plain)
		name = strings.TrimPrefix(name, "static/")
		routes = append(routes, web.Route{Method: "GET", Pattern: staticPath + name, Handle: file.serve})
		if name == indexFile {
			routes = append(routes, web.Route{Method: "GET", Pattern: pagePath, Handle: file.serve})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	return routes, nil
}

func newAsset(kind string, plain []byte) *asset {
	digest := sha256.Sum256(plain)
	a := &asset{kind: kind, tag: hex.EncodeToString(digest[:12]), plain: plain}
	if len(plain) >= smallest && !strings.HasSuffix(kind, "png") && !strings.HasSuffix(kind, "woff2") {
		a.packed = sync.OnceValue(func() []byte { return fasthttp.AppendGzipBytes(nil, plain) })
	}
	return a
}

// serve answers with the file, or says that the browser has it still. It asks
// each time, so that a new build is never mixed with an old one.
func (a *asset) serve(c *web.Call) error {
	h := &c.HTTP.Response.Header
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	body, encoding := a.plain, ""
	if a.packed != nil && c.HTTP.Request.Header.HasAcceptEncoding("gzip") {
		body, encoding = a.packed(), "gzip"
	}
	tag := `"` + a.tag + encoding + `"`
	h.Set("ETag", tag)
	if strings.Contains(c.Header("If-None-Match"), tag) {
		c.HTTP.SetStatusCode(fasthttp.StatusNotModified)
		return nil
	}
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	c.HTTP.SetContentType(a.kind)
	c.HTTP.Response.SetBodyRaw(body)
	return nil
}
