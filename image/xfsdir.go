package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// list reads a directory: within its inode, or in blocks of entries. Where blocks have an index besides, it is beyond the
// directory's size.
func (i *xfsInode) list() ([]item, error) {
	f := i.fs
	switch {
	case i.mode&unixTypeMask != unixDirectory:
		return nil, errors.New("not a directory")
	case i.size > xfsMaxDirectory:
		return nil, fmt.Errorf("a directory of %d bytes", i.size)
	case f.listed+i.size > xfsMaxListed:
		return nil, errors.New("too much in directories; are they cyclic?")
	}
	f.listed += i.size + f.inodeSize
	if i.format == xfsLocal {
		return f.shortEntries(i.fork[:min(i.size, int64(len(i.fork)))])
	}
	data, err := i.data()
	if err != nil {
		return nil, err
	}
	var items []item
	b := make([]byte, f.dirBlock)
	for at := int64(0); at+f.dirBlock <= i.size; at += f.dirBlock {
		if n, err := data.ReadAt(b, at); n < len(b) {
			return items, err
		}
		more, err := f.blockEntries(b)
		if items = append(items, more...); err != nil {
			return items, err
		}
	}
	return items, nil
}

// shortEntries reads the entries that are within an inode: how many, whether inode numbers have 8 bytes, the directory
// above; then each name with its length, an offset, the type and the inode.
func (f *xfsFS) shortEntries(b []byte) (items []item, err error) {
	if len(b) < 2 {
		return nil, errors.New("damaged directory")
	}
	number := 4
	if b[1] != 0 {
		number = 8
	}
	count := int(b[0])
	if count == 0 {
		count = int(b[1])
	}
	b = b[min(2+number, len(b)):]
	for range count {
		if len(b) < 3 {
			return items, errors.New("damaged directory")
		}
		end := 3 + int(b[0])
		inode := end
		if f.fileTypes {
			inode++
		}
		if inode+number > len(b) {
			return items, errors.New("damaged directory")
		}
		ino := uint64(binary.BigEndian.Uint32(b[inode:]))
		if number == 8 {
			ino = binary.BigEndian.Uint64(b[inode:])
		}
		items = f.add(items, string(b[3:end]), ino)
		b = b[inode+number:]
	}
	return items, nil
}

// blockEntries reads the entries of a block: each of inode, name, type and its place in the last two bytes, padded to 8;
// or free space with its length. A directory of a single block has its index at the block's end.
func (f *xfsFS) blockEntries(b []byte) (items []item, err error) {
	be := binary.BigEndian
	at, end := 16, len(b)
	if f.v5 {
		at = 64
	}
	switch string(b[:4]) {
	case "XD2D", "XDD3":
	case "XD2B", "XDB3":
		const tail, indexEntry = 8, 8
		n := be.Uint32(b[end-tail:])
		if uint64(n)*indexEntry > uint64(end-tail-at) {
			return nil, errors.New("damaged directory")
		}
		end -= tail + int(n)*indexEntry
	default:
		return nil, errors.New("damaged directory")
	}
	for at+8 < end {
		if be.Uint16(b[at:]) == 0xffff {
			length := int(be.Uint16(b[at+2:]))
			if length < 8 || length%8 != 0 || at+length > end {
				return items, fmt.Errorf("damaged free space at byte %d of a directory's block", at)
			}
			at += length
			continue
		}
		nameEnd := at + 9 + int(b[at+8])
		last := nameEnd + 2
		if f.fileTypes {
			last++
		}
		last = (last + 7) &^ 7
		if last > end {
			return items, fmt.Errorf("damaged entry at byte %d of a directory's block", at)
		}
		items = f.add(items, string(b[at+9:nameEnd]), be.Uint64(b[at:]))
		at = last
	}
	return items, nil
}

// add appends an entry; the others may be sound where this one is not.
func (f *xfsFS) add(items []item, name string, number uint64) []item {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return items
	}
	it, err := f.item(name, number)
	if err != nil {
		it = item{name: name, err: err}
	}
	return append(items, it)
}
