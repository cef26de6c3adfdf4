package login

import (
	"fmt"
	"reflect"
)

// Unsaid lists what a language of the page has no word for: "de: Phone".
func Unsaid() (all []string) {
	for locale, w := range languages {
		v := reflect.ValueOf(*w)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				all = append(all, fmt.Sprintf("%s: %s", locale, v.Type().Field(i).Name))
			}
		}
		for _, notice := range notices {
			if w.Errors[notice] == "" {
				all = append(all, fmt.Sprintf("%s: the notice %s", locale, notice))
			}
		}
	}
	return all
}
