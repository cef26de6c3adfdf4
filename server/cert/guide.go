package cert

import (
	"strings"

	"github.com/pinferry/pinferry/server/web"
)

// guide is how a kind of device is told to trust an authority.
type guide struct {
	device string
	list   web.Markup // steps, or ways of which one will do
	steps  []web.Markup
}

// The elements of the two kinds of lists.
const (
	inOrder web.Markup = "ol"
	either  web.Markup = "ul"
)

// The kinds of devices that tell what they are.
const (
	android = "Android"
	apple   = "iPhone and iPad"
	windows = "Windows"
	mac     = "macOS"
	linux   = "Linux"
)

// guides are shown in this order.
var guides = []guide{
	{android, inOrder, []web.Markup{
		`Download <b>ca.crt</b>.`,
		`Open the settings and search for <b>CA certificate</b>. On most phones it is below <b>Security</b>, <b>More security settings</b> or <b>Encryption &amp; credentials</b>, at <b>Install a certificate</b>.`,
		`Choose <b>CA certificate</b>, read the warning, choose <b>Install anyway</b>, and pick the file from the downloads.`,
		`Chrome believes the box now. Firefox does so after <b>Settings, About Firefox</b>, five taps on the logo, back to <b>Secret settings</b>, and <b>Use third party CA certificates</b>. Other apps decide for themselves whether they heed what you have installed.`,
	}},
	{apple, inOrder, []web.Markup{
		`Open this page in <b>Safari</b>, download <b>ca.crt</b>, and allow the profile.`,
		`In the settings open <b>General, VPN &amp; Device Management</b>, choose the profile, and <b>Install</b> it.`,
		`Then open <b>General, About, Certificate Trust Settings</b>, at the very end, and switch it on. Without this step nothing has changed.`,
	}},
	{windows, inOrder, []web.Markup{
		`Download <b>ca.crt</b>, open it, and choose <b>Install Certificate</b>.`,
		`Choose <b>Current User</b>, then <b>Place all certificates in the following store</b>, and there <b>Trusted Root Certification Authorities</b>.`,
		`Or on a command line: <code>certutil -user -addstore Root ca.crt</code>`,
	}},
	{mac, inOrder, []web.Markup{
		`Download <b>ca.crt</b> and open it. <b>Keychain Access</b> adds it.`,
		`Find it there by its name, open it, unfold <b>Trust</b>, and choose <b>Always Trust</b> for SSL.`,
		`Or in a terminal: <code>sudo security add-trusted-cert -d -r trustRoot -p ssl -k /Library/Keychains/System.keychain ca.crt</code>`,
	}},
	{linux, either, []web.Markup{
		`Debian and Ubuntu: <code>sudo cp ca.crt /usr/local/share/ca-certificates/pinferry.crt &amp;&amp; sudo update-ca-certificates</code>`,
		`Fedora and Arch: <code>sudo trust anchor ca.crt</code>`,
		`Chrome and Chromium have a list of their own: open <code>chrome://certificate-manager</code> and import the file at <b>Custom</b>, <b>Installed by you</b>, as a trusted certificate.`,
	}},
	{"Firefox on a computer", inOrder, []web.Markup{
		`Open the settings, search for <b>certificates</b>, and choose <b>View Certificates</b>.`,
		`At <b>Authorities</b> choose <b>Import</b>, pick <b>ca.crt</b>, and tick <b>Trust this CA to identify websites</b>.`,
	}},
	{"Programs and servers", either, []web.Markup{
		`curl: <code>curl --cacert ca.crt https://...</code>`,
		`Node: <code>NODE_EXTRA_CA_CERTS=ca.crt</code>`,
		`Python (requests): <code>REQUESTS_CA_BUNDLE=ca.crt</code>`,
		`Go, Ruby, PHP and most others heed the system's list: see Linux above.`,
	}},
}

// deviceOf guesses the kind of device that a browser runs on, "" for none that is
// known. It only decides which guide is unfolded.
func deviceOf(browser string) string {
	for _, mark := range []struct{ word, device string }{
		{"Android", android}, {"iPhone", apple}, {"iPad", apple}, {"Windows", windows}, {"Macintosh", mac}, {"Linux", linux},
	} {
		if strings.Contains(browser, mark.word) {
			return mark.device
		}
	}
	return ""
}
