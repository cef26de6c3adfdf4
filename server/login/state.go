package login

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"

	"github.com/go-json-experiment/json"
	"github.com/pinferry/pinferry/otp"
	"github.com/pinferry/pinferry/server/web"
	"github.com/valyala/fasthttp"
)

// state is what the steps of a sign-in tell each other. It travels in a cookie
// that nobody else can read or make, so the box holds nothing for people who
// never come back. It is no proof of anything: whoever shows an old one gets as
// far as the verification in it still lives.
type state struct {
	// Nonce names the browser. Forms carry it too, so that no page of another
	// site can send one.
	Nonce []byte `json:"n"`
	// Notice is said on the next page, once.
	Notice notice `json:"m,omitzero"`

	// What follows belongs to a verification that has begun.

	Request      request `json:"r,omitzero"`
	Verification string  `json:"v,omitempty"`
	To           string  `json:"t,omitempty"` // in international form, or an email address
	// TextThis and TextTo are of the channel inbound: what to text, and where to,
	// "" if the box does not know its number.
	TextThis string `json:"x,omitempty"`
	TextTo   string `json:"y,omitempty"`
}

// notice is something that went wrong, in a word that [words] has a sentence
// for.
type notice struct {
	Key  string `json:"k"`
	Wait int    `json:"w,omitzero"` // seconds, 0 if waiting does not help
	// Spent says that no more tries are to be had at this verification, but maybe
	// at another.
	Spent bool `json:"s,omitzero"`
	// Typed and Region are the number as it was typed, to be mended.
	Typed  string `json:"t,omitempty"`
	Region string `json:"r,omitempty"`
}

const nonceSize = 16

// maxCookie bounds what is unsealed, in bytes of base64. A browser keeps no
// longer cookie.
const maxCookie = 4 << 10

// newCookies returns what seals the cookies.
func newCookies(seal func(string, ...[]byte) [32]byte) cipher.AEAD {
	key := seal("pinferry login cookie v1")
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key has the right length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// load returns the state that came with a call. found is false if there is none
// that we have sealed; the state is then that of a new browser.
func (d *Door) load(c *web.Call) (s state, found bool) {
	sealed := c.HTTP.Request.Header.Cookie(cookieName(c))
	if len(sealed) > 0 && len(sealed) <= maxCookie {
		raw := make([]byte, base64.RawURLEncoding.DecodedLen(len(sealed)))
		if n, err := base64.RawURLEncoding.Strict().Decode(raw, sealed); err == nil {
			if plain, err := d.cookies.Open(nil, nil, raw[:n], nil); err == nil && json.Unmarshal(plain, &s) == nil && len(s.Nonce) == nonceSize {
				return s, true
			}
		}
	}
	s = state{Nonce: make([]byte, nonceSize)}
	rand.Read(s.Nonce)
	return s, false
}

// save sends the state with the answer.
func (d *Door) save(c *web.Call, s *state) error {
	plain, err := json.Marshal(s)
	if err != nil {
		return err
	}
	setCookie(c, cookieName(c), phonePath, base64.RawURLEncoding.EncodeToString(d.cookies.Seal(nil, nil, plain, nil)))
	return nil
}

// forget drops the verification from the state, and with it all that must not
// outlive it.
func (s *state) forget() { *s = state{Nonce: s.Nonce} }

// id returns the verification of the state.
func (s *state) id() (otp.ID, bool) { return otp.ParseID(s.Verification) }

// token returns the nonce for a form, under another mask in every page: a page
// is compressed, and what never changes could be guessed by its length.
func (s *state) token() string {
	masked := make([]byte, 2*nonceSize)
	rand.Read(masked[:nonceSize])
	subtle.XORBytes(masked[nonceSize:], masked[:nonceSize], s.Nonce)
	return base64.RawURLEncoding.EncodeToString(masked)
}

// owns tells whether a form carries the nonce of this browser.
func (s *state) owns(token string) bool {
	masked, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(masked) != 2*nonceSize {
		return false
	}
	subtle.XORBytes(masked[nonceSize:], masked[:nonceSize], masked[nonceSize:])
	return subtle.ConstantTimeCompare(masked[nonceSize:], s.Nonce) == 1
}

// cookieName is bound to the host where a browser can vouch for that.
func cookieName(c *web.Call) string {
	if c.Secure {
		return "__Host-pinferry_login"
	}
	return "pinferry_login"
}

// cookieLife is longer than any verification, in seconds.
const cookieLife = 3600

// setCookie sets a cookie that no script reads and no other site's form sends.
func setCookie(c *web.Call, name, path, value string) {
	var cookie fasthttp.Cookie
	cookie.SetKey(name)
	cookie.SetValue(value)
	cookie.SetHTTPOnly(true)
	cookie.SetSameSite(fasthttp.CookieSameSiteLaxMode)
	cookie.SetMaxAge(cookieLife)
	cookie.SetPath(path)
	if c.Secure {
		cookie.SetSecure(true)
		cookie.SetPath("/") // as __Host- demands
	}
	c.HTTP.Response.Header.SetCookie(&cookie)
}
