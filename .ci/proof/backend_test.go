package proof

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestBackendSamples runs what the guide shows to servers: the number that was
// proven, and whether an event is genuine.
func TestBackendSamples(t *testing.T) {
	t.Parallel()
	b := newDemo(t)
	open := b.call(201, "POST", "/v1/verifications", fmt.Sprintf(`{"to":%q}`, somebody)).field(t, "id")
	id := b.call(201, "POST", "/v1/verifications", fmt.Sprintf(`{"to":%q}`, another)).field(t, "id")
	var code string
	b.eventually("texted "+another, 20*time.Second, func() bool {
		var all []sms
		must(t, json.Unmarshal(b.call(200, "GET", "/demo/handset", "").body, &all))
		for _, one := range all {
			if one.To == another {
				code = regexp.MustCompile(`\b[0-9]{6}\b`).FindString(one.Text)
			}
		}
		return code != ""
	})
	b.call(200, "POST", "/v1/verifications/"+id+"/check", checkBody(code, ""))

	const secret, event, body = "whsec_a2V5a2V5a2V5a2V5a2V5a2V5", "evt_1", `{"type":"message.sent"}`
	source, script := filepath.Join(b.dir, "backend.go"), filepath.Join(b.dir, "backend.mjs")
	must(t, os.WriteFile(source, []byte(goBackend+sample(t, "backend", "go-ask")+sample(t, "backend", "go-genuine")), 0o600))
	must(t, os.WriteFile(script, []byte(nodeBackend+sample(t, "backend", "node-ask")+sample(t, "backend", "node-genuine")+nodeMain), 0o600))
	program := filepath.Join(b.dir, "backend")
	if out, err := exec.Command("go", "build", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("the sample in Go does not build: %s", out)
	}
	for name, command := range map[string][]string{"Go": {program}, "Node": {"node", script}} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skipf("SKIPPED: %v", err)
			}
			run := func(words ...string) string {
				out, err := exec.Command(command[0], append(command[1:], words...)...).Output()
				if err != nil {
					return "refused"
				}
				return strings.TrimSpace(string(out))
			}
			if got := run("ask", b.base, demoSecret, id); got != another {
				t.Errorf("the number is %q, want %s", got, another)
			}
			if got := run("ask", b.base, demoSecret, open); got != "refused" {
				t.Errorf("of one that nobody has proven: %q", got)
			}
			now := int64(time.Since(time.Unix(0, 0)).Seconds())
			at, early := fmt.Sprint(now), fmt.Sprint(now-600)
			for _, c := range []struct{ what, want, at, signature, body string }{
				{"a genuine one", "true", at, signed(event, at, body), body},
				{"the second of two signatures", "true", at, "v1,AAAA " + signed(event, at, body), body},
				{"another body", "false", at, signed(event, at, body), body + " "},
				{"an old one", "false", early, signed(event, early, body), body},
				{"no signature", "false", at, "", body},
				{"no time", "false", "x", signed(event, "x", body), body},
			} {
				if got := run("genuine", secret, event, c.at, c.signature, c.body); got != c.want {
					t.Errorf("%s: %s", c.what, got)
				}
			}
		})
	}
}

// another is a number that the demo has sent nothing to.
const another = "+41791234568"

// signed is the signature of an event by the key of TestBackendSamples.
func signed(event, at, body string) string {
	mac := hmac.New(sha256.New, []byte("keykeykeykeykeykey"))
	fmt.Fprintf(mac, "%s.%s.%s", event, at, body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// What a server has around the samples.
const (
	goBackend = `package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

var box, secretKey string

func main() {
	a := os.Args[2:]
	if os.Args[1] == "ask" {
		box, secretKey = a[0], a[1]
		phone, err := provenPhone(context.Background(), a[2])
		if err != nil {
			os.Exit(1)
		}
		fmt.Println(phone)
		return
	}
	h := http.Header{}
	h.Set("webhook-id", a[1])
	h.Set("webhook-timestamp", a[2])
	h.Set("webhook-signature", a[3])
	fmt.Println(genuine(a[0], h, []byte(a[4])))
}

`
	nodeBackend = `import crypto from 'node:crypto'
const [what, ...a] = process.argv.slice(2)
const [box, secretKey] = a
`
	nodeMain = `
if (what === 'ask') console.log(await provenPhone(a[2]))
else console.log(genuine(a[0], { 'webhook-id': a[1], 'webhook-timestamp': a[2], 'webhook-signature': a[3] }, a[4]))
`
)
