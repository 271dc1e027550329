package image

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

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
		dir := imagetest.Layout(t, c.layers...)
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
		d, err := OpenDisk(t.Context(), imagetest.Layout(t, c.layers...))
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
	kernel := imagetest.Layout(t, imagetest.Tar(t, imagetest.Files{"etc/passwd": nil}))
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

// Of a container image with a boot loader is made the EFI system partition that its installer would make, with a loader in place or
// one that it keeps for installers, which is told to start the kernel. An image without both has none.
func TestInstalled(t *testing.T) {
	kernel := bzImage([]byte("6.12.1"))
	uki := imagetest.PE(imagetest.Section{Name: ".linux", Data: kernel})
	loader := func(name string) []byte { return imagetest.PE(imagetest.Section{Name: ".text", Data: []byte(name)}) }
	systemd := loader("#### LoaderInfo: systemd-boot 257 ####")
	const modules, sdBoot = "usr/lib/modules/6.12.1/vmlinuz", "usr/lib/systemd/boot/efi/systemd-bootx64.efi"
	for what, c := range map[string]struct {
		files imagetest.Files
		want  map[string]string // a part of each file of the partition; nil for none
	}{
		"in place": {imagetest.Files{"boot/efi/EFI/BOOT/BOOTX64.EFI": loader("shim"), "boot/efi/EFI/debian/grubx64.efi": loader("grub"), "boot/efi/EFI/debian/grub.cfg": []byte("theirs"), "boot/vmlinuz": kernel, "etc/passwd": nil},
			map[string]string{"EFI/BOOT/BOOTX64.EFI": "shim", "EFI/BOOT/GRUB.CFG": "linux", "EFI/debian/GRUBX64.EFI": "grub", "EFI/debian/GRUB.CFG": "linux /vmlinuz quiet", "VMLINUZ": "6.12.1", "INITRD.IMG": "ours"}},
		"in the root": {imagetest.Files{"EFI/BOOT/bootx64.efi": systemd, "loader/entries/theirs.conf": []byte("theirs"), "vmlinuz": kernel, modules: kernel},
			map[string]string{"EFI/BOOT/BOOTX64.EFI": "systemd-boot", "VMLINUZ": "6.12.1", "INITRD.IMG": "ours", "loader/entries/linux.conf": "linux /vmlinuz"}},
		"systemd-boot": {imagetest.Files{sdBoot: systemd, modules: kernel, "usr/lib/modules/6.12.1/initramfs.img": []byte("another")},
			map[string]string{"EFI/BOOT/BOOTX64.EFI": "systemd-boot", "VMLINUZ": "6.12.1", "INITRD.IMG": "ours", "loader/entries/linux.conf": "options quiet\n"}},
		"bootupd": {imagetest.Files{"usr/lib/bootupd/updates/EFI/BOOT/BOOTX64.EFI": loader("shim"), "usr/lib/bootupd/updates/EFI/fedora/grubx64.efi": loader("grub"), modules: kernel, sdBoot: systemd},
			map[string]string{"EFI/BOOT/BOOTX64.EFI": "shim", "EFI/BOOT/GRUB.CFG": "linux", "EFI/fedora/GRUBX64.EFI": "grub", "EFI/fedora/GRUB.CFG": "initrd /initrd.img", "VMLINUZ": "6.12.1", "INITRD.IMG": "ours"}},
		"packages of loaders, without what firmware starts": {imagetest.Files{"usr/lib/efi/shim/15.8/EFI/fedora/shimx64.efi": loader("shim"), "usr/lib/efi/grub2/2.12/EFI/fedora/grubx64.efi": loader("grub"), modules: kernel},
			map[string]string{"EFI/BOOT/BOOTX64.EFI": "shim", "EFI/BOOT/GRUBX64.EFI": "grub", "EFI/BOOT/GRUB.CFG": "linux", "EFI/fedora/SHIMX64.EFI": "shim", "EFI/fedora/GRUBX64.EFI": "grub",
				"EFI/fedora/GRUB.CFG": "linux", "VMLINUZ": "6.12.1", "INITRD.IMG": "ours"}},
		"a loader alone":                 {imagetest.Files{sdBoot: systemd}, nil},
		"a kernel alone":                 {imagetest.Files{modules: kernel}, nil},
		"a unified one":                  {imagetest.Files{sdBoot: systemd, "usr/lib/modules/6.12.1/6.12.1.efi": uki, modules: kernel}, nil},
		"a unified one in place":         {imagetest.Files{"EFI/BOOT/BOOTX64.EFI": uki}, nil},
		"neither":                        {imagetest.Files{"etc/passwd": nil}, nil},
		"a loader for another processor": {imagetest.Files{"usr/lib/efi/grub2/2.12/EFI/fedora/grubaa64.efi": loader("x"), modules: kernel}, nil},
	} {
		dir := imagetest.Layout(t, imagetest.Tar(t, c.files))
		d, err := Installed(t.Context(), dir, []byte("ours"), "quiet")
		if c.want == nil {
			if !errors.Is(err, ErrNoDisk) {
				t.Errorf("%s: %v, %v", what, d, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		contents, err := lookInDisk(io.NewSectionReader(d, 0, d.Size()), everything{})
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, e := range contents.Volumes[0].Files {
			b, err := e.Bytes(1 << 20)
			if err != nil {
				t.Error(err)
			}
			found[strings.ToUpper(e.Name)] = string(b)
		}
		for name, part := range c.want {
			content, ok := found[strings.ToUpper(name)]
			if !ok || !strings.Contains(content, part) {
				t.Errorf("%s: %s: %v, or it lacks %q", what, name, ok, part)
			}
		}
		if len(found) != len(c.want) {
			t.Errorf("%s: %d files, want %d: %q", what, len(found), len(c.want), slices.Sorted(maps.Keys(found)))
		}
		again, err := Installed(t.Context(), dir, []byte("ours"), "quiet")
		if err != nil || again.SHA256 != d.SHA256 || len(d.SHA256) != 64 {
			t.Errorf("%s: another time it is another disk, %v", what, err)
		} else {
			again.Close()
		}
		d.Close()
	}
	if _, err := Installed(t.Context(), t.TempDir(), nil, ""); !errors.Is(err, ErrNoDisk) {
		t.Errorf("a directory: %v", err)
	}
}
