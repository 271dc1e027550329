package study

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/compare"
)

// docs/compare.md names the schema, every key, every word and every number.
func TestDocument(t *testing.T) {
	page, err := os.ReadFile("../../docs/compare.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	names := []string{Schema}
	for _, of := range []any{JSON{}, bootJSON{}, whichJSON{}, eagerJSON{}, estimateJSON{}, conditionJSON{}, compare.Change{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(of)) {
			if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); key != "" && key != "-" {
				names = append(names, key)
			}
		}
	}
	for _, w := range words {
		names = append(names, w.name)
	}
	for _, m := range compare.Metrics() {
		names = append(names, m.Name)
	}
	for _, name := range names {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("%s is not there", name)
		}
	}
}
