package image

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A btrfsChunk maps logical addresses to places on the device. Copies besides the first are not needed.
type btrfsChunk struct{ logical, length, physical uint64 }

// chunk reads struct btrfs_chunk.
func (f *btrfsFS) chunk(logical uint64, b []byte) (btrfsChunk, error) {
	const header, stripe = 48, 32
	const striped = 0x8 | 0x40 | 0x80 | 0x100 // RAID0, 10, 5, 6
	if len(b) < header+stripe {
		return btrfsChunk{}, errors.New("damaged chunk")
	}
	le := binary.LittleEndian
	c := btrfsChunk{logical, le.Uint64(b), le.Uint64(b[header+8:])}
	switch stripes := le.Uint16(b[44:]); {
	case stripes == 0 || c.length == 0 || c.logical > 1<<63 || c.length > 1<<62:
		return c, errors.New("damaged chunk")
	case le.Uint64(b[24:])&striped != 0 && stripes > 1:
		return c, errors.New("a chunk in stripes, which are not read")
	case c.physical > uint64(f.size) || c.length > uint64(f.size)-c.physical:
		return c, fmt.Errorf("a chunk of %d bytes at %#x of a volume of %d", c.length, c.physical, f.size)
	}
	return c, nil
}

// firstChunks reads the superblock's part of the map, which has the tree with all of it.
func (f *btrfsFS) firstChunks(b []byte) error {
	const header, stripe = 48, 32
	for len(b) >= btrfsKeySize+header {
		k := readBtrfsKey(b)
		size := btrfsKeySize + header + stripe*int(binary.LittleEndian.Uint16(b[btrfsKeySize+44:]))
		if size > len(b) {
			return errors.New("damaged map of chunks")
		}
		c, err := f.chunk(k.offset, b[btrfsKeySize:size])
		if err != nil {
			return err
		}
		f.chunks = append(f.chunks, c)
		b = b[size:]
	}
	slices.SortFunc(f.chunks, func(a, b btrfsChunk) int { return cmp.Compare(a.logical, b.logical) })
	return nil
}

// read reads all of b from a logical address.
func (f *btrfsFS) read(b []byte, logical uint64) error {
	for len(b) > 0 {
		n, found := slices.BinarySearchFunc(f.chunks, logical, func(c btrfsChunk, logical uint64) int {
			switch {
			case c.logical+c.length <= logical:
				return -1
			case c.logical > logical:
				return 1
			}
			return 0
		})
		if !found {
			return fmt.Errorf("logical address %#x: in no chunk", logical)
		}
		c := f.chunks[n]
		part := min(uint64(len(b)), c.logical+c.length-logical)
		if _, err := f.r.ReadAt(b[:part], int64(c.physical+logical-c.logical)); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		b, logical = b[part:], logical+part
	}
	return nil
}

const (
	btrfsHeader   = 101 // struct btrfs_header
	btrfsItemSize = 25  // struct btrfs_item, in a leaf
	btrfsPointer  = 33  // struct btrfs_key_ptr, in a node
)

// node reads a node of a tree.
func (f *btrfsFS) node(logical uint64) ([]byte, error) {
	if b := f.cache[logical]; b != nil {
		return b, nil
	}
	if f.nodes++; f.nodes > btrfsMaxNodes {
		return nil, fmt.Errorf("more than %d nodes of trees", btrfsMaxNodes)
	}
	b := make([]byte, f.nodeSize)
	if err := f.read(b, logical); err != nil {
		return nil, err
	}
	entry := btrfsItemSize
	if b[100] > 0 {
		entry = btrfsPointer
	}
	if n := binary.LittleEndian.Uint32(b[96:]); binary.LittleEndian.Uint64(b[48:]) != logical || b[100] >= btrfsMaxLevel ||
		uint64(n)*uint64(entry) > uint64(len(b)-btrfsHeader) {
		return nil, fmt.Errorf("damaged node of a tree at %#x", logical)
	}
	if len(f.cache) == btrfsCached {
		clear(f.cache)
	}
	f.cache[logical] = b
	return b, nil
}

// walk calls visit for each item of a tree from one key to another, in order.
func (f *btrfsFS) walk(root uint64, first, last btrfsKey, visit func(k btrfsKey, item []byte) error) error {
	b, err := f.node(root)
	if err != nil {
		return err
	}
	return f.walkNode(b, first, last, visit)
}

func (f *btrfsFS) walkNode(b []byte, first, last btrfsKey, visit func(k btrfsKey, item []byte) error) error {
	le := binary.LittleEndian
	n, level := int(le.Uint32(b[96:])), b[100]
	if level == 0 {
		for i := range n {
			e := b[btrfsHeader+i*btrfsItemSize:]
			k := readBtrfsKey(e)
			if k.less(first) || last.less(k) {
				continue
			}
			at, size := uint64(le.Uint32(e[17:])), uint64(le.Uint32(e[21:]))
			if at+size > uint64(len(b)-btrfsHeader) {
				return errors.New("damaged leaf of a tree")
			}
			if err := visit(k, b[btrfsHeader+at:][:size]); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range n {
		e := b[btrfsHeader+i*btrfsPointer:]
		if last.less(readBtrfsKey(e)) {
			break
		}
		if i+1 < n && !first.less(readBtrfsKey(e[btrfsPointer:])) && first != readBtrfsKey(e[btrfsPointer:]) {
			continue // all of the child is before first
		}
		child, err := f.node(le.Uint64(e[17:]))
		if err != nil {
			return err
		}
		if child[100] != level-1 { // so a tree has an end
			return errors.New("damaged tree: a node of the wrong level")
		}
		if err := f.walkNode(child, first, last, visit); err != nil {
			return err
		}
	}
	return nil
}
