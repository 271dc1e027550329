// Package house holds the picture of the house in the README against what the packages import.
package house

import (
	"cmp"
	"errors"
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/tacit-vm/tacit/"

// outside are packages that the picture leaves out: examples, and what serves tests alone. No package of the house
// imports them.
var outside = map[string]bool{
	"ci": true, "deploy": true, "examples/baremetal": true, "examples/firmware": true,
	"internal/browsertest": true, "internal/debiantest": true, "internal/guesttest": true, "internal/guesttest/init": true, "internal/imagetest": true, "internal/house": true, "internal/mutate": true, "internal/stacks": true, "internal/state/statetest": true, "internal/x86/enginetest": true, "internal/x86/hostcode/hostcodetest": true,
}

// floors returns on which floor of the README's picture each package stands; 0 is the topmost.
func floors(t *testing.T) map[string]int {
	t.Helper()
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, picture, found := strings.Cut(string(page), "\n## The house\n")
	if !found {
		t.Fatal("the README has no section \"The house\"")
	}
	floor, of := 0, map[string]int{}
	for line := range strings.Lines(picture) {
		text, indented := strings.CutPrefix(line, "    ")
		switch {
		case !indented && len(of) > 0 && strings.TrimSpace(line) != "":
			return of
		case !indented:
		case strings.HasPrefix(text, "──") || strings.HasPrefix(text, "══"):
			floor++
		default:
			names, _, _ := strings.Cut(text, "  ")
			for name := range strings.SplitSeq(names, ", ") {
				of[name] = floor
			}
		}
	}
	return of
}

// packages returns what each package imports. It reads the sources itself, so that the go command's cache of results sees
// when they change.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	const root = "../.."
	imports := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); path != root && (name == "testdata" || name == "kernels" || strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		p, err := build.ImportDir(path, 0)
		if none := (*build.NoGoError)(nil); errors.As(err, &none) {
			return nil
		}
		name, relErr := filepath.Rel(root, path)
		imports[filepath.ToSlash(name)] = p.Imports
		return cmp.Or(err, relErr)
	})
	if err != nil {
		t.Fatal(err)
	}
	return imports
}

// What the picture says is so: every package stands in it, and none imports one that stands above.
func TestPictureOfTheHouse(t *testing.T) {
	floor := floors(t)
	exists := map[string]bool{}
	for name, imports := range packages(t) {
		exists[name] = true
		if outside[name] {
			continue
		}
		at, shown := floor[name]
		if !shown {
			t.Errorf("%s is not in the picture", name)
			continue
		}
		for _, path := range imports {
			imported, own := strings.CutPrefix(path, module)
			if !own {
				continue
			}
			if to, shown := floor[imported]; !shown || to < at {
				t.Errorf("%s imports %s, which does not stand below it or beside it", name, imported)
			}
		}
	}
	for name := range floor {
		if !exists[name] {
			t.Errorf("the picture has %s, which does not exist", name)
		}
	}
}
