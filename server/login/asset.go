package login

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"path"

	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

//go:embed static
var static embed.FS

// assetTypes are the files under /login with their media types.
var assetTypes = map[string]string{
	"login.css": "text/css; charset=utf-8",
	"login.js":  "text/javascript; charset=utf-8",
	"field.js":  "text/javascript; charset=utf-8",
	"widget.js": "text/javascript; charset=utf-8",
}

// assetRoutes returns what answers with the files.
func assetRoutes() (routes []web.Route) {
	for name, contentType := range assetTypes {
		content, err := static.ReadFile(path.Join("static", name))
		if err != nil {
			panic(err) // it stands in the binary
		}
		routes = append(routes, web.Route{Method: "GET", Pattern: phonePath + "/" + name, Handle: asset(content, contentType)})
	}
	return routes
}

// asset answers with a file that anybody may have and any page may load: the
// widget's stand in pages of other origins. A browser asks each time whether
// the file is still the same, so that a page never meets the script of another
// version.
func asset(content []byte, contentType string) web.Handler {
	sum := sha256.Sum256(content)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	packed := fasthttp.AppendGzipBytesLevel(nil, content, fasthttp.CompressBestCompression)
	return func(c *web.Call) error {
		h := &c.HTTP.Response.Header
		h.Set("Cache-Control", "public, no-cache")
		h.Set("ETag", tag)
		h.Set("Vary", "Accept-Encoding")
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		if c.Header("If-None-Match") == tag {
			c.HTTP.SetStatusCode(fasthttp.StatusNotModified)
			return nil
		}
		c.HTTP.SetContentType(contentType)
		if c.HTTP.Request.Header.HasAcceptEncoding("gzip") {
			h.Set("Content-Encoding", "gzip")
			c.HTTP.SetBody(packed)
			return nil
		}
		c.HTTP.SetBody(content)
		return nil
	}
}

// compress packs a page, if its reader can unpack it.
func compress(c *web.Call) {
	h := &c.HTTP.Response.Header
	h.Set("Vary", "Accept-Encoding")
	if !c.HTTP.Request.Header.HasAcceptEncoding("gzip") {
		return
	}
	packed := fasthttp.AppendGzipBytes(nil, c.HTTP.Response.Body())
	h.Set("Content-Encoding", "gzip")
	c.HTTP.SetBody(packed)
}
