package arch_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pinferry/pinferry/.ci/arch"
)

// TestHouse holds the project's own tree against its law.
func TestHouse(t *testing.T) {
	for _, complaint := range check(t, filepath.Join("..", "..")) {
		t.Error(complaint)
	}
}

// TestSound shows that the law has nothing to say about a tree that keeps it,
// so that each complaint below comes from what was planted.
func TestSound(t *testing.T) {
	if got := check(t, plant(t, nil)); len(got) != 0 {
		t.Fatalf("a sound house draws complaints:\n%s", strings.Join(got, "\n"))
	}
}

// TestBreach plants one breach at a time into a sound tree and wants exactly
// its complaint.
func TestBreach(t *testing.T) {
	const house = `"github.com/pinferry/pinferry/`
	for _, c := range []struct {
		name, file, text string
		want             []string
	}{
		// The first sentence: otp decides.
		{"otp opens a file", "otp/disk.go", "package otp\n\nimport \"os\"\n\nvar _ = os.Open\n",
			[]string{`otp/disk.go:3: otp may not import os: otp has no disk`}},
		{"otp opens a socket", "otp/socket.go", "package otp\n\nimport \"net\"\n\nvar _ = net.Dial\n",
			[]string{`otp/socket.go:3: otp may not import net: otp has no socket`}},
		{"otp runs a program", "otp/program.go", "package otp\n\nimport \"os/exec\"\n\nvar _ = exec.Command\n",
			[]string{`otp/program.go:3: otp may not import os/exec: otp has no disk`}},
		{"otp knows an address", "otp/peer.go", "package otp\n\nimport \"net/netip\"\n\nvar _ netip.Addr\n", nil},
		{"a leaf of otp opens a file", "otp/text/disk.go", "package text\n\nimport \"io/fs\"\n\nvar _ fs.FS\n",
			[]string{`otp/text/disk.go:3: otp/text may not import io/fs: otp has no disk`}},
		{"a leaf of otp knows otp", "otp/phone/rule.go", "package phone\n\nimport _ " + house + "otp\"\n",
			[]string{`otp/phone/rule.go:3: otp/phone may not import the room otp`}},
		{"otp knows a store", "otp/database.go", "package otp\n\nimport _ " + house + "kv\"\n",
			[]string{`otp/database.go:3: otp may not import the room kv`}},

		// The second: the rooms at the rim do not know one another.
		{"server knows the store", "server/store.go", "package server\n\nimport _ " + house + "kv\"\n",
			[]string{`server/store.go:3: server may not import the room kv`}},
		{"server knows the modem", "server/radio.go", "package server\n\nimport _ " + house + "modem\"\n",
			[]string{`server/radio.go:3: server may not import the room modem`}},
		{"the modem knows the server", "modem/page.go", "package modem\n\nimport _ " + house + "server/web\"\n",
			[]string{`modem/page.go:3: modem may not import the room server/web`}},
		{"the store knows the modem", "kv/radio.go", "package kv\n\nimport _ " + house + "modem\"\n",
			[]string{`kv/radio.go:3: kv may not import the room modem`}},
		{"a test is no way round", "kv/radio_test.go", "package kv_test\n\nimport _ " + house + "modem\"\n",
			[]string{`kv/radio_test.go:3: kv may not import the room modem`}},
		{"a build tag is no way round", "kv/radio.go", "//go:build never\n\npackage kv\n\nimport _ " + house + "modem\"\n",
			[]string{`kv/radio.go:5: kv may not import the room modem`}},

		// The third: vendors do not know one another.
		{"a vendor knows what it may", "server/acme/handler.go",
			"// Package acme is a door.\npackage acme\n\nimport (\n\t_ " + house + "otp\"\n\t_ " + house + "server/token\"\n\t_ " + house + "server/web\"\n)\n", nil},
		{"a vendor knows another", "server/acme/handler.go", "// Package acme is a door.\npackage acme\n\nimport _ " + house + "server/ssojet\"\n",
			[]string{`server/acme/handler.go:4: server/acme may not import the room server/ssojet`}},
		{"a vendor knows the native door", "server/acme/handler.go", "// Package acme is a door.\npackage acme\n\nimport _ " + house + "server/api\"\n",
			[]string{`server/acme/handler.go:4: server/acme may not import the room server/api`}},

		// The fourth: only main.go knows every room, and not the test kit.
		{"the simulator in the binary", "modem/fake.go", "package modem\n\nimport _ " + house + "modem/simulator\"\n",
			[]string{`modem/fake.go:3: modem may not import the room modem/simulator`}},
		{"the simulator in a test", "modem/fake_test.go", "package modem_test\n\nimport _ " + house + "modem/simulator\"\n", nil},
		{"the test kit in main", "main_unix.go", "package main\n\nimport _ " + house + "otp/otptest\"\n",
			[]string{`main_unix.go:3: main may not import the room otp/otptest`, `main_unix.go: is not one of the fixed top-level entries`}},

		{"a check knows a room", ".ci/arch/peek.go", "package arch\n\nimport _ " + house + "otp\"\n",
			[]string{`.ci/arch/peek.go:3: .ci/arch may not import the room otp`}},

		// Libraries are at home in one room.
		{"a library away from home", "modem/database.go", "package modem\n\nimport _ \"github.com/dgraph-io/badger/v4\"\n",
			[]string{`modem/database.go:3: modem is not the home of github.com/dgraph-io/badger/v4`}},
		{"a library away from home in a test", "otp/page_test.go", "package otp_test\n\nimport _ \"github.com/valyala/fasthttp\"\n",
			[]string{`otp/page_test.go:3: otp is not the home of github.com/valyala/fasthttp`}},
		{"a library at home", "server/listen.go", "package server\n\nimport _ \"github.com/valyala/fasthttp/reuseport\"\n", nil},
		{"a library nobody knows", "server/fast.go", "package server\n\nimport _ \"example.com/fast\"\n",
			[]string{`server/fast.go:3: server is not the home of example.com/fast`}},
		{"a name that only begins alike", "kv/like.go", "package kv\n\nimport _ \"github.com/dgraph-io/badger/v4000\"\n",
			[]string{`kv/like.go:3: kv is not the home of github.com/dgraph-io/badger/v4000`}},
		{"a global logger", "kv/logger.go", "package kv\n\nimport _ \"github.com/rs/zerolog/log\"\n",
			[]string{`kv/logger.go:3: kv may not import github.com/rs/zerolog/log: a logger is passed in, never global`}},
		{"an HTTP client away from home", "modem/client.go", "package modem\n\nimport _ \"net/http\"\n",
			[]string{`modem/client.go:3: modem may not import net/http: outgoing HTTP is at home in modem/relay, incoming HTTP in server with fasthttp`}},
		{"an HTTP client at home", "modem/relay/client.go", "// Package relay sends by HTTP.\npackage relay\n\nimport _ \"net/http\"\n", nil},
		{"an HTTP client in a test", "server/client_test.go", "package server_test\n\nimport _ \"net/http\"\n", nil},

		// The wall clock.
		{"the wall clock", "kv/age.go", "package kv\n\nimport \"time\"\n\nvar born = time.Now()\n",
			[]string{`kv/age.go:5: time.Now is for otp/clock.go alone: take box time from a clock, or a duration by time.Since`}},
		{"the wall clock as a value", "kv/age.go", "package kv\n\nimport \"time\"\n\nvar now = time.Now\n",
			[]string{`kv/age.go:5: time.Now is for otp/clock.go alone: take box time from a clock, or a duration by time.Since`}},
		{"the wall clock under a false name", "kv/age.go", "package kv\n\nimport calm \"time\"\n\nvar born = calm.Now()\n",
			[]string{`kv/age.go:5: time.Now is for otp/clock.go alone: take box time from a clock, or a duration by time.Since`}},
		{"the wall clock without a name", "kv/age.go", "package kv\n\nimport . \"time\"\n\nvar born = Now()\n",
			[]string{`kv/age.go:3: a dot import of time hides time.Now`}},
		{"the wall clock in a test", "kv/age_test.go", "package kv_test\n\nimport \"time\"\n\nvar born = time.Now()\n",
			[]string{`kv/age_test.go:5: time.Now is for otp/clock.go alone: take box time from a clock, or a duration by time.Since`}},
		{"another's Now", "kv/age.go", "package kv\n\nimport \"time\"\n\ntype clock struct{}\n\nfunc (clock) Now() time.Duration { return 0 }\n\n" +
			"func age() time.Duration {\n\ttime := clock{}\n\treturn time.Now()\n}\n", nil},

		// Names, lengths, words.
		{"two words", "kv/two_words.go", "package kv\n", []string{`kv/two_words.go: a file is named by one lower-case word`}},
		{"two words in a test", "kv/two_words_test.go", "package kv_test\n", []string{`kv/two_words_test.go: a file is named by one lower-case word`}},
		{"a system in the name", "kv/disk_linux_arm64_test.go", "package kv_test\n", nil},
		{"a name for nothing", "kv/util.go", "package kv\n", []string{`kv/util.go: the name "util" says nothing`}},
		{"a package for nothing", "server/common/page.go", "// Package common is for nothing.\npackage common\n",
			[]string{`server/common/page.go: the folder "common" says nothing`, `server/common/page.go: the package "common" is not named by a word that says something`}},
		{"a long file", "kv/long.go", "package kv\n" + strings.Repeat("\n", 400),
			[]string{`kv/long.go: has 401 lines, more than 400, and no reason is listed`}},
		{"a folder that is no room", "otp/rule/rule.go", "// Package rule is not a room.\npackage rule\n",
			[]string{`otp/rule/rule.go: folder otp/rule is not a room of the house`}},
		{"another top-level folder", "internal/page.go", "// Package internal is not a room.\npackage internal\n",
			[]string{`internal: is not one of the fixed top-level entries`, `internal/page.go: folder internal is not a room of the house`}},
		{"another top-level file", "NOTES.md", "later\n", []string{`NOTES.md: is not one of the fixed top-level entries`}},
		{"no package comment", "server/acme/handler.go", "package acme\n",
			[]string{`server/acme/handler.go: the package has no comment that says what it is`}},
		{"two package comments", "kv/twice.go", "// Package kv is said twice.\npackage kv\n",
			[]string{`kv/twice.go:1: a second package comment; the first is in kv/kv.go`}},
		{"no comments on what is exported", "kv/names.go",
			"package kv\n\ntype Open struct{}\n\nfunc (*Open) Close() {}\n\nfunc (inner) Run() {}\n\ntype inner struct{}\n\n// The limits.\nconst (\n\tLow  = 1\n\tHigh = 2\n)\n\nvar Loose = 1\n",
			[]string{`kv/names.go:3: exported Open has no comment`, `kv/names.go:5: exported Close has no comment`, `kv/names.go:17: exported Loose has no comment`}},
		{"what does not parse", "kv/torn.go", "package kv\n\nfunc (\n",
			[]string{`kv/torn.go: does not parse`}},

		// What is listed as an exception must need to be one.
		{"an exception nobody needs", "otp/clock.go", "package otp\n", []string{`otp/clock.go: is listed as an exception, but it does not call time.Now`}},
		{"a reason nobody needs", "main.go", "// Command pinferry is short.\npackage main\n", []string{`main.go: is listed as an exception, but it has no more than 400 lines`}},

		// Data is not code.
		{"code that is data", "kv/testdata/common/two_words.go", "package common\n\nimport \"C\"\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := check(t, plant(t, map[string]string{c.file: c.text}))
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

// TestUnreadable shows that a tree that is not there is an error, not a pass.
func TestUnreadable(t *testing.T) {
	if _, err := arch.Check(filepath.Join(t.TempDir(), "gone"), arch.House()); err == nil {
		t.Fatal("a tree that is not there passed")
	}
}

// check returns what the law of the house says about the tree at root.
func check(t *testing.T, root string) []string {
	t.Helper()
	complaints, err := arch.Check(root, arch.House())
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, complaint := range complaints {
		lines = append(lines, complaint.String())
	}
	return lines
}

// plant writes a small tree that keeps the law, with files added or replaced.
func plant(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	sound := map[string]string{
		"main.go":                 "// Command pinferry wires.\npackage main\n\nimport _ \"github.com/pinferry/pinferry/modem/simulator\"\n" + strings.Repeat("\n", 400),
		"otp/otp.go":              "// Package otp decides.\npackage otp\n\nimport _ \"github.com/pinferry/pinferry/otp/phone\"\n",
		"main_test.go":            "package main\n" + strings.Repeat("\n", 400),
		".ci/bench/watch.go":      "// Command bench measures.\npackage main\n\nimport \"time\"\n\nvar wall = time.Now\n",
		".ci/proof/watch_test.go": "package proof\n\nimport \"time\"\n\nvar wall = time.Now\n",
		"otp/clock.go":            "package otp\n\nimport \"time\"\n\nvar wall = time.Now\n",
		"otp/phone/phone.go":      "// Package phone reads numbers.\npackage phone\n",
		"otp/text/text.go":        "// Package text writes texts.\npackage text\n",
		"kv/kv.go":                "// Package kv keeps records.\npackage kv\n\nimport _ \"github.com/pinferry/pinferry/otp\"\n",
		"kv/kv_test.go":           "package kv_test\n\nimport (\n\t_ \"github.com/pinferry/pinferry/kv\"\n\t_ \"github.com/pinferry/pinferry/otp/otptest\"\n)\n",
		"modem/modem.go":          "// Package modem drives sticks.\npackage modem\n",
		"server/server.go":        "// Package server answers.\npackage server\n\nimport _ \"github.com/pinferry/pinferry/server/ssojet\"\n",
		"systemd/systemd.go":      "// Package systemd notifies.\npackage systemd\n",
		".ci/arch/arch.go":        "// Package arch judges.\npackage arch\n",
		"bin/left/by_a_build.go":  "package by_a_build\n",
		"README.md":               "pinferry\n",
	}
	for file, text := range files {
		sound[file] = text
	}
	for file, text := range sound {
		name := filepath.Join(root, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
