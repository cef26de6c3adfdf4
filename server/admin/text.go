package admin

import (
	"slices"
	"strings"

	"github.com/pinferry/pinferry/otp/text"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// PreviewBody is the body of POST /admin/texts/preview. No Text is the one that
// the app has.
type PreviewBody struct {
	App    string `json:"app"`
	Locale string `json:"locale"`
	Text   string `json:"text"`
}

// previewWire is what would be sent, with zeros for the code.
type previewWire struct {
	Preview      string   `json:"preview"`
	Text         string   `json:"text"`
	Segments     int      `json:"segments"`
	Encoding     string   `json:"encoding"` // "gsm7" or "ucs2"
	Units        int      `json:"units"`
	UnitsLeft    int      `json:"units_left"` // below 0: as many too many
	Placeholders []string `json:"placeholders"`
	TOML         string   `json:"toml"`              // for the config file
	Problem      string   `json:"problem,omitempty"` // why the config file would not take it
}

// The room of one SMS, in characters of the GSM alphabet and in UTF-16 units.
const (
	roomNarrow = 160
	roomWide   = 70
)

// Preview answers POST /admin/texts/preview. It changes nothing: texts stand in
// the config file.
func (o *Console) Preview(c *web.Call) error {
	var body PreviewBody
	if err := c.Decode(&body); err != nil {
		return err
	}
	caller, err := o.callerFor(c, body.App)
	if err != nil {
		return err
	}
	if body.Locale == "" {
		body.Locale = text.Match("")
	}
	if !slices.Contains(text.Locales(), body.Locale) {
		return web.Invalid("locale must be one of " + strings.Join(text.Locales(), ", ") + ".")
	}
	app := caller.App
	w := previewWire{Text: body.Text}
	for _, name := range append([]string{"code", "app", "minutes", "domain", "hash"}, app.Options...) {
		w.Placeholders = append(w.Placeholders, "{"+name+"}")
	}
	template := app.Text(body.Locale)
	if body.Text != "" {
		if template, err = text.Parse(body.Text, app.Options...); err != nil {
			w.Problem = sentence(err)
			return c.JSON(fasthttp.StatusOK, w)
		}
	}
	widest := app.Widest()
	if err := text.CheckSegments(template, widest, o.actions.Segments); err != nil {
		w.Problem = sentence(err)
	}
	values := text.Values{Code: strings.Repeat("0", app.CodeLength), App: app.Name, Minutes: widest.Minutes, Options: map[string]string{}}
	for _, name := range app.Options {
		values.Options[name] = name
	}
	w.Text, w.Preview = template.Source(), text.Message(template, values, app.WebDomain, app.AndroidHash)
	w.Segments, w.Encoding = o.actions.Segments(w.Preview), "gsm7"
	units, wide := o.actions.Units(w.Preview)
	room := roomNarrow
	if wide {
		w.Encoding, room = "ucs2", roomWide
	}
	w.Units, w.UnitsLeft = units, room-units
	w.TOML = "texts." + body.Locale + " = " + tomlString(w.Text)
	return c.JSON(fasthttp.StatusOK, w)
}

// tomlString writes a text as a basic string of TOML.
func tomlString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
