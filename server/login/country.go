package login

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/otp/phone"
	"github.com/pinferry/pinferry/server/web"
)

// country is one that an app may send to.
type country struct {
	Region  string `json:"region"`            // ISO 3166, "CH"
	Calling uint16 `json:"calling"`           // 41
	Example string `json:"example,omitempty"` // a mobile number as people there write it
}

// countriesOf returns the countries of an app in the order of their codes.
func countriesOf(app *otp.App) []country {
	regions := slices.Clone(app.Countries)
	if slices.Contains(regions, "*") {
		regions = phone.Regions()
	}
	slices.Sort(regions)
	all := make([]country, 0, len(regions))
	for _, region := range slices.Compact(regions) {
		all = append(all, country{region, phone.Calling(region), phone.Example(region)})
	}
	return all
}

// regionOf guesses the country of whoever looks at the page, by the region of
// the languages that are asked for; "" if they tell none. The first country of
// the app's list is the one that it is at home in.
func regionOf(c *web.Call, app *otp.App, locale string) string {
	everywhere := slices.Contains(app.Countries, "*")
	for tag := range strings.SplitSeq(locale+","+c.Header("Accept-Language"), ",") {
		tag, _, _ = strings.Cut(tag, ";")
		_, region, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(tag), "_", "-"), "-")
		region = strings.ToUpper(region)
		if phone.Country(region) && (everywhere || slices.Contains(app.Countries, region)) {
			return region
		}
	}
	if everywhere {
		return ""
	}
	return app.Countries[0]
}

// number writes the fields of a phone number, or where the app takes one of an
// email address, with what was typed before.
func (p *page) number(all []country, region string, n notice) {
	w := p.words
	i := slices.IndexFunc(all, func(one country) bool { return one.Region == region })
	example := ""
	if i >= 0 {
		example = all[i].Example
	}
	if len(all) == 1 {
		p.Raw(`<input type="hidden" name="region"`).Attr("value", region).Raw(`>`)
	} else {
		p.Raw(`<label for="region">`).Text(w.Country).Raw(`</label><select id="region" name="region" autocomplete="country">`)
		if i < 0 {
			p.Raw(`<option value="">+</option>`)
		}
		for j, one := range all {
			p.Raw(`<option`).Attr("value", one.Region).Attr("data-example", one.Example).Flag("selected", i == j)
			p.Raw(`>`).Text(one.Region + " +" + strconv.Itoa(int(one.Calling))).Raw(`</option>`)
		}
		p.Raw(`</select>`)
	}
	p.Raw(`<label for="phone">`).Text(p.of(w.Phone, w.Either)).Raw(`</label><input id="phone" name="phone"`)
	if p.app.Email {
		p.Raw(` type="text" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="254"`)
	} else {
		p.Raw(` type="tel" autocomplete="tel" maxlength="64"`)
	}
	p.Raw(` required aria-describedby="phone-hint"`)
	p.Attr("value", n.Typed)
	p.focus(n)
	p.Raw(`><p id="phone-hint" class="hint"><span id="example"`).Attr("data-words", w.Example).Raw(`>`)
	if example != "" {
		p.Text(fill(w.Example, "{example}", example))
	}
	p.Raw(`</span>`)
	if len(all) > 1 {
		p.Raw(` `).Text(w.Abroad)
	}
	p.Raw(`</p>`)
}

// focus ends the attributes of the field that the cursor is in. If a notice is
// about what stands in it, it is marked.
func (p *page) focus(n notice) {
	p.Flag("autofocus", true)
	switch n.Key {
	case noticeWrong, noticeEmpty, noticeEmail, string(otp.InvalidPhone), string(otp.CountryRefused), string(otp.NumberRefused):
		p.Raw(` aria-invalid="true" aria-errormessage="error"`)
	}
}
