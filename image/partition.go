package image

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"unicode/utf16"

	"github.com/tacit-vm/tacit/uefi"
)

// A partition of a disk.
type partition struct {
	number      int
	kind        string // in words, by its type
	label       string
	start, size int64 // bytes
	id          PartitionID
}

// partitionTypes are those that operating systems boot from, and those that say at once what they are (UEFI 2.10,
// section 5.3.3; UAPI Group, Discoverable Partitions Specification).
var partitionTypes = map[string]string{
	"c12a7328-f81f-11d2-ba4b-00a0c93ec93b": efiSystem,
	"bc13c2ff-59e6-4262-a352-b275fd6f7172": "boot partition (XBOOTLDR)",
	"4f68bce3-e8cd-4db1-96e7-fbcaf984b709": "Linux root (x86-64)",
	"8484680c-9521-48c6-9c11-b0720656f69e": "Linux /usr (x86-64)",
	"0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux",
	"0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "swap",
	"21686148-6449-6e6f-744e-656564454649": biosBoot,
	"e6d6d379-f507-44c2-a23c-238f2a3df928": "LVM",
	"2c7357ed-ebd2-46d9-aec1-23d437ec2bf5": "verity data of Linux root",
	"e3c9e316-0b5c-4db8-817d-f92df00215ae": "Microsoft reserved",
	"ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "basic data",
}

const biosBoot = "BIOS boot" // GRUB's code lies in it, without a file system

const efiSystem = "EFI system partition"

const (
	gptSignature     = "EFI PART"
	gptMaxPartitions = 1024
	gptMaxEntrySize  = 4096
)

// partitions reads the partition table of a disk. The result is nil, without an error, if there is none.
func partitions(r io.ReaderAt, size int64) ([]partition, error) {
	var damage error
	second := mayHaveSecond(r)
	for _, sector := range []int64{512, 4096} {
		// The second copy is in the last sector.
		for _, at := range []int64{sector, (size/sector - 1) * sector} {
			if at < sector || at > sector && !second {
				continue
			}
			all, err := gpt(r, size, sector, at)
			if err == nil {
				return all, nil
			}
			if damage == nil && !errors.Is(err, errNoGPT) {
				damage = err
			}
		}
	}
	if damage != nil {
		return nil, damage
	}
	return mbr(r, size)
}

// mayHaveSecond tells whether the second copy of a GPT counts where the first one is damaged: the disk begins with the
// protective MBR of a GPT, or with nothing at all. What is put on such a disk later leaves the last sector as it is.
func mayHaveSecond(r io.ReaderAt) bool {
	b := make([]byte, mbrSector)
	if _, err := r.ReadAt(b, 0); err != nil {
		return false
	}
	entries, ok := mbrEntries(r, 0)
	return ok && slices.ContainsFunc(entries[:], func(e mbrPart) bool { return e.kind == protective }) ||
		bytes.Count(b, []byte{0}) == len(b)
}

var errNoGPT = errors.New("no GPT")

// gpt reads the table whose header is at an offset (UEFI 2.10, section 5.3.2).
func gpt(r io.ReaderAt, size, sector, at int64) ([]partition, error) {
	const headerSize = 92
	header := make([]byte, headerSize)
	if _, err := r.ReadAt(header, at); err != nil && err != io.EOF {
		return nil, fmt.Errorf("partition table: %w", err)
	} else if err != nil || string(header[:8]) != gptSignature {
		return nil, errNoGPT
	}
	le := binary.LittleEndian
	want := le.Uint32(header[16:])
	clear(header[16:20])
	if crc32.ChecksumIEEE(header) != want {
		return nil, fmt.Errorf("damaged partition table: the checksum of its header at byte %d is wrong", at)
	}
	first, count, entrySize := le.Uint64(header[72:]), le.Uint32(header[80:]), le.Uint32(header[84:])
	if count > gptMaxPartitions || entrySize < 128 || entrySize > gptMaxEntrySize || first >= uint64(size/sector) {
		return nil, fmt.Errorf("damaged partition table: %d entries of %d bytes at sector %d", count, entrySize, first)
	}
	entries := make([]byte, count*entrySize)
	if _, err := r.ReadAt(entries, int64(first)*sector); err != nil {
		return nil, fmt.Errorf("truncated partition table: %w", err)
	}
	if crc32.ChecksumIEEE(entries) != le.Uint32(header[88:]) {
		return nil, errors.New("damaged partition table: the checksum of its entries is wrong")
	}
	all := []partition{}
	for i := range int(count) {
		e := entries[i*int(entrySize):][:entrySize]
		kind := uefi.GUID(e[:16])
		if kind == (uefi.GUID{}) {
			continue
		}
		from, to := le.Uint64(e[32:]), le.Uint64(e[40:])
		if from > to || to >= uint64(size/sector) {
			return nil, fmt.Errorf("partition %d has sectors %d to %d; the disk has %d", i+1, from, to, size/sector)
		}
		name := partitionTypes[kind.String()]
		if name == "" {
			name = "type " + kind.String()
		}
		all = append(all, partition{i + 1, name, utf16Text(e[56:128]), int64(from) * sector, int64(to-from+1) * sector, PartitionID{GUID: uefi.GUID(e[16:32])}})
	}
	return all, overlap(all)
}

// overlap is an error if two partitions have the same sectors. A thousand that are one would be read a thousand times.
func overlap(all []partition) error {
	sorted := slices.SortedFunc(slices.Values(all), func(a, b partition) int { return cmp.Compare(a.start, b.start) })
	for i := 1; i < len(sorted); i++ {
		if a, b := sorted[i-1], sorted[i]; a.start+a.size > b.start {
			return fmt.Errorf("damaged partition table: partitions %d and %d overlap", a.number, b.number)
		}
	}
	return nil
}

func utf16Text(b []byte) string {
	var text []uint16
	for ; len(b) >= 2; b = b[2:] {
		c := binary.LittleEndian.Uint16(b)
		if c == 0 {
			break
		}
		text = append(text, c)
	}
	return string(utf16.Decode(text))
}
