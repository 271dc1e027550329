package trial_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/guest"
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

// The guest in Go meets the whole catalogue, and each answer is what docs/attacks.md says.
func TestOwnGuest(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/attacks.md")
	if err != nil {
		t.Fatal(err)
	}
	cfg := trial.Config{Subjects: []trial.Subject{own(t)}}
	for _, a := range trial.Attacks() {
		cfg.Attacks = append(cfg.Attacks, a.Name)
	}
	r, err := trial.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var markdown strings.Builder
	if err := r.WriteMarkdown(&markdown); err != nil {
		t.Fatal(err)
	}
	_, tried, _ := strings.Cut(string(page), "# The catalogue, tried\n")
	said, seen := cells(tried), cells(markdown.String())
	for _, platform := range []string{"SNP", "TDX"} {
		column := platform + ", " + guest.DemoName
		if len(seen[column]) != len(cfg.Attacks) {
			t.Fatalf("%d rows of %s for %d attacks", len(seen[column]), column, len(cfg.Attacks))
		}
		for attack, got := range seen[column] {
			if want := said[column][attack]; got != want {
				t.Errorf("%s, %s: %s; the page says %q", attack, column, got, want)
			}
		}
	}
}

var ofKernels = flag.Bool("page-kernels", false, "try the whole catalogue against all kernels of docs/attacks.md, which takes some ten minutes")

// Stock kernels meet the whole catalogue, but for what no guest can hold against, and each answer is what docs/attacks.md says.
func TestPageOfKernels(t *testing.T) {
	if !*ofKernels {
		t.Skip("-page-kernels is not given: scripts/soak attacks gives it")
	}
	page, err := os.ReadFile("../docs/attacks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tried, _ := strings.Cut(string(page), "# The catalogue, tried\n")
	said := cells(tried)
	for _, pattern := range []string{debian12, debian13, backports} {
		r, err := trial.Run(t.Context(), trial.Config{Subjects: []trial.Subject{withDrivers(t, pattern)}})
		if err != nil {
			t.Fatal(err)
		}
		var markdown strings.Builder
		if err := r.WriteMarkdown(&markdown); err != nil {
			t.Fatal(err)
		}
		for column, rows := range cells(markdown.String()) {
			for attack, got := range rows {
				if want := said[column][attack]; got != want {
					t.Errorf("%s, %s: %s; the page says %q", column, attack, got, want)
				}
			}
		}
		t.Logf("%s ended with: %s", r.Guests[0].Image, r.Summary())
	}
}

// cells reads the first table whose first column is the attacks, by column and attack.
func cells(page string) map[string]map[string]string {
	all := map[string]map[string]string{}
	_, table, _ := strings.Cut(page, "| attack | ")
	table, _, _ = strings.Cut(table, "\n\n")
	head, rows, _ := strings.Cut(table, "\n")
	columns := strings.Split(strings.TrimSuffix(head, " |"), " | ")
	for row := range strings.Lines(rows) {
		row = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(row), "| "), " |")
		words := strings.Split(row, " | ")
		for i, column := range columns {
			if i+1 < len(words) {
				if all[column] == nil {
					all[column] = map[string]string{}
				}
				all[column][strings.Trim(words[0], "`")] = words[i+1]
			}
		}
	}
	return all
}
