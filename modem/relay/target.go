package relay

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Target is where the events of an app go.
type Target struct {
	App string
	// URL takes each event as a POST.
	URL string
	// SecretFile holds in its one line the secrets that sign, each "whsec_" and
	// base64, with spaces between: more than one while a new one takes the place
	// of an old one.
	SecretFile string
	// Egress says what of the network may be reached; the zero value is the
	// strictest.
	Egress EgressConfig
}

// The bounds of a secret, in bytes, and what its line begins with.
const (
	minSigning, maxSigning = 24, 64
	secretPrefix           = "whsec_"
)

// target is a [Target] that can be used.
type target struct {
	app, url string
	secrets  [][]byte
	way      *Egress
}

// Check refuses what could not work, without reading the secrets.
func (t *Target) Check() error {
	u, err := url.Parse(t.URL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return errors.New(`webhook is no URL of a server: write "https://..."`)
	case u.Scheme != "https" && (u.Scheme != "http" || !t.Egress.Insecure):
		return errors.New("webhook: only https is allowed; webhook_insecure = true permits http")
	case t.SecretFile == "":
		return errors.New("webhook_secret_file is missing: a file whose line is whsec_ and 24 to 64 random bytes in base64")
	}
	return nil
}

// signingSecrets reads the secrets of a target.
func signingSecrets(path string) (all [][]byte, err error) {
	text, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Fields(text) {
		encoded, ok := strings.CutPrefix(line, secretPrefix)
		secret, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(secret) < minSigning || len(secret) > maxSigning {
			return nil, fmt.Errorf("%s: a secret is whsec_ and 24 to 64 bytes in base64", path)
		}
		all = append(all, secret)
	}
	return all, nil
}

// sign returns the signatures of a delivery, one by each secret.
func (t *target) sign(id, at string, body []byte) string {
	var all []string
	for _, secret := range t.secrets {
		mac := hmac.New(sha256.New, secret)
		fmt.Fprintf(mac, "%s.%s.", id, at)
		mac.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(all, " ")
}
