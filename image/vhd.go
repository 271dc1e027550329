package image

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxDiskPieces bounds how many pieces a disk's file is in, which are found when it is opened.
const maxDiskPieces = 1 << 20

// sparseDisk collects where the blocks of a disk are in its file.
type sparseDisk struct {
	file *io.SectionReader
	pieces
}

func newSparseDisk(file *io.SectionReader, size int64) *sparseDisk {
	d := &sparseDisk{file: file}
	d.size = size
	d.read = func(b []byte, at int64) error {
		if n, err := file.ReadAt(b, at); n < len(b) {
			return fmt.Errorf("a truncated disk image: %w", err)
		}
		return nil
	}
	return d
}

// add appends a block of the disk, after all that were added before.
func (d *sparseDisk) add(p piece) error {
	if last := len(d.all) - 1; last >= 0 && p.source == nil && d.all[last].source == nil && d.all[last].at+d.all[last].size == p.at &&
		d.all[last].from+d.all[last].size == p.from {
		d.all[last].size += p.size
		return nil
	}
	if len(d.all) == maxDiskPieces {
		return fmt.Errorf("a disk image in more than %d pieces: convert it with qemu-img convert -O raw", maxDiskPieces)
	}
	d.all = append(d.all, p)
	return nil
}

// table reads n entries of so many bytes each.
func (d *sparseDisk) table(at int64, n, entry int64) ([]byte, error) {
	if at < 0 || n < 0 || n > d.file.Size()/entry || at > d.file.Size()-n*entry {
		return nil, fmt.Errorf("a table of %d entries at byte %d of %d", n, at, d.file.Size())
	}
	b := make([]byte, n*entry)
	_, err := d.file.ReadAt(b, at)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b, err
}

// maxDiskBlocks bounds how many blocks of a disk a table tells of: 64 TiB in the smallest ones of VHDX, with its bitmaps.
const maxDiskBlocks = 1<<26 + 1<<14

// entries returns a table of n entries of so many bytes to be read one after the other. A file with holes may have a table of
// gigabytes that takes no room there, so it is not read into memory.
func (d *sparseDisk) entries(at int64, n, entry int64) (io.Reader, error) {
	if n > maxDiskBlocks {
		return nil, fmt.Errorf("a disk of %d blocks: convert it with qemu-img convert -O raw", n)
	}
	if at < 0 || n < 0 || at > d.file.Size() || n > (d.file.Size()-at)/entry {
		return nil, fmt.Errorf("a table of %d entries at byte %d of %d", n, at, d.file.Size())
	}
	return bufio.NewReaderSize(io.NewSectionReader(d.file, at, n*entry), 64<<10), nil
}

const vhdCookie = "conectix"

// openVHD reads a dynamic VHD (Microsoft, "Virtual Hard Disk Image Format Specification", 2006): a footer, of which a copy is
// in front; a header; a table of blocks. A fixed one is a raw disk. Bitmaps of sectors are not looked at: what was not
// written is zeros.
func openVHD(file *io.SectionReader) (*sparseDisk, error) {
	const footerSize, headerSize, dynamic = 512, 1024, 3
	b := make([]byte, footerSize)
	if _, err := file.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("truncated VHD disk image: %w", err)
	}
	be := binary.BigEndian
	if kind := be.Uint32(b[60:]); kind != dynamic {
		return nil, fmt.Errorf("a VHD disk image of type %d, which is only the changes to another one or not known: convert it with qemu-img convert -O raw", kind)
	}
	size, header := be.Uint64(b[48:]), be.Uint64(b[16:])
	d := newSparseDisk(file, int64(size))
	h, err := d.table(int64(header), 1, headerSize)
	switch {
	case err != nil:
		return nil, fmt.Errorf("damaged VHD disk image: %w", err)
	case string(h[:8]) != "cxsparse" || size > 1<<50:
		return nil, errors.New("damaged VHD disk image")
	}
	blockSize := int64(be.Uint32(h[32:]))
	if blockSize < 512 || blockSize&(blockSize-1) != 0 {
		return nil, fmt.Errorf("damaged VHD disk image: blocks of %d bytes", blockSize)
	}
	n := (d.size + blockSize - 1) / blockSize
	if n > int64(be.Uint32(h[28:])) {
		return nil, fmt.Errorf("damaged VHD disk image: a table of %d blocks for %d", be.Uint32(h[28:]), n)
	}
	table, err := d.entries(int64(be.Uint64(h[16:])), n, 4)
	if err != nil {
		return nil, fmt.Errorf("damaged VHD disk image: %w", err)
	}
	bitmap := (blockSize/512/8 + 511) &^ 511
	e := make([]byte, 4)
	for i := range n {
		const none = 0xffff_ffff
		if _, err := io.ReadFull(table, e); err != nil {
			return nil, fmt.Errorf("truncated VHD disk image: %w", err)
		}
		sector := be.Uint32(e)
		if sector == none {
			continue
		}
		if err := d.add(piece{at: i * blockSize, size: blockSize, from: int64(sector)*512 + bitmap}); err != nil {
			return nil, err
		}
	}
	return d, nil
}
