package image

import (
	"cmp"
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
		b, err := i.inline()
		return &pieces{size: i.size, all: []piece{{size: int64(len(b)), source: bytesOf(b)}}}, err
	case i.flags&extExtents != 0:
		const maxDepth = 5
		err = d.extents(i.block[:], maxDepth)
	default:
		err = d.blockMap()
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(d.all, func(a, b piece) int { return cmp.Compare(a.at, b.at) })
	return &pieces{i.fs.read, i.size, d.all}, nil
}

// extData is where the blocks of a file are.
type extData struct {
	inode *extInode
	all   []piece
	nodes int // read so far
}

// add appends blocks that follow each other in the file and on the volume.
func (d *extData) add(logical, count uint32, physical uint64) error {
	f := d.inode.fs
	if physical >= f.blocks || uint64(count) > f.blocks-physical {
		return fmt.Errorf("block %d of %d", physical+uint64(count), f.blocks)
	}
	p := piece{at: int64(logical) * f.blockSize, size: int64(count) * f.blockSize, from: int64(physical) * f.blockSize}
	if last := len(d.all) - 1; last >= 0 && d.all[last].at+d.all[last].size == p.at && d.all[last].from+d.all[last].size == p.from {
		d.all[last].size += p.size
		return nil
	}
	if len(d.all) == extMaxExtents {
		return fmt.Errorf("a file in more than %d pieces", extMaxExtents)
	}
	d.all = append(d.all, p)
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
			if err := d.add(le.Uint32(e), count, uint64(le.Uint32(e[8:]))|uint64(le.Uint16(e[6:]))<<32); err != nil {
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
		return d.add(uint32(at), 1, number)
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
