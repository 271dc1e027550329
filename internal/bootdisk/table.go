package bootdisk

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"unicode/utf16"
)

const (
	entries   = 128 // of a partition table: UEFI 2.10, section 5.3.1, has at least 16,384 bytes of them
	entrySize = 128 // bytes
)

// mark stands where an MBR has code, so that such a disk is known from others.
const (
	mark   = "TACIT BOOT DISK"
	markAt = 3
)

// Is tells by the first 512 bytes of a file whether Write has made it.
func Is(head []byte) bool {
	return len(head) >= sector && string(head[markAt:markAt+len(mark)]) == mark
}

// A table is a GUID partition table (UEFI 2.10, section 5.3) with one partition, which begins after the first MiB.
type table struct {
	partition uint64 // sectors that it has
	sectors   uint64 // sectors that the disk has
	digest    [sha256.Size]byte
}

func newTable(partition uint32, digest [sha256.Size]byte) table {
	return table{partition: uint64(partition), sectors: uint64(partition) + 2*mib/sector, digest: digest}
}

// first is the disk before the partition: an MBR that protects the table, its header, its entries.
func (t table) first(size int) []byte {
	b := make([]byte, size)
	copy(b[markAt:], mark)
	mbr := b[446:] // The partition record of UEFI 2.10, table 5.4.
	copy(mbr, []byte{0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff})
	binary.LittleEndian.PutUint32(mbr[8:], 1)
	binary.LittleEndian.PutUint32(mbr[12:], uint32(min(t.sectors-1, 1<<32-1)))
	b[510], b[511] = 0x55, 0xaa
	copy(b[sector:], t.header(1, t.sectors-1, 2))
	copy(b[2*sector:], t.array())
	return b
}

// last is the disk after the partition: the table's copy, with the header at the very end.
func (t table) last(size int) []byte {
	b := make([]byte, size)
	array := size - sector - entries*entrySize
	copy(b[array:], t.array())
	copy(b[size-sector:], t.header(t.sectors-1, 1, t.sectors-1-entries*entrySize/sector))
	return b
}

// header is a table's header (UEFI 2.10, table 5.5) at a sector, the other one and the entries being at those.
func (t table) header(at, other, array uint64) []byte {
	const size = 92
	h := make([]byte, size)
	le := binary.LittleEndian
	copy(h, "EFI PART")
	le.PutUint32(h[8:], 0x00010000)
	le.PutUint32(h[12:], size)
	le.PutUint64(h[24:], at)
	le.PutUint64(h[32:], other)
	le.PutUint64(h[40:], 2+entries*entrySize/sector)
	le.PutUint64(h[48:], t.sectors-2-entries*entrySize/sector)
	copy(h[56:], t.identifier("disk"))
	le.PutUint64(h[72:], array)
	le.PutUint32(h[80:], entries)
	le.PutUint32(h[84:], entrySize)
	le.PutUint32(h[88:], crc32.ChecksumIEEE(t.array()))
	le.PutUint32(h[16:], crc32.ChecksumIEEE(h))
	return h
}

// array is the entries (UEFI 2.10, table 5.6), of which one is used.
func (t table) array() []byte {
	b := make([]byte, entries*entrySize)
	copy(b, espType[:])
	copy(b[16:], t.identifier("partition"))
	binary.LittleEndian.PutUint64(b[32:], mib/sector)
	binary.LittleEndian.PutUint64(b[40:], mib/sector+t.partition-1)
	for i, u := range utf16.Encode([]rune("EFI system partition")) {
		binary.LittleEndian.PutUint16(b[56+2*i:], u)
	}
	return b
}

// espType is C12A7328-F81F-11D2-BA4B-00A0C93EC93B, an EFI system partition (UEFI 2.10, table 5.7).
var espType = [16]byte{0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b}

// identifier is a version 8 UUID (RFC 9562), of a digest; as a GUID, whose first three numbers are little-endian.
func (t table) identifier(of string) []byte {
	sum := sha256.Sum256(append([]byte(of), t.digest[:]...))
	id := sum[:16]
	id[7] = id[7]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}
