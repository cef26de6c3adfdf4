package proof

import (
	"bufio"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"
)

// The keys and the number of the demo.
const (
	demoPublic = "pk_demo"
	demoSecret = "sk_demo"
	somebody   = "+41791234567"
)

// newDemo starts a demo, which has a handset whose messages can be read.
func newDemo(t *testing.T) *box {
	t.Helper()
	b := &box{t: t, dir: t.TempDir(), client: &http.Client{Timeout: 5 * time.Second}, key: demoSecret}
	b.process = exec.Command(program, "demo", "--listen", "127.0.0.1:0")
	out, err := b.process.StdoutPipe()
	must(t, err)
	must(t, b.process.Start())
	t.Cleanup(func() {
		b.process.Process.Signal(syscall.SIGTERM)
		io.Copy(io.Discard, out)
		b.process.Wait()
		b.client.CloseIdleConnections()
	})
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	must(t, err)
	b.base = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`).FindString(line)
	go io.Copy(io.Discard, lines)
	return b
}

// texted waits for the handset of a demo to show an SMS with these words, and
// returns it.
func (b *box) texted(words string) (text string) {
	b.t.Helper()
	b.eventually("texted "+words, 20*time.Second, func() bool {
		var all []sms
		must(b.t, json.Unmarshal(b.call(200, "GET", "/demo/handset", "").body, &all))
		for _, one := range all {
			if strings.Contains(one.Text, words) {
				text = one.Text
			}
		}
		return text != ""
	})
	return text
}

// sample returns a piece of code of a guide, by its id.
func sample(t *testing.T, guide, id string) string {
	t.Helper()
	text, err := os.ReadFile("../../server/docs/guides/" + guide + ".html")
	must(t, err)
	_, rest, ok := strings.Cut(string(text), `<pre id="`+id+`"><code>`)
	code, _, closed := strings.Cut(rest, "</code></pre>")
	if !ok || !closed {
		t.Fatalf("the guide %s has no %s", guide, id)
	}
	return html.UnescapeString(code) + "\n"
}

// TestOfflineCheck runs what the guide shows to check a token where the box
// cannot be asked: by the key set as it was, after the box has gone.
func TestOfflineCheck(t *testing.T) {
	t.Parallel()
	b := newDemo(t)
	id := b.call(201, "POST", "/v1/verifications", fmt.Sprintf(`{"to":%q,"purpose":"sign_up_or_in"}`, somebody)).field(t, "id")
	code := regexp.MustCompile(`\b[0-9]{6}\b`).FindString(b.texted("code for Demo"))
	signedIn := b.call(200, "POST", "/v1/verifications/"+id+"/check", checkBody(code, ""))
	token, user := signedIn.field(t, "session", "access_token"), signedIn.field(t, "session", "user", "id")
	keys := filepath.Join(b.dir, "keys.json")
	must(t, os.WriteFile(keys, b.call(200, "GET", "/.well-known/jwks.json", "").body, 0o600))
	none := filepath.Join(b.dir, "none.json")
	must(t, os.WriteFile(none, []byte(`{"keys":[]}`), 0o600))
	must(t, b.process.Process.Signal(syscall.SIGTERM))

	source := filepath.Join(b.dir, "check.go")
	must(t, os.WriteFile(source, []byte(sample(t, "field", "go-example")), 0o600))
	check := filepath.Join(b.dir, "check")
	build := exec.Command("go", "build", "-o", check, source)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the example in Go does not build: %s", out)
	}
	script := filepath.Join(b.dir, "check.mjs")
	must(t, os.WriteFile(script, []byte(sample(t, "field", "node-example")), 0o600))

	for name, command := range map[string][]string{"Go": {check}, "Node": {"node", script}} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skipf("SKIPPED: %v", err)
			}
			run := func(keys, app, token string) (string, error) {
				c := exec.Command(command[0], append(command[1:], keys, app)...)
				c.Stdin = strings.NewReader(token + "\n")
				out, err := c.Output()
				return strings.TrimSpace(string(out)), err
			}
			if got, err := run(keys, "demo", token); err != nil || got != user {
				t.Errorf("a good token: %q, %v; want %s", got, err, user)
			}
			part := strings.Split(token, ".")
			other := "A"
			if strings.HasPrefix(part[2], other) {
				other = "B"
			}
			for what, bad := range map[string][3]string{
				"another app":       {keys, "shop", token},
				"another key set":   {none, "demo", token},
				"a wrong signature": {keys, "demo", part[0] + "." + part[1] + "." + other + part[2][1:]},
				"no signature":      {keys, "demo", part[0] + "." + part[1] + "."},
				"other claims":      {keys, "demo", part[0] + ".eyJpc3MiOiJkZW1vIn0." + part[2]},
				"no algorithm":      {keys, "demo", "eyJhbGciOiJub25lIn0." + part[1] + "."},
				"nothing":           {keys, "demo", ""},
			} {
				if got, err := run(bad[0], bad[1], bad[2]); err == nil || got != "" {
					t.Errorf("%s is taken for %q", what, got)
				}
			}
		})
	}
}

// alarm is what Alertmanager and Grafana have to tell, as far as the guide uses
// it.
type alarm struct {
	Status            string
	CommonLabels      map[string]string
	CommonAnnotations map[string]string
	Vars              map[string]string
}

var cellar = alarm{
	Status: "firing", CommonLabels: map[string]string{"alertname": "Cellar"},
	CommonAnnotations: map[string]string{"summary": "Water: 3 cm"}, Vars: map[string]string{"to": somebody},
}

// TestAlarms sends what the guide has other programs send: their own shapes,
// made from the samples of the guide as those programs make them.
func TestAlarms(t *testing.T) {
	t.Parallel()
	b := newDemo(t)

	t.Run("HomeAssistant", func(t *testing.T) {
		settings := map[string]string{}
		for _, line := range regexp.MustCompile(`(?m)^ +-? ?(\w+): (\S+)`).FindAllStringSubmatch(sample(t, "alerts", "home-assistant-example"), -1) {
			settings[line[1]] = line[2]
		}
		if settings["platform"] != "rest" || settings["method"] != "POST_JSON" {
			t.Fatalf("the sample has %v", settings)
		}
		_, path, _ := strings.Cut(strings.TrimPrefix(settings["resource"], "http://"), "/")
		body, err := json.Marshal(map[string]string{settings["message_param_name"]: "Water in the cellar.", settings["target_param_name"]: somebody})
		must(t, err)
		b.call(202, "POST", "/"+path, string(body))
		b.texted("Water in the cellar.")
	})

	t.Run("Grafana", func(t *testing.T) {
		var body strings.Builder
		functions := template.FuncMap{"coll": func() dictionaries { return dictionaries{} }, "data": func() encodings { return encodings{} }}
		must(t, template.Must(template.New("").Funcs(functions).Parse(sample(t, "alerts", "grafana-example"))).Execute(&body, cellar))
		b.call(202, "POST", "/v1/messages", body.String())
		b.texted("firing Cellar")
	})

	t.Run("Alertmanager", func(t *testing.T) {
		_, payload, ok := strings.Cut(sample(t, "alerts", "alertmanager-example"), "payload:\n")
		if !ok {
			t.Fatal("the sample has no payload")
		}
		fields := map[string]string{}
		functions := template.FuncMap{
			"toUpper": strings.ToUpper,
			"reReplaceAll": func(pattern, with, text string) string {
				return regexp.MustCompile(pattern).ReplaceAllString(text, with)
			},
		}
		for _, line := range regexp.MustCompile(`(?m)^ +(\w+): ["'](.*)["']$`).FindAllStringSubmatch(payload, -1) {
			var value strings.Builder
			must(t, template.Must(template.New("").Funcs(functions).Parse(line[2])).Execute(&value, cellar))
			// What it fills in is read once more as YAML: this must stay a string.
			if plain := value.String(); strings.Contains(plain, ":") || !regexp.MustCompile(`^(\+[0-9]+ [0-9]|[A-Z])`).MatchString(plain) {
				t.Errorf("%s: %q would be read as something else than a string", line[1], plain)
			}
			fields[line[1]] = value.String()
		}
		body, err := json.Marshal(fields)
		must(t, err)
		b.call(202, "POST", "/v1/messages", string(body))
		b.texted("FIRING Cellar Water  3 cm")
	})

	t.Run("Bridge", func(t *testing.T) {
		if _, err := exec.LookPath("python3"); err != nil {
			t.Skipf("SKIPPED: %v", err)
		}
		script := filepath.Join(b.dir, "bridge.py")
		must(t, os.WriteFile(script, []byte(sample(t, "alerts", "bridge-example")), 0o600))
		_, port, err := net.SplitHostPort(freePort(t))
		must(t, err)
		listen := "127.0.0.1:" + port // the sample listens there and nowhere else
		bridge := exec.Command("python3", script)
		bridge.Env = append(os.Environ(), "BOX="+b.base, "SK="+demoSecret, "TO="+somebody, "PORT="+port)
		must(t, bridge.Start())
		t.Cleanup(func() { bridge.Process.Kill(); bridge.Wait() })
		const alert = `{"version":"4","status":"resolved","receiver":"sms","alerts":[],"commonLabels":{"alertname":"Attic"},"commonAnnotations":{"summary":"Dry: again"}}`
		b.eventually("bridged", 10*time.Second, func() bool {
			r, err := b.client.Post("http://"+listen+"/", "application/json", strings.NewReader(alert))
			if err != nil {
				return false // it is still starting
			}
			r.Body.Close()
			if r.StatusCode != 202 {
				t.Fatalf("the bridge answers %d", r.StatusCode)
			}
			return true
		})
		b.texted("RESOLVED Attic Dry: again")
	})
}

// dictionaries and encodings are the functions of Grafana that the guide uses.
type dictionaries struct{}

func (dictionaries) Dict(pairs ...any) map[string]any {
	all := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		all[pairs[i].(string)] = pairs[i+1]
	}
	return all
}

type encodings struct{}

func (encodings) ToJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}
