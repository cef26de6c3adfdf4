package web_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pinferry/pinferry/server/web"
)

// TestText has each payload written where text stands and where a value does.
func TestText(t *testing.T) {
	for payload, want := range map[string]string{
		`plain`:                     `plain`,
		`Zoë & Zürich`:              `Zoë &amp; Zürich`,
		`<script>alert(1)</script>`: `&lt;script&gt;alert(1)&lt;/script&gt;`,
		`"><img src=x onerror=a>`:   `&#34;&gt;&lt;img src=x onerror=a&gt;`,
		`' onfocus='a`:              `&#39; onfocus=&#39;a`,
		"`":                         `&#96;`,
		"a\x00b\x1bc\x7fd\u0085e":   "a\ufffdb\ufffdc\ufffdd\ufffde",
		"a\tb\r\nc":                 "a\tb\r\nc",
		"\xff\xfe":                  "\ufffd\ufffd",
		"\ufffd":                    "\ufffd",
		"&lt;":                      "&amp;lt;",
		"\u202eabc":                 "\u202eabc",
	} {
		var h web.HTML
		if got := h.Text(payload).String(); got != want {
			t.Errorf("%q: got %q, want %q", payload, got, want)
		}
		var a web.HTML
		if got := a.Attr("value", payload).String(); got != ` value="`+want+`"` {
			t.Errorf("%q as a value: got %q", payload, got)
		}
	}
}

// TestFollowable gives addresses that a browser would follow.
func TestFollowable(t *testing.T) {
	for address, shown := range map[string]bool{
		"/login": true, "?a=b": true, "#top": true, "https://example.com/a": true, "http://127.0.0.1:1/": true,
		"javascript:alert(1)": false, "JavaScript:alert(1)": false, "data:text/html,a": false, " javascript:a": false,
		"\tjavascript:a": false, "//evil.example": false, `/\evil.example`: false, "vbscript:a": false, "": false, "login": false,
	} {
		for _, name := range []web.Markup{"href", "src", "action", "formaction"} {
			var h web.HTML
			want := "#"
			if shown {
				want = address
			}
			if got := h.Attr(name, address).String(); got != " "+string(name)+`="`+want+`"` {
				t.Errorf("%s of %q: got %q", name, address, got)
			}
		}
	}
}

func TestElement(t *testing.T) {
	var h web.HTML
	h.Element("a", "<b>", web.Pair{Name: "href", Value: "/x?a=1&b=2"}).Raw("<input").Flag("required", true).Flag("disabled", false).Raw(">")
	if got, want := h.String(), `<a href="/x?a=1&amp;b=2">&lt;b&gt;</a><input required>`; got != want {
		t.Errorf("got %s", got)
	}
}

func TestPage(t *testing.T) {
	c := newCall("", "")
	c.Secure = true
	var h web.HTML
	h.Element("p", "hello")
	if err := c.HTML(404, &h, web.PagePolicy); err != nil {
		t.Fatal(err)
	}
	r := &c.HTTP.Response
	if r.StatusCode() != 404 || string(r.Body()) != "<p>hello</p>" || string(r.Header.ContentType()) != "text/html; charset=utf-8" {
		t.Errorf("got %d %s %s", r.StatusCode(), r.Header.ContentType(), r.Body())
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Content-Security-Policy": web.PagePolicy, "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
		"Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got := string(r.Header.Peek(name)); got != want {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if strings.Contains(web.PagePolicy, "unsafe") {
		t.Error("the policy lets markup run")
	}
}

// FuzzText looks for a text that ends the place where it stands.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "a", `"><script>`, "\xff<", "&amp;", "' x='", "\x00", "é\u2028"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var h web.HTML
		got := h.Text(s).String()
		if strings.ContainsAny(got, "<>\"'`\x00\x1b") || !utf8.ValidString(got) {
			t.Errorf("%q became %q", s, got)
		}
		for rest := got; ; {
			_, after, found := strings.Cut(rest, "&")
			if !found {
				break
			}
			if name, _, ended := strings.Cut(after, ";"); !ended || !strings.Contains(" amp lt gt #34 #39 #96 ", " "+name+" ") {
				t.Errorf("%q became %q", s, got)
			}
			rest = after
		}
	})
}
