package image

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// The disk in a file has the same bytes in each form.
func TestOpenDisk(t *testing.T) {
	raw := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 16, 16, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": []byte("loader")})})
	want := readFile(t, raw)
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tar := imagetest.Tar(t, imagetest.Files{"disk.raw": want})
	for format, path := range map[string]string{
		"disk image":                                                  raw,
		"qcow2 disk image":                                            imagetest.Qcow2(t, raw, "-c"),
		"disk image, compressed with gzip":                            file("d.gz", gzipped(t, want)),
		"qcow2 disk image, compressed with gzip":                      file("q.gz", gzipped(t, readFile(t, imagetest.Qcow2(t, raw)))),
		"disk image, disk.raw of a tar archive":                       file("d.tar", tar),
		"disk image, disk.raw of a tar archive, compressed with gzip": file("d.tar.gz", gzipped(t, tar)),
	} {
		d, err := OpenDisk(t.Context(), path)
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		got := make([]byte, d.Size())
		if n, err := d.ReadAt(got, 0); n < len(got) || !bytes.Equal(got, want) || d.Format != format {
			t.Errorf("%s: %d bytes of %d, %v; or they differ; as %s", format, n, len(want), err, d.Format)
		}
		if _, err := d.ReadAt(make([]byte, 2), d.Size()-1); err == nil {
			t.Errorf("%s: read over its end", format)
		}
		if d.Close() != nil {
			t.Error("not closed")
		}
	}
	for _, none := range []string{file("text", []byte("hello")), file("no.tar", imagetest.Tar(t, imagetest.Files{"x": {1}})), file("t.gz", gzipped(t, []byte("hello"))), file("empty", nil), dir} {
		if d, err := OpenDisk(t.Context(), none); !errors.Is(err, ErrNoDisk) {
			t.Errorf("%s: %v, %v", none, d, err)
		}
	}
	if _, err := OpenDisk(t.Context(), file("x.vmdk", append([]byte("KDMV"), make([]byte, 4096)...))); err == nil || errors.Is(err, ErrNoDisk) {
		t.Errorf("a VMDK: %v", err)
	}
}
