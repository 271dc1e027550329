package image

import (
	"encoding/binary"
	"fmt"
	"io"
)

const (
	mbrTable     = 446 // offset of the four entries in a master boot record
	mbrSignature = 440 // offset of the number that tells this disk from others
	mbrEntry     = 16  // bytes
	mbrSector    = 512 // bytes that entries count in
	mbrMost      = 256 // logical partitions; Linux names no more than 252
	protective   = 0xee
)

// mbrKinds are types of partitions. Extended ones hold others.
var mbrKinds = map[byte]string{
	0x82: "swap", 0x83: "Linux", 0x8e: "LVM", protective: "GPT protective", 0xef: efiSystem,
}

// isExtended tells whether a partition of this type holds others: by cylinders, by sectors, and Linux's own.
func isExtended(kind byte) bool { return kind == 0x05 || kind == 0x0f || kind == 0x85 }

// An mbrPart is an entry of a partition table, in sectors.
type mbrPart struct {
	kind         byte
	start, count int64
}

// mbrEntries are the four entries of a boot record. ok is false where the sector has no table: without its signature, or
// with something that is no entry.
func mbrEntries(r io.ReaderAt, at int64) (all [4]mbrPart, ok bool) {
	b := make([]byte, mbrSector)
	if _, err := r.ReadAt(b, at); err != nil || b[510] != 0x55 || b[511] != 0xaa {
		return all, false
	}
	for i := range all {
		e := b[mbrTable+mbrEntry*i:][:mbrEntry]
		all[i] = mbrPart{e[4], int64(binary.LittleEndian.Uint32(e[8:])), int64(binary.LittleEndian.Uint32(e[12:]))}
		if e[4] != 0 && all[i].count != 0 && e[0]&0x7f != 0 {
			return all, false
		}
	}
	return all, true
}

// mbr reads the four entries of a master boot record, and the logical partitions within an extended one. A table must be
// plausible: a FAT boot sector has the same signature, with code where entries would be.
func mbr(r io.ReaderAt, size int64) ([]partition, error) {
	b := make([]byte, mbrSector)
	if _, err := r.ReadAt(b, 0); err != nil || isFAT(b) {
		return nil, nil
	}
	entries, ok := mbrEntries(r, 0)
	if !ok {
		return nil, nil
	}
	id := PartitionID{Disk: binary.LittleEndian.Uint32(b[mbrSignature:])}
	var all, inside []partition
	for i, e := range entries {
		if e.kind == 0 || e.count == 0 {
			continue
		}
		if e.start == 0 || (e.start+e.count)*mbrSector > size {
			return nil, nil
		}
		if isExtended(e.kind) {
			logical, err := logicals(r, e, 5+len(inside), id)
			if err != nil {
				return nil, err
			}
			inside = append(inside, logical...)
			continue
		}
		all = append(all, partition{i + 1, mbrKind(e.kind), "", e.start * mbrSector, e.count * mbrSector, id})
	}
	all = append(all, inside...)
	return all, overlap(all)
}

func mbrKind(kind byte) string {
	if name := mbrKinds[kind]; name != "" {
		return name
	}
	return fmt.Sprintf("type %#x", kind)
}

// logicals reads the logical partitions of an extended one, from number first on. They are a chain: each has a boot record
// of its own, with the partition, which counts from there, and the next record, which counts from the extended
// partition's start.
func logicals(r io.ReaderAt, extended mbrPart, first int, id PartitionID) (all []partition, err error) {
	seen := map[int64]bool{}
	for at, more := extended.start, true; more; {
		if seen[at] || len(seen) == mbrMost {
			return nil, fmt.Errorf("damaged partition table: logical partitions in a circle, or more than %d", mbrMost)
		}
		seen[at] = true
		entries, ok := mbrEntries(r, at*mbrSector)
		if !ok {
			if at == extended.start { // nothing was ever put into it
				return nil, nil
			}
			return nil, fmt.Errorf("damaged partition table: no boot record of a logical partition at sector %d", at)
		}
		more = false
		from := at
		for _, e := range entries {
			switch {
			case e.kind == 0 || e.count == 0:
			case isExtended(e.kind) && !more:
				at, more = extended.start+e.start, true
				if e.start >= extended.count {
					return nil, fmt.Errorf("damaged partition table: a logical partition at sector %d of an extended one of %d",
						e.start, extended.count)
				}
			case isExtended(e.kind):
			default:
				start := from + e.start
				if e.start == 0 || start+e.count > extended.start+extended.count {
					return nil, fmt.Errorf("damaged partition table: logical partition %d leads out of the extended one", first+len(all))
				}
				all = append(all, partition{first + len(all), mbrKind(e.kind), "", start * mbrSector, e.count * mbrSector, id})
			}
		}
	}
	return all, nil
}
