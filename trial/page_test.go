package trial_test

import (
	"os"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/trial"
)

// docs/attacks.md has a row for every attack of the catalogue.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../docs/attacks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tried, found := strings.Cut(string(page), "# The catalogue, tried\n")
	if !found {
		t.Fatal("the page has no part about the catalogue")
	}
	for _, a := range trial.Attacks() {
		if !strings.Contains(tried, "\n| `"+a.Name+"` |") {
			t.Errorf("docs/attacks.md has no row for %s", a.Name)
		}
	}
}
