package otp

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Redirect returns where a person is sent after a login: wanted if it is one
// of the app's redirects byte for byte, else the first of them, or "". What is
// not listed is never looked into: every way of reading a URL has been tricked.
func (app *App) Redirect(wanted string) string {
	switch {
	case slices.Contains(app.Redirects, wanted):
		return wanted
	case len(app.Redirects) > 0:
		return app.Redirects[0]
	}
	return ""
}

// placePattern is an absolute URL without a user: scheme, host, the rest. It is
// narrower than the standard, so that nobody can read it in two ways.
var placePattern = regexp.MustCompile(`^(https?)://([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)(?::[0-9]{1,5})?([/?][!-~]*)?$`)

// checkPlaces checks the URLs that the config lists.
func (app *App) checkPlaces() error {
	for _, place := range app.Redirects {
		if _, err := restOf(place); err != nil {
			return fmt.Errorf("redirects: %q %w", place, err)
		}
	}
	for _, place := range app.Origins {
		rest, err := restOf(place)
		if err != nil {
			return fmt.Errorf("origins: %q %w", place, err)
		}
		if rest != "" || place != strings.ToLower(place) {
			return fmt.Errorf("origins: %q is not what a browser sends: scheme, host and port alone, in lower case and without a final slash", place)
		}
	}
	return nil
}

// restOf checks an absolute https URL and returns its path and query; http is
// for this machine only, where pages are developed.
func restOf(place string) (string, error) {
	parts := placePattern.FindStringSubmatch(place)
	if parts == nil {
		return "", errors.New("is not an absolute URL such as \"https://example.com/welcome\", in ASCII, with no user before the host")
	}
	scheme, host, rest := parts[1], parts[2], parts[3]
	switch {
	case scheme == "http" && host != "localhost" && host != "127.0.0.1":
		return "", errors.New("does not begin with https:// (http:// is for localhost and 127.0.0.1)")
	case strings.ContainsAny(rest, `#\`):
		return "", errors.New("has a fragment or a backslash; take it away")
	}
	return rest, nil
}
