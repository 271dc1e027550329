package cost

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables into docs/cost.md")

// page is where people read the models.
const page = "../docs/cost.md"

// tables matches the part of the page that is made from the models.
var tables = regexp.MustCompile(`(?s)(<!-- tables: go test \./cost -update -->\n).*(<!-- end of tables -->\n)`)

func TestPageShowsTheModels(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !tables.Match(text) {
		t.Fatalf("%s has no place for tables: %v", page, tables)
	}
	want := tables.ReplaceAllString(string(text), "${1}"+strings.ReplaceAll(allTables(), "$", "$$")+"${2}")
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s does not show the models as they are: go test ./cost -update", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func allTables() string {
	var b strings.Builder
	for _, m := range Models() {
		fmt.Fprintf(&b, "\n### %s\n\n| event | virtual ns | source |\n|---|---:|---|\n", m.Name())
		for _, row := range m.Table() {
			fmt.Fprintf(&b, "| %v | %d | %s |\n", row.Event, row.NS, row.Source)
		}
		fmt.Fprintf(&b, "\n| of an event | holds | virtual ns | source |\n|---|---|---:|---|\n")
		for _, h := range m.Holds() {
			fmt.Fprintf(&b, "| %v | %v | %d | %s |\n", h.Name(), h.Lock, h.NS, h.Source)
		}
	}
	b.WriteString("\n")
	return b.String()
}
