package imagetest

import (
	"archive/tar"
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cavaliergopher/cpio"
	"github.com/klauspost/compress/zstd"
)

// Tar makes a tar archive of files, sorted by their paths.
func Tar(t testing.TB, files Files) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &tar.Header{Name: "./" + name, Mode: 0o644, Size: int64(len(files[name]))}
		target, link := strings.CutPrefix(string(files[name]), "-> ")
		if link {
			header.Typeflag, header.Linkname, header.Size = tar.TypeSymlink, target, 0
		}
		err := w.WriteHeader(header)
		if err == nil && !link {
			_, err = w.Write(files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Zstd compresses.
func Zstd(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

// Deb makes a Debian package.
func Deb(t testing.TB, files Files) []byte {
	t.Helper()
	out := []byte("!<arch>\n")
	for _, m := range []struct {
		name    string
		content []byte
	}{
		{"debian-binary", []byte("2.0\n")}, {"control.tar", Tar(t, nil)}, {"data.tar.zst", Zstd(t, Tar(t, files))},
	} {
		out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", m.name, 0, 0, 0, 0o100644, len(m.content))
		if out = append(out, m.content...); len(out)%2 != 0 {
			out = append(out, '\n')
		}
	}
	return out
}

// Cpio makes a cpio archive.
func Cpio(t testing.TB, files Files) []byte {
	t.Helper()
	var out bytes.Buffer
	w := cpio.NewWriter(&out)
	files = maps.Clone(files)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &cpio.Header{Name: "./" + name, Mode: cpio.TypeReg | 0o644, Size: int64(len(files[name]))}
		target, link := strings.CutPrefix(string(files[name]), "-> ")
		if link {
			header.Mode, header.Size = cpio.TypeSymlink|0o777, int64(len(target))
			files[name] = []byte(target)
		}
		err := w.WriteHeader(header)
		if err == nil {
			_, err = w.Write(files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
