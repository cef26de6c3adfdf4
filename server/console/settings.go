package console

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Settings returns a config file in TOML. file is a struct of which each field
// is a section, or a list of some, and has its name in a tag as in
// `toml:"server"`; so have their fields. What may be left out, "omitempty", is
// left out if it is zero. The library's encoder would do it too, for a hundredth
// of the whole binary.
func Settings(file any) string {
	var b strings.Builder
	sections := reflect.ValueOf(file)
	for i := range sections.NumField() {
		name, _, _ := strings.Cut(sections.Type().Field(i).Tag.Get("toml"), ",")
		section := sections.Field(i)
		if section.Kind() == reflect.Struct {
			fmt.Fprintf(&b, "[%s]\n", name)
			writeSection(&b, section)
			continue
		}
		for j := range section.Len() {
			fmt.Fprintf(&b, "[[%s]]\n", name)
			writeSection(&b, section.Index(j))
		}
	}
	return b.String()
}

// writeSection writes the keys of a section, without those that may be left
// out and are.
func writeSection(b *strings.Builder, section reflect.Value) {
	for i := range section.NumField() {
		name, option, _ := strings.Cut(section.Type().Field(i).Tag.Get("toml"), ",")
		if value := section.Field(i); option == "" || !value.IsZero() {
			fmt.Fprintf(b, "%s = %s\n", name, setting(value))
		}
	}
	b.WriteByte('\n')
}

// setting is a value in TOML.
func setting(v reflect.Value) string {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, _ := m.MarshalText() // what has been read can be written
		return Quote(string(text))
	}
	var all []string
	switch v.Kind() {
	case reflect.Pointer:
		return setting(v.Elem())
	case reflect.String:
		return Quote(v.String())
	case reflect.Slice:
		for i := range v.Len() {
			all = append(all, setting(v.Index(i)))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case reflect.Map:
		for _, key := range v.MapKeys() {
			all = append(all, Quote(key.String())+" = "+setting(v.MapIndex(key)))
		}
		slices.Sort(all)
		return "{ " + strings.Join(all, ", ") + " }"
	}
	return fmt.Sprint(v.Interface())
}

// Quote returns a string as TOML has it.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
