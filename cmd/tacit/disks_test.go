package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/record"
)

// Firmware starts what is on a disk, in whatever form the disk is kept; the file stays as it was, and the record names it.
func TestBootDisk(t *testing.T) {
	t.Parallel()
	esp := imagetest.FAT(t, 16, 16, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": guest.Demo()})
	raw := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: esp})
	other := imagetest.FAT(t, 16, 16, nil)
	for format, path := range map[string]string{"disk image": raw, "qcow2 disk image": imagetest.Qcow2(t, raw, "-c")} {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(t.TempDir(), "record.json")
		var stdout, stderr bytes.Buffer
		status := execute(t.Context(), []string{"boot", "-q", "--platform", "snp", "--memory", "1G", "--disk", other, "--json", to, path}, &stdout, &stderr, boot)
		written, err := os.ReadFile(to)
		if err != nil {
			t.Fatal(err, stderr.String())
		}
		var r record.Record
		if err := json.Unmarshal(written, &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Disks) != 2 || r.Disks[0].Format != format || r.Disks[0].SHA256 != fmt.Sprintf("%x", sha256.Sum256(before)) || r.Disks[1].Name != filepath.Base(other) {
			t.Errorf("%s: %+v", format, r.Disks)
		}
		if status != 0 || r.Outcome != record.PowerOff || len(r.Path.Images) == 0 || !strings.HasSuffix(r.Path.Images[0].Name, "BOOTX64.EFI") {
			t.Errorf("%s: status %d, %s, %+v\n%s", format, status, r.Outcome, r.Path, stderr.String())
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: the file has changed, %v", format, err)
		}
	}
}

// A disk that is only the changes to another one boots, and its checksum is that of both files.
func TestBootBackingFile(t *testing.T) {
	t.Parallel()
	esp := imagetest.FAT(t, 16, 16, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": guest.Demo()})
	base := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: esp})
	top := imagetest.Overlay(t, base, "raw", "top.qcow2")
	sum := func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%x", sha256.Sum256(b))
	}
	want := fmt.Sprintf("%x", sha256.Sum256([]byte(sum(top)+"\n"+sum(base)+"\n")))
	to := filepath.Join(t.TempDir(), "record.json")
	var stdout, stderr bytes.Buffer
	status := execute(t.Context(), []string{"boot", "-q", "--memory", "1G", "--json", to, top}, &stdout, &stderr, boot)
	written, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err, stderr.String())
	}
	var r record.Record
	if err := json.Unmarshal(written, &r); err != nil {
		t.Fatal(err)
	}
	if status != 0 || r.Outcome != record.PowerOff || len(r.Disks) != 1 || r.Disks[0].SHA256 != want || r.Disks[0].Format != "qcow2 disk image on another file" {
		t.Errorf("status %d, %s, %+v, want the checksum %s", status, r.Outcome, r.Disks, want)
	}
	if got, err := fileDigest(t.Context(), top, nil); got != want {
		t.Errorf("of the file it is %s, %v", got, err)
	}
}

// Without an image it is a disk that is booted.
func TestBootDiskAlone(t *testing.T) {
	t.Parallel()
	esp := imagetest.FAT(t, 16, 16, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": guest.Demo()})
	var stdout, stderr bytes.Buffer
	status := execute(t.Context(), []string{"boot", "--memory", "1G", "--disk", imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: esp})}, &stdout, &stderr, boot)
	if status != 0 || strings.Contains(stderr.String(), "own guest") || !strings.Contains(stderr.String(), `BOOTX64.EFI`) {
		t.Errorf("status %d: %s", status, stderr.String())
	}
}

// A damaged disk is one clear line, wherever the damage is, and an end.
func TestBootOfDamagedDisk(t *testing.T) {
	t.Parallel()
	raw := imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 16, 16, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": guest.Demo()})})
	sound, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	const partition = 1 << 20
	le := binary.LittleEndian
	fat := partition + 512*int(le.Uint16(sound[partition+14:]))
	tables := 2 * 512 * int(le.Uint16(sound[partition+22:]))
	top := imagetest.Overlay(t, raw, "raw", "top.qcow2")
	packed, err := os.ReadFile(imagetest.Qcow2(t, raw, "-c"))
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		from   []byte
		damage func(b []byte) []byte
		want   string
	}{
		"both partition tables": {sound, func(b []byte) []byte { b[512+20]++; b[len(b)-512+20]++; return b }, "nothing that firmware starts"},
		"a boot sector":         {sound, func(b []byte) []byte { clear(b[partition:][:512]); return b }, "nothing that firmware starts"},
		"chains of clusters in a circle": {sound, func(b []byte) []byte {
			for at := fat + 4; at < fat+tables; at += 2 {
				le.PutUint16(b[at:], 3)
			}
			return b
		}, "EFI_VOLUME_CORRUPTED"},
		"a loader that is cut off": {sound, func(b []byte) []byte { clear(b[fat+4 : fat+tables]); return b }, "EFI_VOLUME_CORRUPTED"},
		"the end of a qcow2 file":  {packed, func(b []byte) []byte { return b[:len(b)/2] }, "EFI_DEVICE_ERROR"},
		"tables of a qcow2 file":   {packed, func(b []byte) []byte { clear(b[65536:]); return b }, ""},
	} {
		path := write(t, filepath.Join(t.TempDir(), "x"), string(c.damage(bytes.Clone(c.from))))
		status, _, stderr := really(t, "boot", "-q", "--memory", "256M", path)
		if status == 0 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: status %d: %s", what, status, stderr)
		}
	}
	if err := os.Truncate(raw, partition); err != nil { // below another one
		t.Fatal(err)
	}
	if status, _, stderr := really(t, "boot", "-q", "--memory", "256M", top); status == 0 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("a backing file that is cut off: status %d: %s", status, stderr)
	}
}

// What is no disk, or one in a form that is not read, says so.
func TestBootOfNoDisk(t *testing.T) {
	dir := t.TempDir()
	qed, text := filepath.Join(dir, "x.qed"), filepath.Join(dir, "x.txt")
	for path, content := range map[string]string{qed: "QED\x00" + strings.Repeat("\x00", 5000), text: "hello"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ args, want string }{
		{qed, "QED disk image, not read"}, {text, "x.txt"}, {filepath.Join(dir, "none"), "no such file"},
		{"--disk " + text, "not a disk image"}, {"--disk " + filepath.Join(dir, "none"), "no such file"},
	} {
		var stdout, stderr bytes.Buffer
		status := execute(t.Context(), append([]string{"boot", "-q"}, strings.Fields(c.args)...), &stdout, &stderr, boot)
		if status == 0 || !strings.Contains(stderr.String(), c.want) || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("boot %s: status %d: %s", c.args, status, stderr.String())
		}
	}
}
