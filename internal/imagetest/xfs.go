package imagetest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// XFS makes an XFS file system in a file of so many MiB, at least 16. More arguments go to mkfs.xfs. It is filled
// by a prototype, so that nothing is mounted, in which blanks in names become hyphens.
func XFS(t testing.TB, mib int, files Files, args ...string) string {
	t.Helper()
	hyphens := Files{}
	for name, content := range files {
		hyphens[strings.ReplaceAll(name, " ", "-")] = content
	}
	files = hyphens
	path, dir := blank(t, mib), Directory(t, files)
	proto := filepath.Join(t.TempDir(), "prototype")
	if err := os.WriteFile(proto, []byte(xfsPrototype(dir, files)), 0o600); err != nil {
		t.Fatal(err)
	}
	// mkfs.xfs makes no file system below 300 MiB, unless it is for tests: then these are set.
	small := []string{"TEST_DIR=" + dir, "TEST_DEV=" + path, "QA_CHECK_FS=1"}
	run(t, nil, "env", slices.Concat(small, []string{"mkfs.xfs", "-q", "-p", proto}, args, []string{path})...)
	return path
}

// xfsPrototype is what a file system is to have, in the language of mkfs.xfs: of each thing a name, type and rights, owner
// and group, and where a file's bytes are; what is in a directory, and a dollar sign.
func xfsPrototype(dir string, files Files) string {
	var b strings.Builder
	b.WriteString("/none\n0 0\nd--755 0 0\n")
	var open []string // the directories that have been begun
	end := func(n int) {
		for ; len(open) > n; open = open[:len(open)-1] {
			b.WriteString("$\n")
		}
	}
	// By components, so that a directory is begun once.
	names := slices.SortedFunc(maps.Keys(files), func(a, b string) int {
		return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
	})
	for _, name := range names {
		above := strings.Split(name, "/")
		last := above[len(above)-1]
		above = above[:len(above)-1]
		shared := 0
		for shared < min(len(open), len(above)) && open[shared] == above[shared] {
			shared++
		}
		end(shared)
		for _, d := range above[shared:] {
			fmt.Fprintf(&b, "%s d--755 0 0\n", d)
			open = append(open, d)
		}
		if target, ok := strings.CutPrefix(string(files[name]), "-> "); ok {
			fmt.Fprintf(&b, "%s l--777 0 0 %s\n", last, target)
		} else {
			fmt.Fprintf(&b, "%s ---644 0 0 %s\n", last, filepath.Join(dir, filepath.FromSlash(name)))
		}
	}
	end(0)
	b.WriteString("$\n")
	return b.String()
}
