package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// testName is how docs/rules.md names a test: its package's path, and the function.
var testName = regexp.MustCompile("`([a-z0-9/]+)\\.(Test[A-Za-z0-9]+)`")

// Every row of docs/rules.md says what the rule is, what is answered, who says so, and which tests hold the machine to it; and
// there are such tests.
func TestRules(t *testing.T) {
	const root = "../.."
	page, err := os.ReadFile(filepath.Join(root, "docs", "rules.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]map[string]bool{}
	rows := 0
	for line := range strings.Lines(string(page)) {
		row := strings.ReplaceAll(strings.TrimSpace(line), `\|`, "")
		if !strings.HasPrefix(row, "| ") || strings.HasPrefix(row, "| rule |") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(row, "|"), "|")
		if len(cells) != 4 {
			t.Errorf("%d cells, want 4: %s", len(cells), row)
			continue
		}
		for _, cell := range cells {
			if strings.TrimSpace(cell) == "" {
				t.Errorf("an empty cell: %s", row)
			}
		}
		named := testName.FindAllStringSubmatch(cells[3], -1)
		if len(named) == 0 {
			t.Errorf("no test is named: %s", row)
		}
		for _, n := range named {
			if tests[n[1]] == nil {
				tests[n[1]] = testsOf(t, filepath.Join(root, filepath.FromSlash(n[1])))
			}
			if !tests[n[1]][n[2]] {
				t.Errorf("there is no %s in %s: %s", n[2], n[1], row)
			}
		}
	}
	if rows < 100 {
		t.Errorf("only %d rules were found", rows)
	}
}

// testsOf are the names of the test functions of a directory.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if f, is := d.(*ast.FuncDecl); is && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}
