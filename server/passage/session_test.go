package passage_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/passage"
	"github.com/pinferry/pinferry/server/token"
	"github.com/pinferry/pinferry/server/web/webtest"
)

func TestRefresh(t *testing.T) {
	for _, path := range []string{"/v1/apps/demo/tokens", "/v1/apps/demo/tokens/"} {
		d := open(t)
		r := request{method: "POST", path: path, body: `{"refresh_token":"old"}`}
		a := d.do(r)
		d.want(a, 201, "Refresh")
		if d.core.Token != "old" {
			t.Errorf("%q was shown", d.core.Token)
		}
		golden(t, "refresh"+map[bool]string{true: "slash"}[strings.HasSuffix(path, "/")], r, a)
	}
}

func TestRefreshRefuses(t *testing.T) {
	d := open(t)
	d.core.Err = &otp.Error{Code: otp.Unauthorized, Detail: "what the mint says"}
	r := request{method: "POST", path: "/v1/apps/demo/tokens", body: `{"refresh_token":"old"}`}
	a := d.do(r)
	d.want(a, 401, "Refresh")
	golden(t, "deadrefresh", r, a)

	d = open(t)
	d.want(d.do(request{method: "POST", path: "/v1/apps/demo/tokens", body: `{}`}), 400)
}

func TestRevoke(t *testing.T) {
	for _, path := range []string{"/v1/apps/demo/tokens?refresh_token=a%2Bb", "/v1/apps/demo/tokens/?refresh_token=a%2Bb"} {
		d := open(t)
		r := request{method: "DELETE", path: path}
		a := d.do(r)
		d.want(a, 200, "Revoke")
		if a.Body != "" || d.core.Token != "a+b" {
			t.Errorf("got %q for %q", a.Body, d.core.Token)
		}
		golden(t, "revoke"+map[bool]string{true: "slash"}[strings.Contains(path, "/?")], r, a)
	}
}

func TestRevokeRefuses(t *testing.T) {
	d := open(t)
	d.core.Err = &otp.Error{Code: otp.Unauthorized, Detail: "what the mint says"}
	r := request{method: "DELETE", path: "/v1/apps/demo/tokens?refresh_token=forged"}
	a := d.do(r)
	d.want(a, 400, "Revoke")
	golden(t, "forgedrefresh", r, a)

	d = open(t)
	d.want(d.do(request{method: "DELETE", path: "/v1/apps/demo/tokens"}), 400)
}

// TestTokens reads the tokens that a real mint makes for this door, with the key
// from the door's own key set.
func TestTokens(t *testing.T) {
	k, apps := webtest.NewCore("passage", "demo", phone), newApps(t)
	mint := webtest.OpenMint(t, k, apps.All()[:2]...)
	d := &door{passage.New(k, k, mint, apps), k, t}
	for app, audience := range map[string][]string{"demo": {"https://shop.example.com", "demo"}, legacy: {"https://shop.example.com", legacy}, "bare": {"bare"}} {
		k.Grant.Session.As = app
		k.Grant.Session.App = map[bool]string{true: "bare", false: "demo"}[app == "bare"]
		var result struct {
			Result struct {
				Access  string `json:"auth_token"`
				Refresh string `json:"refresh_token"`
				Expires int64  `json:"refresh_token_expiration"`
			} `json:"auth_result"`
		}
		webtest.Decode(t, d.do(request{method: "POST", path: "/v1/apps/" + app + "/otp/activate", body: right}).Body, &result)
		if want := webtest.Moment.Add(otp.RefreshLife).Std().Unix(); result.Result.Refresh == "" || result.Result.Expires != want {
			t.Errorf("%s: got %+v, want it to expire at %d", app, result, want)
		}
		var keys token.KeySet
		webtest.Decode(t, d.do(request{method: "GET", path: "/v1/apps/" + app + "/.well-known/jwks.json"}).Body, &keys)
		head, claims := webtest.Read(t, result.Result.Access, keys)
		if head["alg"] != "RS256" || head["typ"] != "JWT" {
			t.Errorf("%s: got %v", app, head)
		}
		if claims["iss"] != app || claims["sub"] != userID || claims["exp"] == nil {
			t.Errorf("%s: got %v", app, claims)
		}
		// A list, be it of one: an SDK does not look into a string.
		if got := list(t, claims["aud"]); !slices.Equal(got, audience) {
			t.Errorf("%s: aud is %v, want %v", app, got, audience)
		}
	}
}

// list returns a claim that is one string or a list of them.
func list(t *testing.T, claim any) (all []string) {
	t.Helper()
	many, ok := claim.([]any)
	if !ok {
		t.Fatalf("%v is no list", claim)
	}
	for _, one := range many {
		all = append(all, one.(string))
	}
	return all
}
