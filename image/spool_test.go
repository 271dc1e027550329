package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Disks come compressed, and in archives, as clouds import them.
func TestPackedDisks(t *testing.T) {
	esp := imagetest.FAT(t, 16, 16, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": []byte("loader")})
	root := imagetest.Ext(t, 4, 16, imagetest.Files{"boot/vmlinuz": []byte("kernel")})
	parts := []imagetest.Partition{{Type: imagetest.ESP, Path: esp}, {Type: imagetest.Linux, Path: root}}
	gpt, dos := imagetest.Disk(t, "gpt", parts...), imagetest.Disk(t, "dos", parts...)
	dir := t.TempDir()
	packed := func(name, command string) string {
		path := filepath.Join(dir, name)
		imagetest.Run(t, "sh", "-c", fmt.Sprintf(command, path))
		return path
	}
	tarOf := func(disk, flags string) string {
		inside := t.TempDir()
		if err := os.Rename(disk, filepath.Join(inside, "disk.raw")); err != nil {
			t.Fatal(err)
		}
		defer os.Rename(filepath.Join(inside, "disk.raw"), disk)
		return packed("x"+fmt.Sprint(len(flags))+filepath.Base(inside)+".tar", "tar "+flags+" -C "+inside+" -cf %s disk.raw")
	}
	for name, c := range map[string]struct{ path, prefix string }{
		"gzip": {packed("a.gz", "gzip -c "+gpt+" >%s"), ""}, "xz": {packed("a.xz", "xz -0 -T2 -c "+gpt+" >%s"), ""},
		"bzip2": {packed("a.bz2", "bzip2 -1 -c "+gpt+" >%s"), ""}, "zstd": {packed("a.zst", "zstd -q -c "+gpt+" >%s"), ""},
		"gzip, MBR":      {packed("b.gz", "gzip -c "+dos+" >%s"), ""},
		"gzip of qcow2":  {packed("c.gz", "gzip -c "+imagetest.Qcow2(t, gpt)+" >%s"), ""},
		"tar.gz":         {tarOf(gpt, "-z"), "/disk.raw: "},
		"tar.gz, sparse": {tarOf(gpt, "-z -S --format=oldgnu"), "/disk.raw: "},
		"tar.xz, by PAX": {tarOf(dos, "-J -S --format=posix"), "/disk.raw: "},
		"tar":            {tarOf(gpt, ""), "/disk.raw: "},
		"a tar of qcow2": {tarOf(imagetest.Qcow2(t, gpt), ""), "/disk.raw: "},
		"a tar with MBR": {tarOf(dos, ""), "/disk.raw: "},
	} {
		_, files := look(t, c.path)
		want := map[string]string{
			c.prefix + "partition 1EFI/BOOT/BOOTX64.EFI": "loader", c.prefix + "partition 2boot/vmlinuz": "kernel",
		}
		for file, content := range want {
			if string(files[file]) != content {
				t.Errorf("%s: %s is %q of %d files", name, file, files[file], len(files))
			}
		}
	}
	// A file system without a partition table.
	for name, path := range map[string]string{"FAT": esp, "ext4": root} {
		if c, files := look(t, packed(name+".gz", "gzip -c "+path+" >%s")); len(files) == 0 ||
			c.Format != "disk image, compressed with gzip" {
			t.Errorf("%s: %s of %d files", name, c.Format, len(files))
		}
	}
}

// What is compressed and no disk is named as if it were not.
func TestPackedOthers(t *testing.T) {
	kernel := bzImage([]byte("payload"))
	if c, files := look(t, writeFile(t, gzipped(t, kernel))); c.Format != formatFile || len(files) != 1 {
		t.Errorf("%+v", c)
	}
	for want, b := range map[string][]byte{
		"compressed with gzip: a VMDK disk image, not read":       append([]byte("KDMV"), make([]byte, 1000)...),
		"compressed with gzip: an initramfs, which has no kernel": append([]byte("070701"), make([]byte, 1000)...),
		"compressed with gzip: F2FS is not read: mount it":        append(append(make([]byte, 1024), "\x10\x20\xf5\xf2"...), make([]byte, 1000)...),
		"that is no tar archive; unpack it first":                 []byte("text"),
		"a file compressed with gzip that is no tar archive":      make([]byte, 1<<20),
	} {
		_, err := lookAtBytes(gzipped(t, b))
		wantError(t, want, err, want)
	}
}

// Nothing is left of what was unpacked, and what is damaged or too large is told.
func TestSpoolBounds(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	disk := readFile(t, imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 16, 16, nil)}))
	packed := gzipped(t, disk)
	_, err := lookAtBytes(packed[:len(packed)-100])
	wantError(t, "truncated gzip", err, "compressed with gzip: gzip: unexpected EOF")
	archive := imagetest.Tar(t, imagetest.Files{"disk.raw": disk})
	_, err = lookAtBytes(archive[:len(archive)/2])
	wantError(t, "truncated tar", err, "damaged tar archive: unexpected EOF")

	// A disk of holes is one of few bytes here, and is as large as the archive says.
	holes := sparseTar(t, disk[:64<<10], maxSpooled+1<<20)
	if got := complaints(lookAtBytes(holes)); !strings.Contains(got, "a disk of more than 68719476736 bytes: unpack it first") {
		t.Errorf("%q", got)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Look(ctx, writeFile(t, packed), everything{}, nil); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("%v", err)
	}
	if _, _, err := spool(io.MultiReader(bytes.NewReader(disk), failing{})); err != os.ErrPermission {
		t.Errorf("%v", err)
	}
}

// sparseTar is an archive with a file of size bytes, most of which it does not have.
func sparseTar(t *testing.T, data []byte, size int64) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	sparse := fmt.Sprintf("1\n0\n%d\n", len(data))
	sparse += strings.Repeat("\x00", 512-len(sparse))
	if err := w.WriteHeader(&tar.Header{
		Typeflag: tar.TypeXGlobalHeader, Name: "pax", PAXRecords: map[string]string{"comment": "x"},
	}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	records := ""
	for _, r := range [][2]string{
		{"GNU.sparse.major", "1"}, {"GNU.sparse.minor", "0"}, {"GNU.sparse.name", "disk.raw"}, {"GNU.sparse.realsize", fmt.Sprint(size)},
	} {
		line := " " + r[0] + "=" + r[1] + "\n"
		n := len(line) + 2
		records += fmt.Sprintf("%d%s", n, line)
	}
	header := func(kind byte, name string, size int) []byte {
		b := make([]byte, 512)
		copy(b, name)
		copy(b[100:], "0000644\x000000000\x000000000\x00")
		copy(b[124:], fmt.Sprintf("%011o\x00%011o\x00", size, 0))
		copy(b[148:], "        ")
		b[156] = kind
		copy(b[257:], "ustar\x0000")
		sum := 0
		for _, c := range b {
			sum += int(c)
		}
		copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
		return b
	}
	pad := func(b []byte) []byte { return append(b, make([]byte, (512-len(b)%512)%512)...) }
	all := append(header('x', "pax", len(records)), pad([]byte(records))...)
	all = append(all, header('0', "GNUSparseFile/disk.raw", len(sparse)+len(data))...)
	return append(append(append(all, sparse...), data...), make([]byte, 1024)...)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, os.ErrPermission }
