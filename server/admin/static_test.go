package admin_test

import (
	"compress/gzip"
	"io/fs"
	"os"
	"path"
	"regexp"
	"testing"
)

// What the page shows came from strangers, so nothing in it may read a text as
// markup or as a program; and it asks nobody but the box.
func TestPageTakesTextForText(t *testing.T) {
	reads := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write|DOMParser|srcdoc|\beval\(|new Function|javascript:`)
	inline := regexp.MustCompile(`(?i)\sstyle\s*=|\son[a-z]+\s*=|<style|<script(>|[^>]*>[^<])`)
	abroad := regexp.MustCompile("(src|href|url|from|fetch|import)[ =(]{0,3}['\"`](https?:)?//")
	files := 0
	packed := &counter{}
	err := fs.WalkDir(os.DirFS("static"), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		body, err := os.ReadFile(path.Join("static", name))
		if err != nil {
			return err
		}
		w := gzip.NewWriter(packed)
		w.Write(body)
		w.Close()
		for what, found := range map[string][]byte{
			"reads text as markup or program": reads.Find(body), "asks another host": abroad.Find(body),
		} {
			if found != nil {
				t.Errorf("%s %s: %s", name, what, found)
			}
		}
		if path.Ext(name) == ".html" {
			if found := inline.Find(body); found != nil {
				t.Errorf("%s has style or script of its own, which its policy forbids: %s", name, found)
			}
		}
		return nil
	})
	if err != nil || files < 10 {
		t.Fatalf("looked at %d files: %v", files, err)
	}
	if packed.n > 120<<10 {
		t.Errorf("the page weighs %d bytes, more than 120 KiB", packed.n)
	}
}

// counter counts what is written to it.
type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }
