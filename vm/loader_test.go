package vm_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/vm"
)

// A memoryDisk is a disk in memory.
type memoryDisk []byte

// disks is what a machine with one disk has.
func disks(d memoryDisk) []vm.Disk {
	return []vm.Disk{{Name: "disk.img", Format: "disk image", Content: bytes.NewReader(d), Size: int64(len(d)), File: io.NewSectionReader(bytes.NewReader(d), 0, int64(len(d)))}}
}

// espDisk makes a disk whose only partition is an EFI system partition with files.
func espDisk(t testing.TB, mib int, files imagetest.Files) memoryDisk {
	t.Helper()
	esp := imagetest.FAT(t, 32, mib, files)
	b, err := os.ReadFile(imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: esp}))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// debianFile reads a file from a package that scripts/fetch-kernels has fetched.
func debianFile(t testing.TB, pattern, path string) []byte {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(*kernels, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d packages %s in %s: run scripts/fetch-kernels --all", len(found), pattern, *kernels)
	}
	contents, err := image.Look(context.Background(), found[0], only(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer contents.Close()
	if v := contents.Volumes; len(v) == 1 && len(v[0].Files) == 1 {
		b, err := v[0].Files[0].Bytes(64 << 20)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	t.Fatalf("%s has no %s", found[0], path)
	return nil
}

// only wants the file of that path.
type only string

func (o only) Directory(string) bool                    { return true }
func (o only) File(path string, _ int64, _ []byte) bool { return path == string(o) }
