package docs_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/docs"
	"github.com/pinferry/pinferry/server/docs/docstest"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// site answers paths as the server would.
type site struct {
	t      testing.TB
	routes []web.Route
}

func open(t testing.TB) *site {
	t.Helper()
	d, err := docs.New()
	if err != nil {
		t.Fatal(err)
	}
	return &site{t, d.Routes()}
}

// get returns an answer, with status 0 if no route has the path.
func (s *site) get(path string) (status int, contentType, body string, policy string) {
	s.t.Helper()
	for _, r := range s.routes {
		prefix, open := strings.CutSuffix(r.Pattern, "{id}")
		if r.Pattern != path && !(open && strings.HasPrefix(path, prefix)) {
			continue
		}
		c := &web.Call{HTTP: new(fasthttp.RequestCtx), Param: path[len(prefix):]}
		c.HTTP.Init(new(fasthttp.Request), nil, nil)
		if !open {
			c.Param = ""
		}
		if err := r.Handle(c); err != nil {
			s.t.Fatalf("%s: %v", path, err)
		}
		h := &c.HTTP.Response.Header
		return c.HTTP.Response.StatusCode(), string(h.ContentType()), string(c.HTTP.Response.Body()), string(h.Peek("Content-Security-Policy"))
	}
	return 0, "", "", ""
}

// guideNames are those of the files.
func guideNames(t testing.TB) (names []string) {
	t.Helper()
	found, err := filepath.Glob("guides/*.html")
	if err != nil || len(found) == 0 {
		t.Fatal("there are no guides", err)
	}
	for _, name := range found {
		names = append(names, strings.TrimSuffix(filepath.Base(name), ".html"))
	}
	return names
}

// pages returns every page of the docs, by its path.
func (s *site) pages() map[string]string {
	s.t.Helper()
	all := map[string]string{}
	paths := []string{docs.Path, docs.ErrorsPath}
	for _, name := range guideNames(s.t) {
		paths = append(paths, docs.Path+"/guides/"+name)
	}
	for _, path := range paths {
		status, contentType, body, policy := s.get(path)
		if status != 200 || contentType != "text/html; charset=utf-8" || policy != web.PagePolicy {
			s.t.Fatalf("%s: got %d %s, policy %q", path, status, contentType, policy)
		}
		all[path] = body
	}
	return all
}

var (
	hrefForm   = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
	idForm     = regexp.MustCompile(` id="([^"]*)"`)
	inlineForm = regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script(?: defer)?>|javascript:|<iframe|<img|<form`)
)

// TestLinks: every link of every page leads to a page, a file or an anchor of
// this box, no id stands twice, and nothing comes from elsewhere.
func TestLinks(t *testing.T) {
	s := open(t)
	pages := s.pages()
	ids := map[string][]string{}
	for path, body := range pages {
		for _, id := range idForm.FindAllStringSubmatch(body, -1) {
			if slices.Contains(ids[path], id[1]) {
				t.Errorf("%s: the id %s stands twice", path, id[1])
			}
			ids[path] = append(ids[path], id[1])
		}
	}
	links := 0
	for path, body := range pages {
		for _, href := range hrefForm.FindAllStringSubmatch(body, -1) {
			links++
			target, anchor, anchored := strings.Cut(href[1], "#")
			if target == "" {
				target = path
			}
			if _, page := pages[target]; !page {
				if status, _, _, _ := s.get(target); status != 200 || anchored {
					t.Errorf("%s: %s leads nowhere", path, href[1])
				}
			} else if anchored && !slices.Contains(ids[target], anchor) {
				t.Errorf("%s: there is no %s", path, href[1])
			}
		}
		if found := inlineForm.FindString(body); found != "" {
			t.Errorf("%s: the policy of the page forbids %s", path, found)
		}
	}
	if links < 300 {
		t.Errorf("only %d links were found", links)
	}
	if status, _, body, _ := s.get(docs.Path + "/guides/nothing"); status != 404 || !strings.Contains(body, "no such page") {
		t.Errorf("a guide that is none: %d", status)
	}
}

// TestErrorsPage: the type of every problem leads to a place that says what
// happened and what to do.
func TestErrorsPage(t *testing.T) {
	_, _, body, _ := open(t).get(docs.ErrorsPath)
	codes := []string{web.CodeRejected}
	for _, code := range otp.Codes() {
		codes = append(codes, string(code))
	}
	for _, code := range codes {
		_, rest, ok := strings.Cut(body, `<h2 id="`+code+`">`)
		article, _, _ := strings.Cut(rest, "</article>")
		if _, remedy, told := strings.Cut(article, "What to do.</strong> "); !ok || !told || len(remedy) < 40 || strings.Contains(article, "<p></p>") {
			t.Errorf("%s is not explained", code)
		}
	}
	for _, want := range []string{"422 Code rejected", "429 Too many requests", "503 Busy", "401 Unauthorized"} {
		if !strings.Contains(body, want) {
			t.Errorf("not told: %s", want)
		}
	}
}

// TestGuides: the files are the guides, well-formed, and can be linked to.
func TestGuides(t *testing.T) {
	_, _, index, _ := open(t).get(docs.Path)
	for _, name := range guideNames(t) {
		if !strings.Contains(index, `href="/docs/guides/`+name+`"`) {
			t.Errorf("%s is not listed", name)
		}
		text, err := os.ReadFile("guides/" + name + ".html")
		if err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(io.MultiReader(strings.NewReader("<main>"), bytes.NewReader(text), strings.NewReader("</main>")))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
		if !bytes.HasPrefix(text, []byte("<h1>")) || bytes.Count(text, []byte("<h1")) != 1 {
			t.Errorf("%s has not one heading at its top", name)
		}
		if bytes.Count(text, []byte("<h2")) != len(regexp.MustCompile(`<h2 id="[a-z0-9-]+">[^<]+</h2>`).FindAll(text, -1)) {
			t.Errorf("%s has a heading that cannot be linked to", name)
		}
	}
}

// TestReference: the page shows every operation and every shape.
func TestReference(t *testing.T) {
	_, _, page, _ := open(t).get(docs.Path)
	var document struct {
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any
				Enum       []string
			}
		}
	}
	if err := json.Unmarshal(docs.Document(), &document); err != nil {
		t.Fatal(err)
	}
	for path, methods := range document.Paths {
		for method, operation := range methods {
			_, rest, ok := strings.Cut(page, `<article id="`+operation.OperationID+`">`)
			article, _, _ := strings.Cut(rest, "</article>")
			if !ok || !strings.Contains(article, ">"+strings.ToUpper(method)+"<") || !strings.Contains(article, "<code>"+path+"</code>") || !strings.Contains(article, "curl -s") {
				t.Errorf("%s %s is not shown", method, path)
			}
		}
	}
	for name, shape := range document.Components.Schemas {
		_, rest, ok := strings.Cut(page, `id="`+name+`">`)
		rest, _, _ = strings.Cut(rest, "<h3")
		for member := range shape.Properties {
			if !ok || !strings.Contains(rest, "<code>"+member+"</code>") {
				t.Errorf("%s.%s is not shown", name, member)
			}
		}
	}
	// One sample as a whole: quoting is where such lines go wrong.
	if !strings.Contains(page, `curl -s $BOX/v1/verifications -H &#34;Authorization: Bearer $PK&#34; \`+"\n"+`  -H &#39;Content-Type: application/json&#39; -d &#39;{&#34;to&#34;:&#34;+41791234567&#34;}&#39;`) {
		t.Error("the sample of a start is not what it should be")
	}
}

func TestDocument(t *testing.T) {
	c, err := docstest.New(docs.Document())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Examples(); err != nil || n < 30 {
		t.Errorf("%d examples, %v", n, err)
	}
	status, contentType, body, _ := open(t).get(docs.DocumentPath)
	if status != 200 || contentType != "application/json" || body != string(docs.Document()) {
		t.Errorf("served: %d %s", status, contentType)
	}
	// The codes of a problem are the closed list, where those that would help a
	// guesser are one.
	var document struct {
		Components struct {
			Schemas struct {
				Problem struct {
					Properties struct{ Code struct{ Enum []string } }
				}
			}
		}
	}
	if err := json.Unmarshal(docs.Document(), &document); err != nil {
		t.Fatal(err)
	}
	want := []string{web.CodeRejected, string(otp.CodeUnknown)}
	for _, code := range otp.Codes() {
		if p := web.ProblemOf(&otp.Error{Code: code}); !slices.Contains(want, p.Code) {
			want = append(want, p.Code)
		}
	}
	got := document.Components.Schemas.Problem.Properties.Code.Enum
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("codes are %v, want %v", got, want)
	}
}

// The weight that a page may have: what is loaded with each, and the largest of
// them as it would be over a wire that compresses.
func TestWeight(t *testing.T) {
	s := open(t)
	fixed := 0
	for _, path := range []string{"/docs/docs.css", "/docs/docs.js", "/docs/icon.svg"} {
		status, _, body, _ := s.get(path)
		if fixed += len(body); status != 200 || body == "" {
			t.Errorf("%s: %d", path, status)
		}
	}
	if fixed > 30<<10 {
		t.Errorf("style and script have %d bytes", fixed)
	}
	for path, body := range s.pages() {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		io.WriteString(w, body)
		w.Close()
		if b.Len() > 30<<10 {
			t.Errorf("%s has %d bytes", path, b.Len())
		}
	}
}
