package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
)

// A disk in a form that is not read is called by its name, though the file may end as the disk does, with the second
// copy of a partition table.
func TestDiskFormats(t *testing.T) {
	disk := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP,
		Path: imagetest.FAT(t, 16, 78, imagetest.Files{"a": {1}})})
	for _, c := range []struct {
		format, option, want string
	}{
		{"vmdk", "subformat=monolithicFlat", "VMDK"},
		{"vmdk", "subformat=twoGbMaxExtentSparse", "VMDK"},
		{"vdi", "", "VDI"}, {"vdi", "static=on", "VDI"}, {"qed", "", "QED"},
		{"parallels", "", "Parallels"}, {"qcow", "", "qcow"},
	} {
		var options []string
		if c.option != "" {
			options = []string{"-o", c.option}
		}
		path := imagetest.Convert(t, disk, c.format, options...)
		_, err := Look(t.Context(), path, everything{}, nil)
		want := "a " + c.want + " disk image, not read: convert it with qemu-img convert -O raw"
		wantError(t, c.format+" "+c.option, err, want)
		head := readFile(t, path)
		if got := DiskFormat(head[:min(len(head), HeadSize)]); got != c.want {
			t.Errorf("%s: by its first bytes it is %q", c.format, got)
		}
	}
	// A fixed VHD, as Azure wants it, is the disk itself with a footer.
	if _, files := look(t, imagetest.Convert(t, disk, "vpc", "-o", "subformat=fixed,force_size=on")); len(files) != 1 {
		t.Errorf("%d files in a fixed VHD", len(files))
	}
}

// A sound qcow2 file that has no data of its own is not called damaged.
func TestQcow2DataFile(t *testing.T) {
	disk := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 16, 16, nil)})
	data := filepath.Join(t.TempDir(), "data")
	for _, option := range []string{"data_file=" + data, "data_file=" + data + ",data_file_raw=on"} {
		_, err := Look(t.Context(), imagetest.Qcow2(t, disk, "-o", option), everything{}, nil)
		wantError(t, option, err, "a qcow2 disk image whose data are in another file: flatten it with qemu-img convert")
	}
	newer := readFile(t, imagetest.Qcow2(t, disk))
	newer[72] = 1
	_, err := lookAtBytes(newer)
	wantError(t, "a feature that does not exist yet", err, "features 0x100000000000000, which are not supported")
	dirty := readFile(t, imagetest.Qcow2(t, disk, "-o", "lazy_refcounts=on"))
	dirty[79] |= 1
	if c, err := lookAtBytes(dirty); err != nil || len(c.Volumes) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

// What was put over the beginning of a disk hides the table at its end.
func TestLeftoverGPT(t *testing.T) {
	disk := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 16, 16, nil)})
	fat := readFile(t, imagetest.FAT(t, 16, 16, imagetest.Files{"b": {1}}))
	b := readFile(t, disk)
	copy(b, fat)
	c, err := lookAtBytes(b)
	if err != nil || len(c.Volumes) != 1 || c.Volumes[0].Name != "" || len(c.Volumes[0].Files) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

// File systems that are not read are called by their names.
func TestFileSystemNames(t *testing.T) {
	dir := t.TempDir()
	exfat := filepath.Join(dir, "exfat")
	if err := os.WriteFile(exfat, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	imagetest.Run(t, "mkfs.exfat", exfat)
	_, err := Look(t.Context(), exfat, everything{}, nil)
	wantError(t, "exFAT", err, "exFAT is not read: mount it and inspect the directory")
	disk := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.Linux, Path: exfat})
	c, err := Look(t.Context(), disk, everything{}, nil)
	if err != nil || c.Volumes[0].Format != "exFAT" || !strings.Contains(c.Volumes[0].Unread, "exFAT is not read") {
		t.Errorf("%+v, %v", c, err)
	}
	for _, s := range fileSystems {
		b := make([]byte, 0x12000)
		copy(b[s.at:], s.bytes)
		if name, _ := foreign(headReader(b)); name != s.what {
			t.Errorf("%s is called %q", s.what, name)
		}
	}
}

// An ISO 9660 file system is named whatever partition table lies over it.
func TestISO(t *testing.T) {
	files := imagetest.Files{"boot/vmlinuz": []byte("kernel"), "boot/grub/grub.cfg": []byte("linux /boot/vmlinuz\n")}
	rescue := filepath.Join(t.TempDir(), "rescue.iso")
	imagetest.Run(t, "grub-mkrescue", "-o", rescue, imagetest.Directory(t, files))
	for what, path := range map[string]string{
		"grub-mkrescue": rescue, "GPT": imagetest.ISO(t, "gpt", files), "MBR": imagetest.ISO(t, "dos", files),
	} {
		c, err := Look(t.Context(), path, everything{}, nil)
		if err != nil || c.Volumes[0].Unread != "ISO 9660 is not read: mount it and inspect the directory" {
			t.Errorf("%s: %+v, %v", what, c, err)
		}
	}
}
