package image

import (
	"encoding/binary"
	"errors"
)

// inline is what the inode itself has of a file (Linux Documentation/filesystems/ext4/inlinedata.rst): first what fits
// into the place of block numbers, then the value of the extended attribute "system.data" after the inode's fields. Linux
// takes what the file has beyond that for zeros.
func (i *extInode) inline() ([]byte, error) {
	b := append([]byte{}, i.block[:]...)
	if i.size > int64(len(b)) {
		rest, err := i.inlineRest()
		if err != nil {
			return nil, err
		}
		b = append(b, rest...)
	}
	return b[:min(i.size, int64(len(b)))], nil
}

// inlineRest is the value of the attribute "system.data", empty if there is none.
func (i *extInode) inlineRest() ([]byte, error) {
	const (
		fields    = 128 // of every inode; the size of those that follow is the first of them
		magic     = 0xea020000
		entrySize = 16
		index     = 7 // of names that begin with "system."
	)
	f := i.fs
	b := make([]byte, f.inodeSize)
	if err := f.read(b, i.at); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	if len(b) < fields+2 {
		return nil, nil
	}
	start := fields + int(le.Uint16(b[fields:]))
	if start+4 > len(b) || le.Uint32(b[start:]) != magic {
		return nil, nil
	}
	b = b[start+4:] // offsets of values count from the first entry
	for at := 0; at+entrySize <= len(b) && le.Uint32(b[at:]) != 0; {
		e := b[at:]
		nameLength, offset, size := int(e[0]), int64(le.Uint16(e[2:])), int64(le.Uint32(e[8:]))
		if at+entrySize+nameLength > len(b) {
			break
		}
		if e[1] == index && string(e[entrySize:][:nameLength]) == "data" {
			if offset+size > int64(len(b)) || le.Uint32(e[4:]) != 0 { // it would be in an inode of its own
				return nil, errors.New("damaged data within the inode")
			}
			return b[offset:][:size], nil
		}
		at += (entrySize + nameLength + 3) &^ 3
	}
	return nil, nil
}

// listInline reads a directory within its inode: the number of the one above, entries in the place of block numbers, and
// entries in the attribute.
func (i *extInode) listInline() ([]item, error) {
	const parent = 4 // bytes
	items, err := i.fs.entries(i.block[parent:])
	if err != nil || i.size <= int64(len(i.block)) {
		return items, err
	}
	rest, err := i.inlineRest()
	if err != nil {
		return nil, err
	}
	more, err := i.fs.entries(rest)
	return append(items, more...), err
}
