package webtest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Golden compares a text with a file of testdata. UPDATE=1 writes the file, for
// the change to be read before it is kept.
func Golden(t testing.TB, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}

// Golden compares the body of an answer, byte for byte, with testdata/name.json.
func (a Answer) Golden(t testing.TB, name string) {
	t.Helper()
	Golden(t, name+".json", a.Body+"\n")
}

// Exchange compares a call and what it was answered with testdata/name.json. No
// body is null there.
func Exchange(t testing.TB, name string, r Request, a Answer) {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(struct {
		Call     string          `json:"call"`
		Request  json.RawMessage `json:"request"`
		Status   int             `json:"status"`
		Response json.RawMessage `json:"response"`
	}{r.Method + " " + r.Target, raw(r.Body), a.Status, raw(a.Body)}); err != nil {
		t.Fatalf("%v: %s", err, a.Body)
	}
	Golden(t, name+".json", text.String())
}

func raw(body string) json.RawMessage {
	return json.RawMessage(or(body, "null"))
}

// Decode reads JSON into v, or ends the test.
func Decode(t testing.TB, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}
