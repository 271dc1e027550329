package bootdisk_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/bootdisk"
)

const mib = 1 << 20

// made is the path of a disk with an application.
func made(t *testing.T, application []byte) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "x.img"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := bootdisk.Write(f, map[string][]byte{bootdisk.Path: application, "notes.txt": []byte("text"), "EFI/debian/grub.cfg": nil}); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// TestWrite has dosfstools, mtools and sfdisk, and tacit's own reader, look at a disk.
func TestWrite(t *testing.T) {
	for name, size := range map[string]int{"empty": 0, "small": 3<<20 + 5, "cluster": 1 << 20, "large": 230 << 20} {
		t.Run(name, func(t *testing.T) {
			application := make([]byte, size)
			rand.NewChaCha8([32]byte{1}).Read(application)
			look(t, application)
		})
	}
}

func look(t *testing.T, application []byte) {
	path := made(t, application)

	contents, err := image.Look(context.Background(), path, everything{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer contents.Close()
	if n := len(contents.Volumes); n != 1 {
		t.Fatalf("%d volumes, not one", n)
	}
	files := contents.Volumes[0].Files
	if len(files) != 3 {
		t.Fatalf("files %v, not three", files)
	}
	for _, f := range files {
		if strings.EqualFold(f.Name, bootdisk.Path) {
			if b, err := f.Bytes(1 << 30); err != nil || !bytes.Equal(b, application) {
				t.Errorf("%d bytes of the application, error %v; not the %d that were written", len(b), err, len(application))
			}
		}
	}

	disk, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(disk)%mib != 0 {
		t.Errorf("a disk of %d bytes, not of whole MiB", len(disk))
	}
	volume := filepath.Join(t.TempDir(), "esp")
	if err := os.WriteFile(volume, disk[mib:len(disk)-mib], 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("fsck.vfat", "-n", "-v", volume).CombinedOutput(); err != nil {
		t.Errorf("fsck.vfat: %v: %s", err, out)
	}
	if out, err := exec.Command("sfdisk", "--verify", path).CombinedOutput(); err != nil || !bytes.Contains(out, []byte("No errors detected")) {
		t.Errorf("sfdisk: %v: %s", err, out)
	}
	if out, err := exec.Command("mtype", "-i", volume, "::/"+bootdisk.Path).Output(); err != nil || !bytes.Equal(out, application) {
		t.Errorf("mtools read %d bytes, error %v; not the %d that were written", len(out), err, len(application))
	}
}

type everything struct{}

func (everything) Directory(string) bool           { return true }
func (everything) File(string, int64, []byte) bool { return true }

// TestReproducible: the same application gives the same bytes; another one other identifiers.
func TestReproducible(t *testing.T) {
	disk := func(application string) []byte {
		var b bytes.Buffer
		if err := bootdisk.Write(&b, map[string][]byte{bootdisk.Path: []byte(application)}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	first := disk("one")
	if !bytes.Equal(first, disk("one")) {
		t.Error("the same application gave other bytes")
	}
	identifier := func(b []byte) []byte { return b[512+56 : 512+72] } // of the disk: UEFI 2.10, table 5.5
	if bytes.Equal(identifier(first), identifier(disk("two"))) {
		t.Error("two applications have one identifier")
	}
}

// TestManyFiles fills a directory of several clusters, and refuses what has no place.
func TestManyFiles(t *testing.T) {
	files := map[string][]byte{}
	for i := range 100 {
		files[fmt.Sprintf("d/e/f%02d.txt", i)] = []byte{byte(i)}
	}
	var b bytes.Buffer
	if err := bootdisk.Write(&b, files); err != nil {
		t.Fatal(err)
	}
	volume := filepath.Join(t.TempDir(), "esp")
	if err := os.WriteFile(volume, b.Bytes()[mib:b.Len()-mib], 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("fsck.vfat", "-n", "-v", volume).CombinedOutput(); err != nil {
		t.Errorf("fsck.vfat: %v: %s", err, out)
	}
	if out, err := exec.Command("mtype", "-i", volume, "::/d/e/f77.txt").Output(); err != nil || !bytes.Equal(out, []byte{77}) {
		t.Errorf("%q, %v", out, err)
	}
	for _, wrong := range []string{strings.Repeat("a", 65), "a b", "", "/a", "a//b", "ü", "a/..", "..", "a.", "*"} {
		if err := bootdisk.Write(io.Discard, map[string][]byte{wrong: nil}); err == nil {
			t.Errorf("%q is taken for a path", wrong)
		}
	}
	if err := bootdisk.Write(io.Discard, map[string][]byte{"loader.conf": nil, "Loader.conf": nil}); err == nil {
		t.Error("two files have one name")
	}
	if err := bootdisk.Write(io.Discard, map[string][]byte{"a": nil, "a/b": nil}); err == nil {
		t.Error("one name is a file and a directory")
	}
}

// TestLongNames has mtools and fsck.vfat read names that are longer than eight and three letters, some of which begin alike.
func TestLongNames(t *testing.T) {
	files := map[string][]byte{"loader/loader.conf": []byte("1"), "EFI/systemd/systemd-bootx64.efi": []byte("2"), "EFI/Linux/6.12.1+deb13-cloud-amd64.efi": []byte("3"),
		"EFI/Linux/6.12.10.efi": []byte("4"), "loader/entries/6.12.1.conf": []byte("5"), "exactly13.txt": []byte("6"), "SIX~1.TXT": []byte("7"), "six.text": []byte("8")}
	for i := range 20 {
		files[fmt.Sprintf("alike/the-same-name-%02d.conf", i)] = []byte{byte(i)}
	}
	var b bytes.Buffer
	if err := bootdisk.Write(&b, files); err != nil {
		t.Fatal(err)
	}
	volume := filepath.Join(t.TempDir(), "esp")
	if err := os.WriteFile(volume, b.Bytes()[mib:b.Len()-mib], 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("fsck.vfat", "-n", "-v", volume).CombinedOutput(); err != nil {
		t.Errorf("fsck.vfat: %v: %s", err, out)
	}
	for name, want := range files {
		if out, err := exec.Command("mtype", "-i", volume, "::/"+name).Output(); err != nil || !bytes.Equal(out, want) {
			t.Errorf("%s: %q, %v, want %q", name, out, err, want)
		}
	}
}
