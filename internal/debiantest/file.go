// Package debiantest has tests read what scripts/fetch-kernels has fetched of Debian's packages.
package debiantest

import (
	"path/filepath"
	"testing"

	"github.com/tacit-vm/tacit/image"
)

// File reads a file of a package. The package lies in a directory, and is the only one there whose name has the pattern.
func File(t testing.TB, directory, pattern, path string) []byte {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(directory, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d packages %s in %s: run scripts/fetch-kernels --all", len(found), pattern, directory)
	}
	contents, err := image.Look(t.Context(), found[0], only(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer contents.Close()
	if v := contents.Volumes; len(v) == 1 && len(v[0].Files) == 1 {
		b, err := v[0].Files[0].Bytes(64 << 20)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	t.Fatalf("%s has no %s", found[0], path)
	return nil
}

// only wants the file of that path.
type only string

func (o only) Directory(string) bool                    { return true }
func (o only) File(path string, _ int64, _ []byte) bool { return path == string(o) }
