package token

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// folder is where the signing keys lie, one file each, named by app, algorithm
// and kid:
//
//	shop-es256-00012f9c0b7d41e86a35d0c2.pem
//
// A kid is a sequence of four digits and 20 hex digits of the public key. Of an
// app and algorithm the highest sequence signs.
type folder string

// retired is how many keys stay published and accepted behind the one that
// signs.
const retired = 2

const (
	sequenceMost = 9999
	keySizeMost  = 16 << 10 // bytes of a file; a key of 4096 bits has 3,300
)

// An app's id may hold dashes, so a name is read from its end.
var fileForm = regexp.MustCompile(`^([A-Za-z0-9_-]{1,64})-(es256|rs256)-([0-9]{4}[0-9a-f]{20})\.pem$`)

// keyFile is what the name of a key's file says.
type keyFile struct {
	app       string
	algorithm Algorithm
	kid       string
}

func (k keyFile) name() string {
	return k.app + "-" + strings.ToLower(string(k.algorithm)) + "-" + k.kid + ".pem"
}

// sequence returns the number that a kid begins with.
func (k keyFile) sequence() int {
	n, _ := strconv.Atoi(k.kid[:4]) // digits, by fileForm
	return n
}

// ErrOwner says that the folder of the keys belongs to another user, who alone
// can add a key that the box can read.
var ErrOwner = errors.New("the folder belongs to another user")

// Rotate makes the next signing key of an app, which a box uses from its next
// start on, and returns its kid. The key that signed until then and the one
// before it stay accepted; earlier ones are removed, and whatever they signed
// dies with them. A refresh token that is a JWT lives for 30 days: rotate no
// more than twice in that time, unless that is what you want. It answers
// [ErrOwner] to whoever is not the user that the box runs as.
func Rotate(dir, app string, a Algorithm) (kid string, err error) {
	keys := folder(dir)
	if err := keys.owned(); err != nil {
		return "", fmt.Errorf("rotate key: %w", err)
	}
	old, err := keys.list(app)
	if err != nil {
		return "", fmt.Errorf("rotate key: %w", err)
	}
	old = slices.DeleteFunc(old, func(k keyFile) bool { return k.algorithm != a })
	next := 1
	if len(old) > 0 {
		next = old[0].sequence() + 1
	}
	p, err := keys.add(app, a, next)
	if err != nil {
		return "", fmt.Errorf("rotate key: %w", err)
	}
	for _, k := range old[min(retired, len(old)):] {
		if err := os.Remove(keys.path(k)); err != nil {
			return "", fmt.Errorf("rotate key: remove an old one: %w", err)
		}
	}
	return p.kid, nil
}

// owned is an error unless the folder is there and belongs to this user. One that
// is not there is a wrong one, not one to be made.
func (f folder) owned() error {
	info, err := os.Stat(string(f))
	if err != nil {
		return fmt.Errorf("%w; the box makes it at its first start", err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid != uint32(os.Geteuid()) {
		return fmt.Errorf("%s: %w, who alone may add a key: run it by sudo -u '#%d'", f, ErrOwner, owner.Uid)
	}
	return nil
}

func (f folder) path(k keyFile) string { return filepath.Join(string(f), k.name()) }

// list returns the key files of an app, of each algorithm the newest first. A
// file that calls itself a key and is none is an error: a key under a wrong
// name would be replaced in silence, and everybody logged out.
func (f folder) list(app string) ([]keyFile, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var files []keyFile
	for _, entry := range slices.Backward(entries) { // they come in the order of their names
		if filepath.Ext(entry.Name()) != ".pem" {
			continue
		}
		m := fileForm.FindStringSubmatch(entry.Name())
		if m == nil {
			return nil, fmt.Errorf("%s: its name is not that of a signing key; give it back its name, or move it elsewhere",
				filepath.Join(string(f), entry.Name()))
		}
		if m[1] == app {
			files = append(files, keyFile{app: app, algorithm: Algorithm(strings.ToUpper(m[2])), kid: m[3]})
		}
	}
	return files, nil
}

// ring reads the keys of an app.
func (f folder) ring(app string) (ring, error) {
	files, err := f.list(app)
	if err != nil {
		return nil, err
	}
	held := ring{}
	for _, k := range files {
		if len(held[k.algorithm]) > retired {
			continue
		}
		p, err := f.read(k)
		if err != nil {
			return nil, err
		}
		held[k.algorithm] = append(held[k.algorithm], p)
	}
	return held, nil
}

func (f folder) read(k keyFile) (*pair, error) {
	path := f.path(k)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: others may read it; chmod it to 0600, and rotate it if somebody has", path)
	}
	if !info.Mode().IsRegular() || info.Size() > keySizeMost {
		return nil, fmt.Errorf("%s: it is no key file; move it elsewhere", path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := parsePair(k.algorithm, k.kid, content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; bring it back from a backup, or move it elsewhere, and the tokens that it signed end", path, err)
	}
	return p, nil
}

// add makes a key and its file. The key is durable when add returns: one that
// signed and was gone after a power cut would take its tokens with it.
func (f folder) add(app string, a Algorithm, sequence int) (*pair, error) {
	if sequence > sequenceMost {
		return nil, fmt.Errorf("app %s has used up its %d keys for %s", app, sequenceMost, a)
	}
	p, err := newPair(a, sequence)
	if err != nil {
		return nil, err
	}
	k := keyFile{app: app, algorithm: a, kid: p.kid}
	if !fileForm.MatchString(k.name()) {
		return nil, fmt.Errorf("%q is not the id of an app", app)
	}
	content, err := p.encode()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return nil, err
	}
	if err := f.write(f.path(k), content); err != nil {
		return nil, err
	}
	return p, nil
}

// write makes a file appear at path as a whole or not at all.
func (f folder) write(path string, content []byte) (err error) {
	dir, err := os.Open(string(f))
	if err != nil {
		return err
	}
	defer dir.Close()
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil {
		err = dir.Sync()
	}
	return err
}
