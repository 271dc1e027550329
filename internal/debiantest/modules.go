package debiantest

import (
	"archive/tar"
	"errors"
	"io"
	"os/exec"
	"path"
	"testing"
)

// Named reads files of the package at a path by their names without directories, such as modules of a kernel, in the order of
// the names.
func Named(t testing.TB, deb string, names ...string) (files [][]byte) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "dpkg-deb", "--fsys-tarfile", deb)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	files = make([][]byte, len(names))
	for archive := tar.NewReader(out); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range names {
			if path.Base(header.Name) == name {
				if files[i], err = io.ReadAll(archive); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if files[i] == nil {
			t.Fatalf("%s has no %s", deb, name)
		}
	}
	return files
}
