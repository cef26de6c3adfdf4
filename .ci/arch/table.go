package arch

// Module is the path of the module whose tree is judged.
const Module = "github.com/pinferry/pinferry"

// Law is what a tree is judged by. Its zero value allows the standard library
// everywhere and nothing else.
type Law struct {
	// Rooms are looked up by [Room.Path], exact paths before patterns. A folder
	// with Go files that no room covers is a breach.
	Rooms []Room
	// Kit lists the rooms that tests of every room may import, and nothing else
	// may that does not name them: no pattern covers them.
	Kit []string
	// Bans lists import paths that are closed, with what lies below them, to
	// every room that does not list them in [Room.Lifts]. The value is the
	// reason. Tests are free of it.
	Bans map[string]string
	// Clock lists the files that may call time.Now, each with its reason.
	Clock map[string]string
	// Lines is the greatest length of a file.
	Lines int
	// Long lists the files that may be longer than that, each with its reason.
	Long map[string]string
	// Top lists what may stand at the root of the tree.
	Top []string
	// Outputs lists what a build leaves at the root. It is tolerated, not read.
	Outputs []string
}

// Room is a folder of the house and what its packages may import besides the
// standard library.
type Room struct {
	// Path is relative to the root; "." is the root. A last element "*" covers
	// every folder that has no line of its own, so a new one needs none.
	Path string
	// Rooms lists the rooms it may import, by path. "name/*" stands for every
	// folder directly in name; "*" for every room.
	Rooms []string
	// Modules lists the outside libraries it is home to, by import path; what
	// lies below one is allowed with it.
	Modules []string
	// Lifts lists what [Law.Bans] closes and this room may import.
	Lifts []string
	// Bans closes more import paths to this room, as [Law.Bans] does to all.
	Bans map[string]string
	// Except lists what lies below a ban and is allowed all the same.
	Except []string
}

// The outside libraries, each named once.
const (
	altcha  = "github.com/altcha-org/altcha-lib-go"
	badger  = "github.com/dgraph-io/badger/v4"
	cbor    = "github.com/fxamacker/cbor/v2"
	fast    = "github.com/valyala/fasthttp"
	json    = "github.com/go-json-experiment/json"
	jwt     = "github.com/golang-jwt/jwt/v5"
	mail    = "github.com/wneessen/go-mail"
	metrics = "github.com/VictoriaMetrics/metrics"
	numbers = "github.com/nyaruka/phonenumbers/v2"
	schemas = "github.com/santhosh-tekuri/jsonschema/v6"
	proto   = "google.golang.org/protobuf/proto" // what badger's own files are written in
	qr      = "rsc.io/qr"
	sys     = "golang.org/x/sys/unix"
	sms     = "github.com/warthog618/sms"
	stack   = "github.com/warthog618/modem"
	toml    = "github.com/pelletier/go-toml/v2"
	zerolog = "github.com/rs/zerolog"
	argon   = "golang.org/x/crypto/argon2"
)

// outside is what otp may not touch: it decides, others act.
var outside = map[string]string{
	"os":      "otp has no disk",
	"io/fs":   "otp has no disk",
	"net":     "otp has no socket",
	"syscall": "otp has no disk, socket or radio",
}

// decides is how a room of otp is closed towards the world. An address is a
// value, not a socket.
func decides(r Room) Room {
	r.Bans = outside
	r.Except = []string{"net/netip"}
	return r
}

// House returns the law of this project.
//
// It says, in four sentences: otp decides and touches neither disk, socket nor
// radio. server, modem and kv each translate one outside world into otp's words
// and never import one another. Inside server a vendor's folder knows otp,
// server/web and server/token, never another vendor. Only main.go knows every
// room.
func House() Law {
	return Law{
		Rooms: []Room{
			{Path: ".", Rooms: []string{"*", "modem/simulator"}, Modules: []string{toml, zerolog, metrics}},

			decides(Room{Path: "otp", Rooms: []string{"otp/email", "otp/phone", "otp/text"}, Modules: []string{cbor, zerolog, metrics}}),
			decides(Room{Path: "otp/email", Rooms: []string{"otp/text"}}),
			decides(Room{Path: "otp/phone", Modules: []string{numbers}}),
			decides(Room{Path: "otp/text"}),
			decides(Room{Path: "otp/otptest", Rooms: []string{"otp"}}),

			{Path: "kv", Rooms: []string{"otp"}, Modules: []string{badger, proto, sys, zerolog, metrics}},

			{Path: "modem", Rooms: []string{"otp"}, Modules: []string{stack, sms, sys, zerolog, metrics}},
			{Path: "modem/relay", Rooms: []string{"otp"}, Modules: []string{json, mail, zerolog, metrics}, Lifts: []string{"net/http"}},
			{Path: "modem/simulator", Modules: []string{sms, stack, sys, zerolog}},

			{Path: "server", Rooms: []string{"otp", "server/*"}, Modules: []string{fast, json, zerolog, metrics}},
			{Path: "server/web", Rooms: []string{"otp", "otp/text"}, Modules: []string{fast, json, zerolog}},
			{Path: "server/token", Rooms: []string{"otp"}, Modules: []string{json, jwt, zerolog}},
			{Path: "server/cert", Rooms: []string{"otp", "server/web"}, Modules: []string{fast, qr, zerolog}},
			{Path: "server/api", Rooms: []string{"otp", "otp/phone", "server/web", "server/token"}, Modules: []string{fast, json, zerolog}},
			{Path: "server/admin", Rooms: []string{"otp", "otp/text", "server/web", "server/token", "server/api"}, Modules: []string{argon, fast, json, sys, zerolog}},
			// The command line asks a box through its socket: it is given neither a
			// store nor a door, so that no command can reach around the daemon. It
			// knows server/token for the files of the keys that sign: those are made
			// beside a box, which reads them when it starts.
			{Path: "server/console", Rooms: []string{"otp/text", "server/admin", "server/token"}, Modules: []string{sys}},
			{Path: "server/captcha", Rooms: []string{"otp", "server/web"}, Modules: []string{altcha, fast, json}},
			{Path: "server/login", Rooms: []string{"otp", "otp/email", "otp/phone", "otp/text", "server/web"}, Modules: []string{fast, json}},
			{Path: "server/docs/docstest", Modules: []string{schemas}},
			{Path: "server/web/webtest", Rooms: []string{"otp", "server/web", "server/token"}, Modules: []string{fast}},
			{Path: "server/*", Rooms: []string{"otp", "server/web", "server/token"}, Modules: []string{fast, json, zerolog}},

			{Path: "systemd", Modules: []string{sys}},

			// What measures and proves the house stands outside of it and is not
			// shipped. The bench also takes the house apart.
			{Path: ".ci/bench", Rooms: []string{"kv", "otp", "otp/otptest", "modem/simulator"}, Modules: []string{fast, zerolog}, Lifts: []string{"net/http"}},
			{Path: ".ci/compat/go", Modules: []string{"github.com/descope/go-sdk", "github.com/twilio/twilio-go"}, Lifts: []string{"net/http"}},
			{Path: ".ci/*"},
		},
		Kit: []string{"otp/otptest", "modem/simulator", "server/docs/docstest", "server/web/webtest"},
		Bans: map[string]string{
			"C":              "the binary is static and built without a C compiler",
			"expvar":         "it publishes on a global mux; the metrics library is at hand",
			"html/template":  "it keeps 5 MiB of the binary alive",
			"log":            "zerolog is passed in",
			"net/http":       "outgoing HTTP is at home in modem/relay, incoming HTTP in server with fasthttp",
			"plugin":         "the binary is static",
			"text/template":  "it keeps 5 MiB of the binary alive",
			zerolog + "/log": "a logger is passed in, never global",
		},
		Clock: map[string]string{
			"otp/clock.go":            "box time starts from the wall clock here and nowhere else",
			".ci/bench/watch.go":      "it measures real time",
			".ci/proof/watch_test.go": "it waits for processes in real time",
		},
		Lines: 400,
		Long: map[string]string{
			"main_test.go": "what main.go does stands in one file, and so does what proves it",
			"main.go":      "commands, config file, wiring and shutdown stand in one file, for no folder may be added to the top",
		},
		Top: []string{
			".ci", ".git", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "SECURITY.md",
			"go.mod", "go.sum", "kv", "main.go", "main_test.go", "modem", "otp", "server", "systemd",
		},
		Outputs: []string{"bin", "pinferry"},
	}
}
