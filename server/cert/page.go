package cert

import (
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// style is the one style sheet of the page. It stands in the page, under a digest
// in the policy, so that the page is whole without a second path.
const style web.Markup = `
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5a6675;--paper:#f5f6f8;--card:#fff;--line:#dfe3e8;--accent:#0b6b57;--on:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#a3afbd;--paper:#12171d;--card:#1b222b;--line:#2f3945;--accent:#4fc3a6;--on:#08110e}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{max-width:44rem;margin:0 auto;padding:2rem 1rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .75rem}
h2{font-size:1.05rem;margin:0 0 .5rem}
p{margin:0 0 .75rem}
p:last-child{margin:0}
section{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.1rem 1.25rem;margin-top:1rem}
.phone{display:flex;gap:1.25rem;align-items:center;flex-wrap:wrap}
.phone div{flex:1 1 14rem}
.qr{width:11rem;height:11rem;border-radius:.5rem;flex:none}
.get{display:inline-block;background:var(--accent);color:var(--on);text-decoration:none;font-weight:600;padding:.65rem 1.1rem;border-radius:.5rem}
a{color:var(--accent)}
a:focus-visible,summary:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
code{font:.86em/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
.print{display:block;width:calc(24ch + 1.5rem + 2px);max-width:100%;background:var(--paper);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .75rem;margin:0 0 .75rem}
.soft{color:var(--soft);font-size:.92rem}
details{border-top:1px solid var(--line)}
summary{cursor:pointer;font-weight:600;padding:.7rem 0}
details ol,details ul{margin:0;padding:0 0 .8rem 1.3rem}
li{margin-bottom:.35rem}
ul{margin:0;padding-left:1.2rem}
`

// pagePolicy lets the page have its style sheet and nothing else.
var pagePolicy = strings.Replace(web.PagePolicy, "style-src 'self'", "style-src '"+digestOf(style)+"'", 1)

func digestOf(m web.Markup) string {
	sum := sha256.Sum256([]byte(m))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Download answers GET /ca.crt with the authority's certificate. Each system takes
// PEM, and some take nothing else; of this type, phones offer to install it.
func (l *LAN) Download(c *web.Call) error {
	c.HTTP.SetContentType("application/x-x509-ca-cert")
	c.HTTP.Response.Header.Set("Cache-Control", "no-store")
	c.HTTP.SetBody(l.authority.pem)
	return nil
}

// Page answers GET /ca: how a device comes to trust the box.
func (l *LAN) Page(c *web.Call) error {
	name, port := l.place(c)
	here := "http://" + net.JoinHostPort(name, port) + "/ca"
	var h web.HTML
	h.Raw(`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">` +
		`<title>Trust this box</title><style>` + style + `</style></head><body><main><h1>Trust this box</h1>` +
		`<p>The box encrypts what it says with a certificate that it has made itself. A device believes it as soon as it trusts ` +
		`the authority of the box, once. The authority can vouch for this box and for private networks, and for nothing else.</p>` +
		`<section><h2>1. Get the certificate</h2><p><a class="get" href="/ca.crt">Download ca.crt</a></p>`)
	h.Raw(`<p class="soft">It is called `).Element("b", l.authority.Name()).Raw(` and lasts until `).
		Text(l.authority.Until().Std().Format("2 January 2006")).Raw(`.</p></section>` +
		`<section><h2>2. Compare its fingerprint</h2><p>Your device shows this SHA-256 fingerprint before or after it installs the file:</p>`)
	h.Element("code", l.authority.Fingerprint(), web.Pair{Name: "class", Value: "print"})
	h.Raw(`<p class="soft">This page may have come over a network that nobody vouches for yet. <code>sudo pinferry doctor</code>, on the box, ` +
		`shows the fingerprint too: only if the two are the same is this the box.</p></section>` +
		`<section class="phone">`)
	if err := drawQR(&h, here, "QR code of the address of this page"); err != nil {
		return err
	}
	h.Raw(`<div><h2>On a phone</h2><p>Point its camera at the code, or open</p><p>`).
		Element("code", here).Raw(`</p></div></section><section class="how"><h2>3. Install it</h2>`)
	seen := deviceOf(c.Header("User-Agent"))
	for _, g := range guides {
		h.Raw(`<details`).Flag("open", g.device == seen).Raw(`><summary>`).Text(g.device).Raw(`</summary><`).Raw(g.list).Raw(`>`)
		for _, step := range g.steps {
			h.Raw(`<li>`).Raw(step).Raw(`</li>`)
		}
		h.Raw(`</`).Raw(g.list).Raw(`></details>`)
	}
	h.Raw(`</section><section><h2>4. Open the box</h2><ul>`)
	for _, at := range namesOf(l.Current()) {
		// By these nobody comes from elsewhere, or only with the name of an interface.
		if a, err := netip.ParseAddr(at); at == "localhost" || err == nil && (a.IsLoopback() || a.IsLinkLocalUnicast()) {
			continue
		}
		url := "https://" + net.JoinHostPort(at, port) + "/admin/"
		h.Raw(`<li><a`).Attr("href", url).Raw(`>`).Text(url).Raw(`</a></li>`)
	}
	h.Raw(`</ul></section></main></body></html>`)
	return c.HTML(fasthttp.StatusOK, &h, pagePolicy)
}

// place returns the address and the port under which a phone that stands next to
// the caller finds the box: as the caller did, but by an address, for phones do not
// know every name that a computer knows.
func (l *LAN) place(c *web.Call) (name, port string) {
	name, port, err := net.SplitHostPort(string(c.HTTP.Request.Header.Host()))
	if err != nil {
		name = strings.Trim(string(c.HTTP.Request.Header.Host()), "[]")
	}
	local, _ := c.HTTP.LocalAddr().(*net.TCPAddr)
	if n, err := strconv.ParseUint(port, 10, 16); (err != nil || n == 0) && local != nil {
		port = strconv.Itoa(local.Port)
	}
	if asked, err := netip.ParseAddr(name); err == nil && !asked.IsLoopback() {
		return asked.String(), port
	}
	if local != nil {
		if a := local.AddrPort().Addr().Unmap().WithZone(""); !a.IsLoopback() {
			return a.String(), port
		}
	}
	for _, a := range l.addresses() {
		if a.Is4() && !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			return a.String(), port
		}
	}
	return name, port
}
