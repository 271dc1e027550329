package image

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// The disk in a file has the same bytes in each form.
func TestOpenDisk(t *testing.T) {
	raw := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 16, 16, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": []byte("loader")})})
	want := readFile(t, raw)
	for i := range 300 { // among the zeros
		copy(want[i*40_000+3<<20:], fmt.Sprint("here ", i))
	}
	if err := os.WriteFile(raw, want, 0o600); err != nil {
		t.Fatal(err)
	}
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
	if _, err := OpenDisk(t.Context(), file("x.qed", append([]byte("QED\x00"), make([]byte, 4096)...))); err == nil || errors.Is(err, ErrNoDisk) {
		t.Errorf("a QED: %v", err)
	}
}

// A disk that nothing is started from may have anything in it, as long as it is no kernel by mistake.
func TestOpenData(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	seed := make([]byte, 36<<10)
	copy(seed[32<<10:], "\x01CD001\x01")
	fat := readFile(t, imagetest.FAT(t, 12, 2, imagetest.Files{"a": {1}}))
	for name, want := range map[string][]byte{"seed.iso": seed, "blank": make([]byte, 1<<20), "fat": fat} {
		d, err := OpenData(t.Context(), file(name, want))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := make([]byte, d.Size())
		if _, err := d.ReadAt(got, 0); err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(got, want) || d.File.Size() != d.Size() {
			t.Errorf("%s: %d bytes, %v", name, d.Size(), err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	kernel := make([]byte, 4096)
	copy(kernel, "\x7fELF")
	for name, b := range map[string][]byte{"kernel": kernel, "odd": make([]byte, 1000), "empty": nil} {
		if d, err := OpenData(t.Context(), file(name, b)); !errors.Is(err, ErrNoDisk) {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
}

// Damaged disks of each form are errors, and take neither memory nor time.
func TestHostileDiskForms(t *testing.T) {
	raw := imagetest.FAT(t, 12, 2, imagetest.Files{"a": {1}})
	for _, form := range [][]string{{"vmdk"}, {"vmdk", "-o", "subformat=streamOptimized"}, {"vhdx"}, {"vpc", "-o", "force_size=on"}} {
		sound := readFile(t, imagetest.Convert(t, raw, form[0], form[1:]...))
		for at := range min(len(sound), 4<<20) {
			if sound[at] == 0 || at > 4096 && at%512 > 64 {
				continue
			}
			for _, v := range []byte{0, 0xff} {
				b := bytes.Clone(sound)
				b[at] = v
				c, _ := lookAtBytes(b)
				if c != nil {
					c.Close()
				}
			}
			if testing.Short() || at > 200_000 {
				break
			}
		}
	}
}
