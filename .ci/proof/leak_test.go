package proof

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// After fifty sends and checks no code stands anywhere but on the handset: not
// in the data directory, the log at debug level, the metrics or an answer; and
// no full number stands in the log.
func TestNoCodeAnywhere(t *testing.T) {
	m := newModem(t)
	b := newBox(t, m.link)
	b.start()
	var answers bytes.Buffer
	keep := func(a answer) answer { fmt.Fprint(&answers, a.header); answers.Write(a.body); return a }
	codes := map[string]string{} // by number
	for n := range 50 {
		to := number(n*1000 + 17)
		a := keep(b.call(201, "POST", "/v1/verifications", startBody(to)))
		b.eventually("the code on the handset", 10*time.Second, func() bool { return m.code(to) != "" })
		codes[to] = m.code(to)
		path := "/v1/verifications/" + a.field(t, "id")
		if n%2 == 0 {
			keep(b.call(422, "POST", path+"/check", checkBody(wrong(codes[to]), "")))
			keep(b.call(200, "POST", path+"/check", checkBody(codes[to], "")))
			keep(b.call(422, "POST", path+"/check", checkBody(codes[to], "")))
		}
		// What is malformed must not be logged either.
		keep(b.try("POST", path+"/check", `{"code":"`+codes[to]+`"`))
		keep(b.try("POST", path+"/check?code="+codes[to], `{"kode":"`+codes[to]+`"}`))
		keep(b.call(200, "GET", path, ""))
	}
	keep(b.call(200, "GET", "/v1/messages?limit=100", ""))
	keep(b.call(200, "GET", "/v1/routes", ""))
	keep(b.call(200, "GET", "/metrics", ""))
	places := map[string][]byte{"an answer": answers.Bytes()}
	b.terminate()
	must(t, filepath.WalkDir(b.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		places[path], err = os.ReadFile(path)
		return err
	}))
	if len(places) < 5 {
		t.Fatalf("only %d places to search", len(places))
	}
	// The search must be able to find something.
	if found := search([]byte("\x00"+forms("1234567890")["GSM-7"]+"\x00"), "1234567890"); found != "GSM-7" {
		t.Fatalf("the search is blind: %q", found)
	}
	for to, code := range codes {
		for name, content := range places {
			if form := search(content, code); form != "" {
				t.Errorf("%s holds a code as %s", name, form)
			}
			if strings.HasSuffix(name, "/log") && bytes.Contains(content, []byte(to[1:])) {
				t.Errorf("%s holds a full phone number", name)
			}
		}
	}
}

func search(content []byte, code string) string {
	for name, form := range forms(code) {
		if bytes.Contains(content, []byte(form)) || strings.HasSuffix(name, "in hex") && bytes.Contains(bytes.ToUpper(content), []byte(strings.ToUpper(form))) {
			return name
		}
	}
	return ""
}

// forms returns the shapes that ten digits can take on their way to a radio.
func forms(code string) map[string]string {
	wide := func(low bool) string {
		var s strings.Builder
		for _, c := range []byte(code) {
			if low {
				s.Write([]byte{c, 0})
			} else {
				s.Write([]byte{0, c})
			}
		}
		return s.String()
	}
	nibbles, swapped := "", ""
	for i := 0; i+1 < len(code); i += 2 {
		high, low := code[i]-'0', code[i+1]-'0'
		nibbles += string([]byte{high<<4 | low})
		swapped += string([]byte{low<<4 | high})
	}
	f := map[string]string{
		"ASCII": code, "UTF-16LE": wide(true), "UTF-16BE": wide(false), "BCD": nibbles, "semi-octets": swapped,
		"semi-octets in hex": fmt.Sprintf("%X", swapped), "UCS-2 in hex": fmt.Sprintf("%X", wide(false)), "ASCII in hex": fmt.Sprintf("%x", code),
	}
	for shift := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + code))
		f[fmt.Sprintf("base64 at %d", shift)] = text[(shift*8+5)/6+1 : 12]
	}
	for shift := range 8 {
		packed := pack(code, shift)
		name := "GSM-7"
		if shift > 0 {
			name = fmt.Sprintf("GSM-7 at bit %d", shift)
		}
		f[name], f[name+" in hex"] = packed, fmt.Sprintf("%X", packed)
	}
	return f
}

// pack returns the octets that lie wholly inside the code when its septets
// begin at a bit of an octet.
func pack(code string, shift int) string {
	var bits []byte
	for range shift {
		bits = append(bits, 0)
	}
	for _, c := range []byte(code) {
		for i := range 7 {
			bits = append(bits, c>>i&1)
		}
	}
	var out []byte
	for i := 0; i+8 <= len(bits); i += 8 {
		if i < shift {
			continue
		}
		var octet byte
		for j := range 8 {
			octet |= bits[i+j] << j
		}
		out = append(out, octet)
	}
	return string(out)
}
