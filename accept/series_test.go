package accept_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/series.md names tests and examples that exist. That they pass is for them to show.
func TestSeries(t *testing.T) {
	page, err := os.ReadFile("../docs/series.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile("`go test (\\./[^`]*?) -run '?([^`']*)'?`").FindAllStringSubmatch(string(page), -1)
	if len(commands) < 20 {
		t.Fatalf("%d commands in docs/series.md", len(commands))
	}
	for _, c := range commands {
		for _, dir := range strings.Fields(c[1]) {
			tests := testsOf(t, filepath.Join("..", dir))
			for _, pattern := range strings.Split(c[2], `\|`) { // as a table has it
				if name, err := regexp.Compile(`(?m)^` + pattern); err != nil || !name.MatchString(tests) {
					t.Errorf("there is no %s in %s (%v)", pattern, dir, err)
				}
			}
		}
	}
}

// testsOf returns the names of the tests and examples in a directory, a line each.
func testsOf(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %d files of tests", dir, err, len(files))
	}
	var names strings.Builder
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`(?m)^func ((?:Test|Example)\w*)\(`).FindAllStringSubmatch(string(source), -1) {
			names.WriteString(name[1] + "\n")
		}
	}
	return names.String()
}
