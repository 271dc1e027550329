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

// Each attack has an occasion in a stock kernel and in the guest in Go, on each platform that it is for, and breaks a careless guest;
// docs/attacks.md lists those that have not, and says why.
func TestOccasions(t *testing.T) {
	page, err := os.ReadFile("../docs/attacks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tried, _ := strings.Cut(string(page), "# The catalogue, tried\n")
	const kernels, own, noHarm = "a stock kernel", "the guest in Go", "a careless guest"
	without := map[[3]string]bool{} // attack, platform, guest
	for column, rows := range cells(tried) {
		platform, image, _ := strings.Cut(column, ", ")
		who := kernels
		if image == guest.DemoName {
			who = own
		}
		for attack, cell := range rows {
			if cell == "–" {
				continue
			}
			key := [3]string{attack, platform, who}
			none := cell == "held: never asked" || cell == "not reached" || cell == ""
			if earlier, seen := without[key]; !seen || earlier {
				without[key] = none
			}
		}
	}
	for _, a := range trial.Attacks() {
		for _, platform := range a.Platforms {
			for _, who := range []string{kernels, own} {
				key := [3]string{a.Name, strings.ToUpper(platform), who}
				if _, tried := without[key]; !tried {
					t.Errorf("%v has not been tried", key)
				}
			}
			on, not := noneCareless[a.Name]
			without[[3]string{a.Name, strings.ToUpper(platform), noHarm}] = not && (on == "" || on == platform)
		}
	}
	_, table, found := strings.Cut(tried, "\n| attacks | on | guest | why |\n|---|---|---|---|\n")
	if !found {
		t.Fatal("the page has no table of what had no occasion")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	listed := map[[3]string]bool{}
	for row := range strings.Lines(table) {
		c := strings.Split(strings.Trim(strings.TrimSpace(row), "| "), " | ")
		if len(c) != 4 {
			t.Fatalf("%d cells, want 4: %s", len(c), row)
		}
		platforms := []string{c[1]}
		if c[1] == "both" {
			platforms = []string{"SNP", "TDX"}
		}
		for name := range strings.SplitSeq(c[0], ", ") {
			for _, platform := range platforms {
				listed[[3]string{strings.Trim(name, "`"), platform, c[2]}] = true
			}
		}
	}
	for key, none := range without {
		if none && !listed[key] {
			t.Errorf("%v: there is no occasion, and the page does not say why", key)
		}
	}
	for key := range listed {
		if none, known := without[key]; known && !none {
			t.Errorf("%v: the page says that there is no occasion, and there was one", key)
		} else if !known {
			t.Errorf("%v: there is no such attack", key)
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
