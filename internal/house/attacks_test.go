package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/trial"
)

// What is published about confidential guests is in a table of docs/attacks.md: each row names attacks of the catalogue or tests
// that there are, or says why it has nothing. No attack is missing there, and neither is any of what was found.
func TestPublished(t *testing.T) {
	const root = "../.."
	page, err := os.ReadFile(filepath.Join(root, "docs", "attacks.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, part, found := strings.Cut(string(page), "\n| published | source | here |\n|---|---|---|\n")
	if !found {
		t.Fatal("docs/attacks.md has no table of what is published")
	}
	table, _, _ := strings.Cut(part, "\n\n")
	missing := map[string]bool{}
	for _, a := range trial.Attacks() {
		missing[a.Name] = true
	}
	known := len(missing)
	word := regexp.MustCompile("`([a-z0-9-]+)`")
	tests := map[string]map[string]bool{}
	rows := 0
	for row := range strings.Lines(table) {
		rows++
		cells := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), "|")
		if len(cells) != 3 || strings.TrimSpace(cells[0]) == "" || strings.TrimSpace(cells[1]) == "" {
			t.Errorf("%d cells, want 3, and none empty: %s", len(cells), row)
			continue
		}
		here := cells[2]
		says := strings.HasPrefix(strings.TrimSpace(here), "not expressible")
		for _, n := range word.FindAllStringSubmatch(here, -1) {
			if _, is := missing[n[1]]; !is {
				t.Errorf("there is no attack %s: %s", n[1], row)
			}
			missing[n[1]], says = false, true
		}
		for _, n := range testName.FindAllStringSubmatch(here, -1) {
			if tests[n[1]] == nil {
				tests[n[1]] = testsOf(t, filepath.Join(root, filepath.FromSlash(n[1])))
			}
			if says = true; !tests[n[1]][n[2]] {
				t.Errorf("there is no %s in %s: %s", n[2], n[1], row)
			}
		}
		if !says {
			t.Errorf("it says neither what it is here nor that there is nothing: %s", row)
		}
	}
	for name, left := range missing {
		if left {
			t.Errorf("attack %s is in no row", name)
		}
	}
	if rows < 43 || known < 60 {
		t.Errorf("%d rows for %d attacks", rows, known)
	}
}
