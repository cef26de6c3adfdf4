package relay_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pinferry/pinferry/modem/relay"
)

func TestCheck(t *testing.T) {
	twilio := func(change func(*relay.Config)) relay.Config {
		c := relay.Config{Kind: "twilio", User: "AC1", SecretFile: "/x", From: "Shop"}
		change(&c)
		return c
	}
	for name, test := range map[string]struct {
		config relay.Config
		want   string // part of the error, "" for none
	}{
		"Fine":           {twilio(func(*relay.Config) {}), ""},
		"NoKind":         {relay.Config{}, `kind = ""`},
		"UnknownKind":    {relay.Config{Kind: "twillio"}, "use one of 46elks"},
		"NoSecret":       {twilio(func(c *relay.Config) { c.SecretFile = "" }), "secret_file is missing"},
		"NoUser":         {twilio(func(c *relay.Config) { c.User = "" }), "user is missing"},
		"NoFrom":         {twilio(func(c *relay.Config) { c.From = "" }), "from is missing"},
		"ForeignKey":     {twilio(func(c *relay.Config) { c.Template = "x" }), "template"},
		"ForeignBody":    {twilio(func(c *relay.Config) { c.Webhook.Body = "x" }), "body"},
		"PlainURL":       {twilio(func(c *relay.Config) { c.URL = "http://api.twilio.com" }), "https"},
		"PlainAllowed":   {twilio(func(c *relay.Config) { c.URL, c.Insecure = "http://api.twilio.com", true }), ""},
		"OtherScheme":    {twilio(func(c *relay.Config) { c.URL, c.Insecure = "ftp://api.twilio.com", true }), "url"},
		"ShortTimeout":   {twilio(func(c *relay.Config) { c.Timeout = time.Millisecond }), "timeout"},
		"LongTimeout":    {twilio(func(c *relay.Config) { c.Timeout = time.Minute }), "timeout"},
		"Signed":         {twilio(func(c *relay.Config) { c.PublicURL = "https://codes.example.com" }), ""},
		"PublicPath":     {twilio(func(c *relay.Config) { c.PublicURL = "https://codes.example.com/x" }), "public_url"},
		"PublicPlain":    {twilio(func(c *relay.Config) { c.PublicURL = "http://codes.example.com" }), "public_url"},
		"Lonely":         {twilio(func(c *relay.Config) { c.CallbackFile = "/x" }), "public_url"},
		"NoURL":          {relay.Config{Kind: "pinferry", SecretFile: "/x"}, "url is missing"},
		"NoToken":        {relay.Config{Kind: "46elks", User: "u", SecretFile: "/x", From: "Shop", PublicURL: "https://a.example"}, "callback_file is missing"},
		"NoReports":      {relay.Config{Kind: "pinferry", URL: "https://b.example", SecretFile: "/x", PublicURL: "https://a.example", CallbackFile: "/x"}, "sends no reports"},
		"MailURL":        {relay.Config{Kind: "smtp", URL: "https://mail.example", From: "a@b.example"}, "smtp://"},
		"MailFrom":       {relay.Config{Kind: "smtp", URL: "smtp://mail.example", From: "shop"}, "from"},
		"MailHalfLogin":  {relay.Config{Kind: "smtp", URL: "smtp://mail.example", From: "a@b.example", User: "u"}, "give both"},
		"MailNoLogin":    {relay.Config{Kind: "smtp", URL: "smtp://mail.example:25", From: "a@b.example"}, ""},
		"HookNoSuccess":  {relay.Config{Kind: "webhook", URL: "https://a.example"}, "success_field is missing"},
		"WhatsAppNoName": {relay.Config{Kind: "whatsapp", User: "1", SecretFile: "/x", Language: "de"}, "template is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.config.Check()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// A token that could be guessed, or that no path can hold, proves nothing.
func TestTokens(t *testing.T) {
	for token, want := range map[string]bool{pathToken: true, "short": false, "path/token-0123456789": false, "path.token?0123456789": false} {
		_, err := relay.New("backup", relay.Config{
			Kind: "46elks", User: "u", From: "Shop", SecretFile: secretFile(t, key),
			PublicURL: "https://codes.example.com", CallbackFile: secretFile(t, token), Now: now,
		})
		if (err == nil) != want || err != nil && strings.Contains(err.Error(), token) {
			t.Errorf("%q: %v", token, err)
		}
	}
}

// A secret comes from a file that only its owner reads, and no error tells it.
func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	write := func(name, secret string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(secret), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask says
			t.Fatal(err)
		}
		return path
	}
	for name, test := range map[string]struct {
		path, want string
	}{
		"Fine":        {write("fine", "SECRET\n", 0o600), ""},
		"ReadOnly":    {write("readonly", "SECRET", 0o400), ""},
		"Group":       {write("group", "SECRET", 0o640), "chmod 600"},
		"World":       {write("world", "SECRET", 0o604), "chmod 600"},
		"Empty":       {write("empty", "\n", 0o600), "one line"},
		"TwoLines":    {write("two", "SECRET\nSECRET", 0o600), "one line"},
		"Long":        {write("long", strings.Repeat("SECRET", 1000), 0o600), "4 KiB"},
		"Unprintable": {write("bytes", "SECRET\x01", 0o600), "a header cannot carry"},
		"Missing":     {filepath.Join(dir, "missing"), "no such file"},
		"Folder":      {dir, "secret_file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := relay.New("backup", relay.Config{Kind: "clickatell", SecretFile: test.path, Now: now})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "SECRET") {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
}
