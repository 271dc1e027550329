// Package bootdisk makes a disk that firmware starts one EFI application from: a GUID partition table with one EFI system
// partition, which is FAT32, and the application as what a boot manager looks for on a removable disk (UEFI 2.10, sections
// 3.5.1.1, 5.3 and 13.3).
//
// The library that there is, go-diskfs, takes the time of day for times and identifiers, and of the directory that it makes
// below the root dosfstools says that it is damaged; one file in two directories needs little.
package bootdisk

import (
	"crypto/sha256"
	"fmt"
	"io"
)

// Path is where firmware looks on a disk for which it has no boot option (UEFI 2.10, section 3.5.1.1, for x64).
const Path = "/EFI/BOOT/BOOTX64.EFI"

const (
	mib    = 1 << 20
	sector = 512

	// room is what the volume has beside the application, in bytes: FAT32 begins at 65,525 clusters, of which the smallest
	// have one sector.
	room = 40 * mib

	// largest is how long an application can be, in bytes: no file on FAT is longer.
	largest = 1<<32 - 1
)

// Write writes a disk with an application, of less than 4 GiB. The same application gives the same bytes: the
// identifiers of disk and partition come from its digest, and all times are the first that FAT has. The size of the disk is
// a multiple of 1 MiB, as clouds want it.
func Write(w io.Writer, application []byte) error {
	if int64(len(application)) > largest {
		return fmt.Errorf("an application of %d bytes: a file on FAT has at most %d", len(application), int64(largest))
	}
	digest := sha256.Sum256(application)
	v := newVolume(uint32(len(application)), digest)
	// A MiB before the partition and one after it are for the table and its copy.
	d := newTable(v.sectors, digest)
	for _, part := range [][]byte{
		d.first(mib), v.reserved(), v.allocation(), v.allocation(), v.directories(), application,
		make([]byte, v.unused()), d.last(mib),
	} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}
