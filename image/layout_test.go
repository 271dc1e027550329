package image

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// layoutOf makes an OCI layout of an image of layers.
func layoutOf(t *testing.T, layers ...[]byte) string {
	t.Helper()
	dir := t.TempDir()
	blob := func(b []byte) string {
		sum := sha256.Sum256(b)
		digest := hex.EncodeToString(sum[:])
		path := filepath.Join(dir, "blobs", "sha256", digest)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600)); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"digest":"sha256:%s","size":%d}`, digest, len(b))
	}
	var all []string
	for _, l := range layers {
		all = append(all, blob(l))
	}
	index := fmt.Sprintf(`{"schemaVersion":2,"manifests":[%s]}`, blob([]byte(`{"layers":[`+strings.Join(all, ",")+`]}`)))
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "index.json"), []byte(index), 0o600),
		os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o600)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Of a container image is opened what firmware would start, or else a unified kernel image, or else the last kernel; layers
// above hide those below. What is no image, or has nothing to start, says so.
func TestOpenLayout(t *testing.T) {
	kernel := func(release string) []byte { return bzImage([]byte(release)) }
	uki := imagetest.PE(imagetest.Section{Name: ".linux", Data: kernel("6.1.0")})
	loader := imagetest.PE(imagetest.Section{Name: ".text", Data: []byte("loader")})
	tar := func(files imagetest.Files) []byte { return imagetest.Tar(t, files) }
	for what, c := range map[string]struct {
		layers [][]byte
		want   string // the end of Source, or an error
	}{
		"a kernel beside its modules": {[][]byte{tar(imagetest.Files{"usr/lib/modules/6.12.1/vmlinuz": kernel("6.12.1"), "usr/bin/vmlinuz": kernel("1.0.0")})}, ": usr/lib/modules/6.12.1/vmlinuz"},
		"a newer one above":           {[][]byte{tar(imagetest.Files{"boot/vmlinuz-6.1.0": kernel("6.1.0")}), tar(imagetest.Files{"boot/vmlinuz-6.12.1": kernel("6.12.1")})}, ": boot/vmlinuz-6.12.1"},
		"one that is gone":            {[][]byte{tar(imagetest.Files{"boot/vmlinuz-6.1.0": kernel("6.1.0"), "kernel": kernel("6.12.1")}), tar(imagetest.Files{"boot/.wh.vmlinuz-6.1.0": nil})}, ": kernel"},
		"a unified one":               {[][]byte{tar(imagetest.Files{"boot/vmlinuz-6.1.0": kernel("6.1.0"), "boot/EFI/Linux/a.efi": uki})}, ": boot/EFI/Linux/a.efi"},
		"what firmware would start":   {[][]byte{tar(imagetest.Files{"boot/EFI/Linux/z.efi": uki, "EFI/BOOT/BOOTX64.EFI": uki})}, ": EFI/BOOT/BOOTX64.EFI"},
		"a loader":                    {[][]byte{tar(imagetest.Files{"EFI/BOOT/BOOTX64.EFI": loader})}, "no kernel and no unified kernel image"},
		"nothing":                     {[][]byte{tar(imagetest.Files{"etc/passwd": nil})}, "no kernel and no unified kernel image"},
		"no archive":                  {[][]byte{[]byte("a disk")}, "no kernel"},
	} {
		dir := layoutOf(t, c.layers...)
		img, err := Open(t.Context(), dir)
		got := fmt.Sprint(err)
		if err == nil {
			got = img.Source
		}
		if !strings.Contains(got, c.want) || err == nil && !strings.HasSuffix(got, c.want) {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
	if _, err := Open(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "no OCI layout") {
		t.Error(err)
	}
}

// The disk of an image is a layer, or the first file of one, of the uppermost that has one; it is known by its layer's digest.
func TestDiskInLayout(t *testing.T) {
	disk, err := os.ReadFile(imagetest.FAT(t, 12, 1, nil))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(imagetest.FAT(t, 12, 2, nil))
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		layers [][]byte
		from   int // layer
		size   int
	}{
		"a layer":            {[][]byte{disk}, 0, len(disk)},
		"a file of one":      {[][]byte{imagetest.Tar(t, imagetest.Files{"disk/debian.img": disk})}, 0, len(disk)},
		"the uppermost":      {[][]byte{other, disk}, 1, len(disk)},
		"below what is none": {[][]byte{disk, imagetest.Tar(t, imagetest.Files{"etc/motd": []byte("hello")})}, 0, len(disk)},
	} {
		d, err := OpenDisk(t.Context(), layoutOf(t, c.layers...))
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		sum := sha256.Sum256(c.layers[c.from])
		b := make([]byte, len(disk))
		if _, err := d.ReadAt(b, 0); err != nil || !bytes.Equal(b, disk) || d.Size() != int64(c.size) || d.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: %d bytes, digest %.8s, %v", what, d.Size(), d.SHA256, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	kernel := layoutOf(t, imagetest.Tar(t, imagetest.Files{"etc/passwd": nil}))
	if _, err := OpenDisk(t.Context(), kernel); !errors.Is(err, ErrNoDisk) {
		t.Error(err)
	}
	if _, err := OpenDisk(t.Context(), t.TempDir()); !errors.Is(err, ErrNoDisk) {
		t.Error(err)
	}
	// Layouts that are not whole, or lead in a circle.
	for what, index := range map[string]string{
		"a layer that is not there": `{"layers":[{"digest":"sha256:00"}]}`, "no JSON": "<", "out of it": `{"layers":[{"digest":"../../../../etc:passwd"}]}`,
		"a circle": `{"manifests":[{"digest":"..:index.json"}]}`,
	} {
		dir := t.TempDir()
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, "blobs"), 0o700), os.WriteFile(filepath.Join(dir, "index.json"), []byte(index), 0o600)); err != nil {
			t.Fatal(err)
		}
		if d, err := OpenDisk(t.Context(), dir); err == nil || d != nil {
			t.Errorf("%s: opened", what)
		}
	}
}
