// Package bootdisk makes a disk that firmware starts by itself: a GUID partition table with one EFI system partition, which is
// FAT32, and files on it (UEFI 2.10, sections 3.5.1.1, 5.3 and 13.3).
//
// The library that there is, go-diskfs, takes the time of day for times and identifiers, and of the directory that it makes
// below the root dosfstools says that it is damaged.
package bootdisk

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Path is where firmware looks on a disk for which it has no boot option (UEFI 2.10, section 3.5.1.1, for x64).
const Path = "EFI/BOOT/BOOTX64.EFI"

const (
	mib    = 1 << 20
	sector = 512

	// room is what the volume has beside its files, in bytes: FAT32 begins at 65,525 clusters, of which the smallest have one
	// sector.
	room = 40 * mib

	// largest is how long a file can be, in bytes, and all of them together are here.
	largest = 1<<32 - 1
)

// Write writes a disk with files, by their paths with slashes; all of them together have less than 4 GiB. Each part of a path
// is a name of at most 64 letters, digits and - _ . + ~; all loaders get along with one of eight and three letters. The same files give the same bytes:
// the identifiers of disk and partition come from their digest, and all times are the first that FAT has. The size of the disk
// is a multiple of 1 MiB, as clouds want it.
func Write(w io.Writer, files map[string][]byte) error {
	size := int64(0)
	sum := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(files)) {
		size += int64(len(files[path]))
		sum.Write(binary.LittleEndian.AppendUint64([]byte(path), uint64(len(files[path]))))
		sum.Write(files[path])
	}
	if size > largest {
		return fmt.Errorf("files of %d bytes: on such a disk there are at most %d", size, int64(largest))
	}
	digest := [sha256.Size]byte(sum.Sum(nil))
	v := newVolume(uint64(size), digest)
	if err := v.fill(files); err != nil {
		return err
	}
	// A MiB before the partition and one after it are for the table and its copy.
	d := newTable(v.sectors, digest)
	parts := [][]byte{d.first(mib), v.reserved(), v.allocation(), v.allocation()}
	for _, part := range slices.Concat(parts, v.content, [][]byte{make([]byte, v.unused()), d.last(mib)}) {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}
