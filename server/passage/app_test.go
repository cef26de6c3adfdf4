package passage_test

import (
	"strings"
	"testing"
)

func TestApp(t *testing.T) {
	for name, path := range map[string]string{"app": "/v1/apps/demo", "appslash": "/v1/apps/" + legacy + "/", "bareapp": "/v1/apps/bare"} {
		d := open(t)
		r := request{method: "GET", path: path}
		a := d.do(r)
		d.want(a, 200)
		golden(t, name, r, a)
		if strings.Contains(a.Body, "null") {
			t.Errorf("%s: something is null, and clients walk it: %s", name, a.Body)
		}
	}
}

func TestKeySet(t *testing.T) {
	d := open(t)
	r := request{method: "GET", path: "/v1/apps/demo/.well-known/jwks.json"}
	a := d.do(r)
	d.want(a, 200, "KeySet")
	golden(t, "jwks", r, a)
	if kept := a.Header("Cache-Control"); kept != "public, max-age=300" {
		t.Errorf("Cache-Control: %s", kept)
	}
}

// TestConfiguration also shows that the Host of the request leads nobody to
// other keys.
func TestConfiguration(t *testing.T) {
	for name, app := range map[string]string{"configuration": "demo", "bareconfiguration": "bare"} {
		d := open(t)
		r := request{method: "GET", path: "/v1/apps/" + app + "/.well-known/openid-configuration", headers: map[string]string{
			"Origin": "https://attacker.example", "X-Forwarded-Host": "attacker.example",
		}}
		a := d.do(r)
		d.want(a, 200)
		golden(t, name, r, a)
		if strings.Contains(a.Body, "attacker") {
			t.Errorf("got %s", a.Body)
		}
	}
}
