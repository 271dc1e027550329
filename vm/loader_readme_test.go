package vm_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

const readmeFile = "../README.md"

const shortHead = "| kernel | loader | plain machine | TDX, negotiate | TDX, upstream | SEV-SNP, negotiate | SEV-SNP, upstream |\n|---|---|---|---|---|---|---|\n"

// writeShortTable writes README's table of loaders after that of docs/loaders.md.
func writeShortTable(t testing.TB) {
	t.Helper()
	page, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	writeTable(t, readmeFile, shortHead, shortTable(t, string(page)))
}

// shortTable is the table of docs/loaders.md with a row for each kernel and what its loaders have in common, and a column for
// each platform and policy.
func shortTable(t testing.TB, page string) (rows []string) {
	t.Helper()
	_, table, _ := strings.Cut(page, tableHead)
	table, _, _ = strings.Cut(table, "<!-- end of table -->")
	type row struct{ kernel, loaders, cells string }
	var all []row
	var cells []string
	for line := range strings.Lines(table) {
		words := strings.Split(strings.Trim(strings.TrimSpace(line), "| "), " | ")
		if len(words) != 8 {
			t.Fatalf("docs/loaders.md has a row of another form: %s", line)
		}
		kernel, loader, told, end := words[0], words[1], words[5], words[7]
		early, end, accepted := strings.Cut(end, "; ")
		if !accepted {
			end = early
		}
		cell := told
		if end != "powers off" {
			cell = end
		} else if accepted {
			cell += " ¹"
		}
		if cells = append(cells, cell); len(cells) < 5 {
			continue
		}
		next := row{kernel, loader, strings.Join(cells, " | ")}
		cells = nil
		same := func(r row) bool { return r.kernel == next.kernel && r.cells == next.cells }
		if i := slices.IndexFunc(all, same); i >= 0 {
			all[i].loaders += "; " + loader
		} else {
			all = append(all, next)
		}
	}
	for _, r := range all {
		rows = append(rows, "| "+r.kernel+" | "+r.loaders+" | "+r.cells+" |")
	}
	return rows
}

// README has the short table, which says the same as the long one, of which each row is what a boot showed.
func TestReadmeHasLoaders(t *testing.T) {
	page, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	rows := shortTable(t, string(page))
	readme, err := os.ReadFile(readmeFile)
	if err != nil {
		t.Fatal(err)
	}
	if want := shortHead + strings.Join(rows, "\n") + "\n"; !strings.Contains(string(readme), want) {
		t.Errorf("README (TestLoaders with -loaders writes it anew) does not have:\n%s", want)
	}
}
