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
func (i *xfsInode) data() (io.ReaderAt, error) {
	all, err := i.where()
	if err != nil {
		return nil, err
	}
	return &pieces{i.fs.read, i.size, all}, nil
}

// where is where the file's pieces are, in its order.
func (i *xfsInode) where() ([]piece, error) {
	x := xfsData{fs: i.fs}
	var err error
	switch i.format {
	case xfsExtents:
		if i.pieces > uint64(len(i.fork)/xfsExtentSize) {
			return nil, errors.New("more pieces than the inode has room for")
		}
		err = x.extents(i.fork[:i.pieces*xfsExtentSize])
	case xfsTree:
		err = x.rootNode(i.fork)
	default:
		err = fmt.Errorf("data of format %d", i.format)
	}
	slices.SortFunc(x.all, func(a, b piece) int { return cmp.Compare(a.at, b.at) })
	return x.all, err
}

const (
	xfsExtentSize = 16
	xfsMaxLevels  = 9 // XFS_BTREE_MAXLEVELS
)

// xfsData is what has been read of where a file's pieces are.
type xfsData struct {
	fs    *xfsFS
	all   []piece
	nodes int
}

// extents reads extents, each packed into 128 bits: not yet written (1), block in the file (54), on the volume (52), how
// many (21).
func (x *xfsData) extents(b []byte) error {
	f, be := x.fs, binary.BigEndian
	for ; len(b) >= xfsExtentSize; b = b[xfsExtentSize:] {
		high, low := be.Uint64(b), be.Uint64(b[8:])
		logical, block, count := high>>9&(1<<54-1), high&(1<<9-1)<<43|low>>21, low&(1<<21-1)
		if high>>63 != 0 { // reads as zeros
			continue
		}
		from, err := f.place(block)
		switch {
		case err != nil:
			return err
		case int64(count)*f.blockSize > f.size-from:
			return fmt.Errorf("%d blocks from %#x on", count, block)
		case logical > uint64(1<<62/f.blockSize):
			return fmt.Errorf("a piece at block %d of a file", logical)
		case len(x.all) == xfsMaxPieces:
			return fmt.Errorf("a file in more than %d pieces", xfsMaxPieces)
		}
		x.all = append(x.all, piece{at: int64(logical) * f.blockSize, size: int64(count) * f.blockSize, from: from})
	}
	return nil
}

// rootNode reads the tree's root, which is in the inode: level, number of records, as many keys as there is room for, and
// as many blocks.
func (x *xfsData) rootNode(b []byte) error {
	const header = 4
	if len(b) < header {
		return errors.New("damaged tree of extents")
	}
	level, n, room := int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:])), (len(b)-header)/16
	if level == 0 || level > xfsMaxLevels || n > room {
		return errors.New("damaged tree of extents")
	}
	return x.children(b[header+8*room:][:8*n], level-1)
}

func (x *xfsData) children(blocks []byte, level int) error {
	for ; len(blocks) >= 8; blocks = blocks[8:] {
		if err := x.node(binary.BigEndian.Uint64(blocks), level); err != nil {
			return err
		}
	}
	return nil
}

// node reads a block of the tree, which has to be so many levels above the leaves.
func (x *xfsData) node(block uint64, level int) error {
	f := x.fs
	x.nodes++
	f.extentNode++
	if x.nodes > xfsMaxNodes || f.extentNode > xfsMaxAllNodes {
		return errors.New("more blocks of extents than any file has; are they cyclic?")
	}
	at, err := f.place(block)
	if err != nil {
		return err
	}
	b := make([]byte, f.blockSize)
	if err := f.read(b, at); err != nil {
		return err
	}
	header, magic := 24, "BMAP"
	if f.v5 {
		header, magic = 72, "BMA3"
	}
	n := int(binary.BigEndian.Uint16(b[6:]))
	room := (len(b) - header) / 16
	if string(b[:4]) != magic || int(binary.BigEndian.Uint16(b[4:])) != level || n > room {
		return errors.New("damaged tree of extents")
	}
	if level == 0 {
		return x.extents(b[header:][:n*xfsExtentSize])
	}
	return x.children(b[header+8*room:][:8*n], level-1)
}
