package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// data is the bytes of a file.
func (i *extInode) data() (io.ReaderAt, error) {
	d := &extData{inode: i}
	var err error
	switch {
	case i.flags&extEncrypted != 0:
		return nil, errors.New("encrypted")
	case i.flags&extInlineData != 0:
		d.inline, err = i.inline()
	case i.flags&extExtents != 0:
		const maxDepth = 5
		err = d.extents(i.block[:], maxDepth)
	default:
		err = d.blockMap()
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(d.runs, func(a, b extRun) int { return int(a.logical) - int(b.logical) })
	return d, nil
}

// extData is where the blocks of a file are.
type extData struct {
	inode  *extInode
	runs   []extRun // in the file's order
	inline []byte   // what the inode has
	nodes  int      // read so far
}

// An extRun is blocks that follow each other in the file and on the volume. What is in no run is zeros.
type extRun struct {
	logical, count uint32
	physical       uint64
}

func (d *extData) add(r extRun) error {
	if r.physical >= d.inode.fs.blocks || uint64(r.count) > d.inode.fs.blocks-r.physical {
		return fmt.Errorf("block %d of %d", r.physical+uint64(r.count), d.inode.fs.blocks)
	}
	if last := len(d.runs) - 1; last >= 0 && d.runs[last].logical+d.runs[last].count == r.logical &&
		d.runs[last].physical+uint64(d.runs[last].count) == r.physical {
		d.runs[last].count += r.count
		return nil
	}
	if len(d.runs) == extMaxExtents {
		return fmt.Errorf("a file in more than %d pieces", extMaxExtents)
	}
	d.runs = append(d.runs, r)
	return nil
}

// node reads a block of extents or of block numbers.
func (d *extData) node(block uint64) ([]byte, error) {
	f := d.inode.fs
	d.nodes++
	f.nodes++
	if d.nodes > extMaxNodes || f.nodes > extMaxAllNodes {
		return nil, errors.New("more blocks of extents than any file has; are they cyclic?")
	}
	if block >= f.blocks {
		return nil, fmt.Errorf("block %d of %d", block, f.blocks)
	}
	b := make([]byte, f.blockSize)
	return b, f.read(b, int64(block)*f.blockSize)
}

// extents reads a node of the extent tree (ifork.rst, "Extent Tree") that is at most so many levels above the leaves.
func (d *extData) extents(b []byte, levels int) error {
	const magic, headerSize, entrySize = 0xf30a, 12, 12
	le := binary.LittleEndian
	entries, depth := int(le.Uint16(b[2:])), int(le.Uint16(b[6:]))
	if le.Uint16(b) != magic || depth > levels || headerSize+entries*entrySize > len(b) {
		return errors.New("damaged tree of extents")
	}
	for k := range entries {
		e := b[headerSize+k*entrySize:]
		if depth > 0 {
			child, err := d.node(uint64(le.Uint32(e[4:])) | uint64(le.Uint16(e[8:]))<<32)
			if err != nil {
				return err
			}
			if err := d.extents(child, depth-1); err != nil {
				return err
			}
			continue
		}
		const unwritten = 0x8000 // longer ones are allocated, but read as zeros
		if count := uint32(le.Uint16(e[4:])); count <= unwritten {
			if err := d.add(extRun{le.Uint32(e), count, uint64(le.Uint32(e[8:])) | uint64(le.Uint16(e[6:]))<<32}); err != nil {
				return err
			}
		}
	}
	return nil
}

// blockMap reads the block numbers of ext2 and ext3: twelve, then a block of them, a block of blocks, and so on.
func (d *extData) blockMap() error {
	perBlock := uint64(d.inode.fs.blockSize) / 4
	need := (uint64(d.inode.size) + uint64(d.inode.fs.blockSize) - 1) / uint64(d.inode.fs.blockSize)
	at := uint64(0)
	for k := range 15 {
		number := uint64(binary.LittleEndian.Uint32(d.inode.block[4*k:]))
		level := max(0, k-11)
		covers := uint64(1)
		for range level {
			covers *= perBlock
		}
		if at >= need {
			return nil
		}
		if err := d.numbers(number, level, at, need, perBlock); err != nil {
			return err
		}
		at += covers
	}
	return nil
}

func (d *extData) numbers(number uint64, level int, at, need, perBlock uint64) error {
	if number == 0 || at >= need { // a hole
		return nil
	}
	if level == 0 {
		return d.add(extRun{uint32(at), 1, number})
	}
	b, err := d.node(number)
	if err != nil {
		return err
	}
	covers := uint64(1)
	for range level - 1 {
		covers *= perBlock
	}
	for k := range perBlock {
		if err := d.numbers(uint64(binary.LittleEndian.Uint32(b[4*k:])), level-1, at+k*covers, need, perBlock); err != nil {
			return err
		}
	}
	return nil
}

func (d *extData) ReadAt(p []byte, off int64) (int, error) {
	f := d.inode.fs
	if off < 0 || off >= d.inode.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > d.inode.size-off
	if short {
		p = p[:d.inode.size-off]
	}
	clear(p)
	if off < int64(len(d.inline)) {
		copy(p, d.inline[off:])
	}
	first := uint32(off / f.blockSize)
	from, _ := slices.BinarySearchFunc(d.runs, first, func(r extRun, block uint32) int {
		if r.logical+r.count <= block {
			return -1
		}
		return 1
	})
	for _, r := range d.runs[from:] {
		start, end := int64(r.logical)*f.blockSize, int64(r.logical+r.count)*f.blockSize
		low, high := max(start, off), min(end, off+int64(len(p)))
		if low >= high {
			break
		}
		if err := f.read(p[low-off:high-off], int64(r.physical)*f.blockSize+low-start); err != nil {
			return 0, err
		}
	}
	if short {
		return len(p), io.EOF
	}
	return len(p), nil
}
