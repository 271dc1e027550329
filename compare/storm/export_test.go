package storm

import (
	"reflect"
	"strings"
)

// Names are the schema's and those of the keys of the JSON form.
func Names() []string {
	names := []string{Schema}
	for _, of := range []any{JSON{}, bootJSON{}, Waited{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(of)) {
			key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, key)
		}
	}
	return names
}
