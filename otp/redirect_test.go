package otp_test

import (
	"strings"
	"testing"

	"github.com/pinferry/pinferry/otp"
)

// Only what the config lists is ever returned, byte for byte.
func TestRedirectIsOneThatIsListed(t *testing.T) {
	app := demoApp("demo")
	app.Redirects = []string{"https://good.example/", "https://good.example/docs", "http://localhost:3000/cb?a=1"}
	apps, err := otp.NewApps([]otp.App{app}, segments)
	must(t, err)
	one := apps.All()[0]
	for _, place := range app.Redirects {
		if got := one.Redirect(place); got != place {
			t.Errorf("%q becomes %q", place, got)
		}
	}
	for _, evil := range []string{
		"", "https://good.example.evil.tld", "https://good.example@evil.tld", `https://evil.tld\@good.example`, "//evil.tld",
		"https:evil.tld", `/\evil.tld`, "javascript:alert(1)", "data:text/html,x", "https://good.example/docss", "https://good.example/docs/",
		"https://good.example:444/", "http://good.example/", "https://good.example/%0d%0aSet-Cookie:a", "https://good.example/\t",
		"https://good.example/\n", "https://GOOD.example/", "https://ｇood.example/", "https://good.example/" + strings.Repeat("a", 4096),
	} {
		if got := one.Redirect(evil); got != app.Redirects[0] {
			t.Errorf("%q becomes %q", evil, got)
		}
	}
	none := demoApp("none")
	if got := none.Redirect("https://good.example/"); got != "" {
		t.Errorf("an app without redirects sends people to %q", got)
	}
}

func TestPlacesOfTheConfig(t *testing.T) {
	for place, good := range map[string]bool{
		"https://good.example": true, "https://good.example:8443": true, "http://localhost:3000": true, "http://127.0.0.1": true,
		"": false, "*": false, "good.example": false, "//good.example": false, "https:good.example": false, "https://": false,
		"http://good.example": false, "ftp://good.example": false, "javascript:alert(1)": false, "https://a@good.example": false,
		"https://good.example/#": false, "https://good.example#x": false, "https://göod.example": false, "https://good.example\\": false,
		"https://good.example/a b": false, "https://good.example/\\a": false, "https://good..example": false, "https://good.example:": false, " https://good.example": false, "http://localhost.evil.tld": false,
	} {
		for _, key := range []string{"redirects", "origins"} {
			app := demoApp("demo")
			if key == "origins" {
				app.Origins = []string{place}
			} else {
				app.Redirects = []string{place}
			}
			_, err := otp.NewApps([]otp.App{app}, segments)
			if (err == nil) != good || err != nil && !strings.Contains(err.Error(), key) {
				t.Errorf("%s %q: %v", key, place, err)
			}
		}
	}
	app := demoApp("demo")
	app.Redirects = []string{"https://good.example?a@b", "https://good.example/a?b=c&d=%20"}
	must(t, second(otp.NewApps([]otp.App{app}, segments)))
	for _, origin := range []string{"https://good.example/", "https://good.example/a", "https://good.example?a", "https://Good.example"} {
		app.Origins = []string{origin}
		if _, err := otp.NewApps([]otp.App{app}, segments); err == nil {
			t.Errorf("no browser sends the origin %q, and it is accepted", origin)
		}
	}
}
