package certify

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// docs/certify.md names the schema and every key of a certificate.
func TestDocumentNamesEveryKey(t *testing.T) {
	page, err := os.ReadFile("../docs/certify.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	if !strings.Contains(text, "`"+Schema+"`") {
		t.Errorf("the schema %s is not there", Schema)
	}
	for _, of := range []any{Certificate{}, Verdict{}, PlatformVerdict{}, Boot{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(of)) {
			key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if key != "" && !strings.Contains(text, "`"+key+"`") && !strings.Contains(text, "[]."+key+"`") {
				t.Errorf("%T: the key %q is not there", of, key)
			}
		}
	}
}
