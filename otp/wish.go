package otp

import (
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/pinferry/pinferry/otp/text"
)

// Wish is what shall happen when the verification is approved, and is kept
// with it until then.
type Wish struct {
	_ struct{} `cbor:",toarray"`

	// Name is a login name for a user that is created, or, with
	// PurposeChangePhone, one more for the user whose phone changes.
	Name string
	// Claims is a JSON object for [Session.Claims], or nil.
	Claims []byte
	// Challenge is the PKCE S256 challenge (43 characters of base64url): the
	// approval then gives [Grant.Exchange] in place of a session.
	Challenge string
	// Redirect is the place that [Grant.Exchange] is handed to, one of the app's
	// Redirects; whoever redeems the code must name it. It goes with Challenge
	// only; "" binds the code to no place.
	Redirect string
	// RevokeOthers ends the user's other sessions. Only a live session of the
	// same user may ask for it (StartRequest.Family).
	RevokeOthers bool
	// Options are values for the app's own placeholders in its texts, by name.
	Options map[string]string
}

// empty tells whether there is nothing to keep.
func (w *Wish) empty() bool {
	return w.Name == "" && w.Claims == nil && w.Challenge == "" && w.Redirect == "" && !w.RevokeOthers && len(w.Options) == 0
}

// check refuses what could not be granted later.
func (w *Wish) check(app *App) *Error {
	if w.Name != "" && !isLoginName(w.Name) {
		return refuse(InvalidRequest, "That login name is not one: it has 1 to 128 visible characters, and is no phone number.")
	}
	if w.Challenge != "" {
		// The decoder passes over line breaks, and no verifier has a challenge with one.
		if sum, err := base64.RawURLEncoding.Strict().DecodeString(w.Challenge); err != nil || len(sum) != 32 || len(w.Challenge) != 43 {
			return refuse(InvalidRequest, "The PKCE challenge is not 43 characters of base64url: the SHA-256 of the verifier (S256).")
		}
	}
	if w.Redirect != "" && (w.Challenge == "" || !slices.Contains(app.Redirects, w.Redirect)) {
		return refuse(InvalidRequest, "That redirect is none that this app has registered (redirects), or it came without a PKCE challenge.")
	}
	for name, value := range w.Options {
		if !slices.Contains(app.Options, name) {
			return refuse(InvalidRequest, "A template option is not one that this app allows (template_options).")
		}
		if err := text.CheckValue(value); err != nil {
			return refuse(InvalidRequest, fmt.Sprintf("The template option %s %s.", name, err))
		}
	}
	return nil
}
