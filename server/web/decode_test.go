package web_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/server/web"
)

type order struct {
	To      string         `json:"to"`
	Channel string         `json:"channel"`
	Count   int            `json:"count"`
	Urgent  bool           `json:"urgent"`
	Notes   map[string]any `json:"notes"`
}

func TestDecodeRefuses(t *testing.T) {
	for name, test := range map[string]struct{ body, detail string }{
		"Empty":              {"", "empty"},
		"Blank":              {" \n", "valid JSON"},
		"Null":               {"null", "JSON object"},
		"Array":              {`[]`, "JSON object"},
		"String":             {`"to"`, "JSON object"},
		"NearMember":         {`{"too":"x"}`, `"too" is not known here; is "to" meant?`},
		"NearMemberCase":     {`{"TO":"x"}`, `"TO" is not known`},
		"NearMemberSwap":     {`{"chanel":"x"}`, `is "channel" meant?`},
		"FarMember":          {`{"phone_number":"x"}`, "known are to, channel, count, urgent, notes"},
		"MemberOfDigits":     {`{"123456":"x"}`, "in question is not known"},
		"MemberLikeANumber":  {`{"+41791234567":"x"}`, "in question is not known"},
		"MemberTooLong":      {`{"` + strings.Repeat("a", 500) + `":1}`, "in question is not known"},
		"Proto":              {`{"__proto__":{}}`, `"__proto__" is not known`},
		"Twice":              {`{"to":"a","to":"b"}`, `"to" stands twice`},
		"TwiceEscaped":       {`{"to":"a","t\u006f":"b"}`, `"to" stands twice`},
		"TwiceInside":        {`{"notes":{"a":1,"a":2}}`, `"a" stands twice`},
		"NumberForString":    {`{"to":41791234567}`, `"to" must be a string`},
		"StringForNumber":    {`{"count":"7"}`, `"count" must be a whole number`},
		"FractionForNumber":  {`{"count":1.5}`, `"count" must be a whole number`},
		"HugeNumber":         {`{"count":1e999}`, `"count" must be a whole number`},
		"NumberForBool":      {`{"urgent":1}`, `"urgent" must be true or false`},
		"ArrayForObject":     {`{"notes":[1]}`, `"notes" must be an object`},
		"Trailing":           {`{"to":"a"}{"to":"b"}`, "mistake at byte"},
		"TrailingText":       {`{"to":"a"} x`, "mistake at byte"},
		"Cut":                {`{"to":"a`, "mistake at byte"},
		"NaN":                {`{"count":NaN}`, "mistake at byte"},
		"SingleQuotes":       {`{'to':'a'}`, "mistake at byte"},
		"Comment":            {`{"to":"a"/**/}`, "mistake at byte"},
		"ByteOrderMark":      {"\xef\xbb\xbf{}", "mistake at byte"},
		"UTF16":              {"{\x00\"\x00t\x00o\x00", "mistake at byte"},
		"InvalidUTF8":        {"{\"to\":\"\xff\"}", "mistake at byte"},
		"LoneSurrogate":      {`{"to":"\ud800"}`, "mistake at byte"},
		"NUL":                {"{\"to\":\"\x00\"}", "mistake at byte"},
		"Deep":               {`{"notes":` + strings.Repeat("[", 100000), "deeper than 16"},
		"DeepObjects":        {strings.Repeat(`{"notes":`, 17) + "1" + strings.Repeat("}", 17), "deeper than 16"},
		"DeepAfterBrackets":  {`{"to":"]]]]]]]]","notes":{"a":` + strings.Repeat("[", 16), "deeper than 16"},
		"DeepBehindAnEscape": {`{"to":"\"","notes":{"a":` + strings.Repeat("[", 16), "deeper than 16"},
	} {
		t.Run(name, func(t *testing.T) {
			var o order
			err := web.Decode([]byte(test.body), &o)
			var p *web.Problem
			if !errors.As(err, &p) || p.Status != 400 {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(p.Detail, test.detail) {
				t.Errorf("got %q, want it to say %q", p.Detail, test.detail)
			}
		})
	}
}

func TestDecodeTakes(t *testing.T) {
	for name, body := range map[string]string{
		"Object":         `{"to":"+41791234567","count":3,"urgent":true,"notes":{"a":[1,{"b":null}]}}`,
		"Space":          " \r\n\t{ \"to\" : \"+41791234567\" } \n",
		"NullMember":     `{"to":"+41791234567","channel":null}`,
		"Depth16":        `{"to":"+41791234567","notes":{"a":` + strings.Repeat("[", 14) + strings.Repeat("]", 14) + `}}`,
		"BracketsInText": `{"to":"+41791234567","channel":"` + strings.Repeat("[{", 50) + `"}`,
		"Escapes":        `{"to":"\u002b41791234567","channel":"\"\\"}`,
	} {
		t.Run(name, func(t *testing.T) {
			var o order
			if err := web.Decode([]byte(body), &o); err != nil {
				t.Fatal(err)
			}
			if o.To != "+41791234567" {
				t.Errorf("got %+v", o)
			}
		})
	}
}

// TestLoose sends what vendors' clients send, and what nobody may.
func TestLoose(t *testing.T) {
	for name, test := range map[string]struct {
		body, kind string
		to         string
		detail     string // of the refusal
	}{
		"Object":          {`{"to":"x"}`, "application/json", "x", ""},
		"PlainText":       {`{"to":"x"}`, "text/plain;charset=UTF-8", "x", ""},
		"NoType":          {`{"to":"x"}`, "", "x", ""},
		"UnknownMember":   {`{"phone":{"a":[1]},"to":"x","TO":"y"}`, "", "x", ""},
		"NoBody":          {"", "", "", ""},
		"BlankBody":       {" \r\n", "application/json", "", ""},
		"Null":            {"null", "", "", "JSON object"},
		"Array":           {"[]", "", "", "JSON object"},
		"Twice":           {`{"to":"a","to":"b"}`, "", "", `"to" stands twice`},
		"UnknownTwice":    {`{"extra":1,"extra":2}`, "", "", `"extra" stands twice`},
		"NumberForString": {`{"to":493827}`, "", "", `"to" must be a string`},
		"InvalidUTF8":     {"{\"x\":\"\xff\"}", "", "", "mistake at byte"},
		"Deep":            {`{"x":` + strings.Repeat("[", 16), "", "", "deeper than 16"},
		"Form":            {"to=x", "application/x-www-form-urlencoded", "", "mistake at byte"},
	} {
		t.Run(name, func(t *testing.T) {
			var o order
			err := newCall(test.body, test.kind).Loose(&o)
			var p *web.Problem
			if test.detail == "" {
				if err != nil || o.To != test.to {
					t.Errorf("got %+v, %v", o, err)
				}
			} else if !errors.As(err, &p) || p.Status != 400 || !strings.Contains(p.Detail, test.detail) || strings.Contains(p.Detail, "493827") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDecodeRepeatsNoValue(t *testing.T) {
	const code, phone = "493827", "+41791234567"
	for _, body := range []string{
		`{"count":"` + code + `"}`, `{"urgent":` + code + `}`, `{"notes":"` + phone + `"}`, `{"` + code + `":1}`,
		`{"` + phone + `":1}`, `{"to":"` + code + `" x`, `{"notes":{"` + code + `":1,"` + code + `":2}}`, code, `"` + phone + `"`,
		`{"x` + code + `":1}`,
	} {
		var o order
		err := web.Decode([]byte(body), &o)
		if err == nil {
			t.Errorf("%s is taken", body)
		} else if strings.Contains(err.Error(), code) || strings.Contains(err.Error(), phone) {
			t.Errorf("%s: the answer repeats a value: %v", body, err)
		}
	}
}

func TestContentType(t *testing.T) {
	for kind, ok := range map[string]bool{
		"application/json": true, "Application/JSON": true, "application/json; charset=utf-8": true,
		`application/json;charset="UTF-8"`: true, "application/json ; charset=UTF-8": true,
		"": false, "text/plain": false, "application/json; charset=latin-1": false, "application/jsonp": false,
		"application/x-www-form-urlencoded": false, "text/plain; application/json": false, "application/json, text/plain": false,
		"multipart/form-data; boundary=x": false, "application/json; boundary=x": false,
	} {
		var o order
		err := newCall(`{"to":"x"}`, kind).Decode(&o)
		var p *web.Problem
		if ok != (err == nil) || err != nil && (!errors.As(err, &p) || p.Status != 415) {
			t.Errorf("%q: got %v", kind, err)
		}
	}
}

func TestDecodedOutlivesTheRequest(t *testing.T) {
	c := newCall(`{"to":"+41791234567"}`, "application/json")
	var o order
	if err := c.Decode(&o); err != nil {
		t.Fatal(err)
	}
	body := c.Body()
	for i := range c.HTTP.PostBody() {
		c.HTTP.PostBody()[i] = 'x'
	}
	if o.To != "+41791234567" || string(body) != `{"to":"+41791234567"}` {
		t.Errorf("the next request shows through: %q %q", o.To, body)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"to":"x","count":1}`, `{"notes":{"a":[{}]}}`, `{"to":"a","to":"b"}`, "\xff", `{"tu":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var o order
		err := web.Decode(body, &o)
		if err == nil {
			var loose order
			if err := newCall(string(body), "").Loose(&loose); err != nil || loose.To != o.To || loose.Count != o.Count {
				t.Errorf("read loosely it is another: %+v, %v", loose, err)
			}
			return
		}
		var p *web.Problem
		if !errors.As(err, &p) || p.Status != 400 || p.Detail == "" || len(p.Detail) > 200 {
			t.Errorf("got %v", err)
		}
	})
}
