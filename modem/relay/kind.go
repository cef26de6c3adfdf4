package relay

import (
	"fmt"
	"slices"
	"strings"
)

// kind is a sort of relay: a line of the table that [kinds] is.
type kind struct {
	name string
	// base is the provider's address, in place of which url may stand.
	base string
	// needs and takes are the config keys that must and may be given, beside
	// those that every kind takes.
	needs, takes []string
	form         form
	// adapt fits the form to the config; nil leaves it.
	adapt func(*form, *Config)
	// check refuses what only this kind can judge; nil refuses nothing.
	check func(*Config) error
	// mail marks the one kind that speaks no HTTP.
	mail bool
}

// kinds is the table of all providers.
func kinds() []kind {
	return append(presets(), webhook(), twilio(), whatsapp(), pinferry(), smtp())
}

// Kinds returns the words that kind may be.
func Kinds() (names []string) {
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	slices.Sort(names)
	return names
}

// kindOf finds the line of a config.
func kindOf(name string) (kind, error) {
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return k.name == name })
	if i < 0 {
		return kind{}, fmt.Errorf("kind = %q: use one of %s", name, strings.Join(Kinds(), ", "))
	}
	return all[i], nil
}
