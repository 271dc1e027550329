package image

import (
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// A qcow2 is the disk in a qcow2 file. What the file does not have the disk below has, which may be shorter; where there is
// none, or it has ended, there are zeros.
type qcow2 struct {
	qcow2Header
	file   *io.SectionReader
	tables *cache // of the file
	below  *io.SectionReader

	packed   uint64 // the entry of the cluster that was unpacked last
	unpacked []byte
}

// newQcow2 reads a file with such a header, below which there may be another disk.
func newQcow2(file *io.SectionReader, h qcow2Header, below *io.SectionReader) *qcow2 {
	return &qcow2{qcow2Header: h, file: file, tables: newCache(file, 1<<h.clusterBits), below: below}
}

// A qcow2Source is where bytes of the disk come from.
type qcow2Source int

const (
	qcow2Below  qcow2Source = iota // the disk below, or zeros
	qcow2Zeros                     // zeros, whatever is below
	qcow2Data                      // the file
	qcow2Packed                    // a compressed cluster of the file
)

// A qcow2Extent says of bytes that follow each other where they come from.
type qcow2Extent struct {
	source qcow2Source
	from   int64  // of qcow2Data, where in the file
	entry  uint64 // of qcow2Packed, that of the table
	size   int64  // bytes
}

// extent finds the bytes from at on, by the table of tables and that of clusters.
func (q *qcow2) extent(at int64) (e qcow2Extent, err error) {
	const place = 0x00fffffffffffe00 // bits of an entry
	cluster, span := int64(1)<<q.clusterBits, int64(1)<<q.spanBits()
	damaged := func(what string, entry uint64) (qcow2Extent, error) {
		return e, fmt.Errorf("%s at %#x for byte %d of the disk", what, entry, at)
	}
	table, err := q.number(q.l1 + at>>q.spanBits()*8)
	if err != nil {
		return e, err
	}
	if table &= place; table == 0 {
		return qcow2Extent{source: qcow2Below, size: span - at&(span-1)}, nil
	}
	if table&uint64(cluster-1) != 0 {
		return damaged("a table of clusters", table)
	}
	within := at & (cluster - 1)
	entrySize := int64(8)
	if q.subclusters {
		entrySize = 16
	}
	number := at & (span - 1) >> q.clusterBits
	entry, err := q.number(int64(table) + number*entrySize)
	if err != nil {
		return e, err
	}
	const packed, zeros = 1 << 62, 1
	e.size = cluster - within
	if entry&packed != 0 {
		e.source, e.entry = qcow2Packed, entry&(packed-1)
		return e, nil
	}
	data, zero := entry&place != 0, entry&zeros != 0
	if q.subclusters {
		both, err := q.number(int64(table) + number*entrySize + 8)
		if err != nil {
			return e, err
		}
		size := cluster / 32
		sub := within / size
		e.size = size - within&(size-1)
		data, zero = both>>sub&1 != 0, both>>(32+sub)&1 != 0
		if data && (zero || entry&place == 0) {
			return damaged("a subcluster", entry)
		}
	}
	switch from := entry & place; {
	case zero && q.version < 3, from&uint64(cluster-1) != 0:
		return damaged("a cluster", entry)
	case zero:
		e.source = qcow2Zeros
	case data:
		e.source, e.from = qcow2Data, int64(from)+within
	default:
		e.source = qcow2Below
	}
	return e, nil
}

// number reads an entry of a table.
func (q *qcow2) number(at int64) (uint64, error) {
	var b [8]byte
	if n, err := q.tables.ReadAt(b[:], at); n < len(b) {
		return 0, fmt.Errorf("a table that ends at byte %d of the file: %w", at, err)
	}
	return binary.BigEndian.Uint64(b[:]), nil
}

// ReadAt reads from the disk.
func (q *qcow2) ReadAt(p []byte, at int64) (n int, err error) {
	if at < 0 || at >= q.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > q.size-at
	if short {
		p = p[:q.size-at]
	}
	for n < len(p) {
		e, err := q.extent(at + int64(n))
		if err == nil {
			part := p[n:min(int64(len(p)), int64(n)+e.size)]
			if err = q.read(part, at+int64(n), e); err == nil {
				n += len(part)
				continue
			}
		}
		return n, fmt.Errorf("damaged qcow2 disk image: %w", err)
	}
	if short {
		err = io.EOF
	}
	return n, err
}

// read reads bytes of one extent.
func (q *qcow2) read(p []byte, at int64, e qcow2Extent) error {
	switch e.source {
	case qcow2Data:
		if n, err := q.file.ReadAt(p, e.from); n < len(p) {
			return fmt.Errorf("a cluster at byte %d of the file: %w", e.from, err)
		}
	case qcow2Packed:
		if err := q.unpack(e.entry); err != nil {
			return fmt.Errorf("a compressed cluster for byte %d of the disk: %w", at, err)
		}
		copy(p, q.unpacked[at&int64(len(q.unpacked)-1):])
	case qcow2Below:
		n := 0
		if q.below != nil && at < q.below.Size() {
			n = int(min(int64(len(p)), q.below.Size()-at))
			if got, err := q.below.ReadAt(p[:n], at); got < n {
				return fmt.Errorf("the disk below: %w", err)
			}
		}
		clear(p[n:])
	default:
		clear(p)
	}
	return nil
}

// unpack unpacks a cluster, unless it was the last one. Its entry has the place in the file, and how many sectors after the
// first there are, which the end of another cluster may share.
func (q *qcow2) unpack(entry uint64) error {
	const sector = 512
	if q.unpacked != nil && q.packed == entry {
		return nil
	}
	bits := 62 - (q.clusterBits - 8) // of the place
	place, sectors := int64(entry&(1<<bits-1)), int64(entry>>bits)+1
	r := io.NewSectionReader(q.file, place, sectors*sector-place&(sector-1))
	var plain io.Reader
	if q.zstd {
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return err
		}
		defer z.Close()
		plain = z
	} else {
		plain = flate.NewReader(r)
	}
	if q.unpacked == nil {
		q.unpacked = make([]byte, 1<<q.clusterBits)
	}
	q.packed = entry
	if _, err := io.ReadFull(plain, q.unpacked); err != nil {
		q.unpacked = nil
		return err
	}
	return nil
}
