package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const qcow2Magic = "QFI\xfb"

func isQcow2(head []byte) bool {
	return len(head) >= 8 && string(head[:4]) == qcow2Magic && binary.BigEndian.Uint32(head[4:]) >= 2
}

// A qcow2Header is what the beginning of a qcow2 file says (QEMU, docs/interop/qcow2.rst), as far as it is needed for
// reading.
type qcow2Header struct {
	version     uint32
	clusterBits uint32
	size        int64 // of the disk, in bytes
	l1          int64 // where in the file the table of tables is
	subclusters bool  // entries have 32 subclusters ("extended L2")
	zstd        bool  // how clusters are compressed; else deflate
	backing     string
	backingForm string // "qcow2", "raw"; "" where the file does not say it
}

// Incompatible features of version 3 (qcow2.rst, "incompatible_features"): dirty and corrupt speak of counts that are not
// read here.
const (
	qcow2DataFile    = 1 << 2
	qcow2Compression = 1 << 3
	qcow2Subclusters = 1 << 4
	qcow2Known       = 1<<0 | 1<<1 | qcow2Compression | qcow2Subclusters
)

// readQcow2Header compares what the header says with the file before anything is done with it, and refuses what is not read
// here.
func readQcow2Header(file *io.SectionReader) (h qcow2Header, err error) {
	const (
		versionTwo, versionThree        = 72, 104 // bytes
		smallestCluster, largestCluster = 9, 21   // bits; QEMU's own limits, block/qcow2.h
		smallestOfSubclusters           = 14      // as there: a subcluster has 512 bytes
		maxL1                           = 32 << 20
		maxDisk                         = 1 << 60
		convert                         = "qemu-img convert"
	)
	b := make([]byte, versionThree+1)
	n, err := file.ReadAt(b, 0)
	if n < versionTwo {
		return h, fmt.Errorf("truncated qcow2 disk image: %w", err)
	}
	be := binary.BigEndian
	h.version = be.Uint32(b[4:])
	length, features, compression := uint32(versionTwo), uint64(0), byte(0)
	if h.version >= 3 {
		if n < versionThree {
			return h, fmt.Errorf("truncated qcow2 disk image: %w", err)
		}
		features, length = be.Uint64(b[72:]), be.Uint32(b[100:])
		if length > versionThree && n > versionThree {
			compression = b[versionThree]
		}
	}
	h.clusterBits, h.zstd, h.subclusters = be.Uint32(b[20:]), compression == 1, features&qcow2Subclusters != 0
	size, encryption := be.Uint64(b[24:]), be.Uint32(b[32:])
	l1Entries, l1 := int64(be.Uint32(b[36:])), be.Uint64(b[40:])
	switch {
	case features&qcow2DataFile != 0:
		return h, errors.New("a qcow2 disk image whose data are in another file: flatten it with " + convert)
	case features&^qcow2Known != 0:
		return h, fmt.Errorf("a qcow2 disk image with features %#x, which are not supported: convert it with %s -O raw",
			features&^qcow2Known, convert)
	case encryption != 0:
		return h, errors.New("an encrypted qcow2 disk image: decrypt it with " + convert)
	case compression > 1 || h.zstd != (features&qcow2Compression != 0):
		return h, fmt.Errorf("damaged qcow2 disk image: compression %d, features %#x", compression, features)
	case h.clusterBits < smallestCluster || h.clusterBits > largestCluster || h.subclusters && h.clusterBits < smallestOfSubclusters:
		return h, fmt.Errorf("damaged qcow2 disk image: clusters of 2^%d bytes", h.clusterBits)
	case size > maxDisk:
		return h, fmt.Errorf("damaged qcow2 disk image: a disk of %d bytes", size)
	case l1Entries*8 > maxL1 || l1 > uint64(file.Size()) || l1Entries*8 > file.Size()-int64(l1):
		return h, fmt.Errorf("damaged qcow2 disk image: a table of %d entries at byte %d of %d", l1Entries, l1, file.Size())
	}
	h.size, h.l1 = int64(size), int64(l1)
	if h.size > 0 && (h.size-1)>>h.spanBits() >= l1Entries {
		return h, fmt.Errorf("damaged qcow2 disk image: a table of %d entries for a disk of %d bytes", l1Entries, size)
	}
	return h, h.readBacking(file, length, be.Uint64(b[8:]), be.Uint32(b[16:]))
}

// l2Bits is how many entries a table of clusters has, as the power of two.
func (h *qcow2Header) l2Bits() uint32 {
	if h.subclusters {
		return h.clusterBits - 4 // an entry has a map beside it
	}
	return h.clusterBits - 3
}

// spanBits is how many bytes of the disk a table of clusters is about, as the power of two.
func (h *qcow2Header) spanBits() uint32 { return h.clusterBits + h.l2Bits() }

// readBacking reads which file has what this one has not, and in which form it is.
func (h *qcow2Header) readBacking(file *io.SectionReader, header uint32, at uint64, length uint32) error {
	const (
		longest = 1023 // bytes of the name
		form    = 0xe2792aca
		most    = 64 // extensions; there are six kinds
	)
	if at == 0 || length == 0 {
		return nil
	}
	cluster := uint64(1) << h.clusterBits
	if length > longest || at > cluster || uint64(length) > cluster-at {
		return fmt.Errorf("damaged qcow2 disk image: a name of %d bytes at byte %d of its first cluster", length, at)
	}
	name := make([]byte, length)
	if _, err := file.ReadAt(name, int64(at)); err != nil {
		return fmt.Errorf("truncated qcow2 disk image: %w", err)
	}
	h.backing = string(name)
	for next, n := uint64(header), 0; next+8 <= at; n++ {
		b := make([]byte, 8)
		if _, err := file.ReadAt(b, int64(next)); err != nil {
			return fmt.Errorf("truncated qcow2 disk image: %w", err)
		}
		kind, size := binary.BigEndian.Uint32(b), uint64(binary.BigEndian.Uint32(b[4:]))
		next += 8
		switch {
		case kind == 0:
			return nil
		case n == most || size > at-min(at, next):
			return fmt.Errorf("damaged qcow2 disk image: an extension of its header of %d bytes at byte %d", size, next)
		case kind == form:
			text := make([]byte, min(size, longest))
			if _, err := file.ReadAt(text, int64(next)); err != nil {
				return fmt.Errorf("truncated qcow2 disk image: %w", err)
			}
			h.backingForm = string(text)
		}
		next += (size + 7) &^ 7
	}
	return nil
}
