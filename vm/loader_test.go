package vm_test

import (
	"bytes"
	"io"
	"os"
	"testing"

	"github.com/tacit-vm/tacit/internal/debiantest"
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
	return debiantest.File(t, *kernels, pattern, path)
}
