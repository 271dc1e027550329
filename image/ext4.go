package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"
)

// A reader of ext2, ext3 and ext4 (Linux Documentation/filesystems/ext4). It reads what it needs when it needs it, and
// believes no number before having compared it with the size of the volume: the libraries that there are allocate what
// a superblock asks for, and take a hole for the blocks beside it. The journal is not replayed.

const (
	extSuperblock     = 1024 // bytes from the start of the volume
	extSuperblockSize = 1024
	extMagic          = 0xef53
	extRoot           = 2 // inode number

	// Incompatible features (super.rst) that do not change how what is read here is laid out.
	extKnown = 0x2 /* filetype */ | 0x4 /* recover */ | extMetaBG | 0x40 /* extents */ | 0x80 /* 64bit */ | 0x100 /* mmp */ |
		0x200 /* flex_bg */ | 0x400 /* ea_inode */ | 0x2000 /* csum_seed */ | 0x4000 /* largedir */ |
		0x8000 /* inline_data */ | 0x10000 /* encrypt */ | 0x20000 /* casefold */

	extRecover = 0x4
	extMetaBG  = 0x10
	ext64Bit   = 0x80

	// Flags of an inode (inodes.rst, "i_flags").
	extEncrypted  = 0x800
	extExtents    = 0x80000
	extInlineData = 0x10000000

	extMaxExtents   = 1 << 16   // of a file; those of 1 GiB in the smallest pieces would be four times as many
	extMaxNodes     = 1 << 12   // blocks of extents, or of block numbers, of a file
	extMaxAllNodes  = 1 << 18   // of all files that are looked at
	extMaxDirectory = 16 << 20  // bytes of a directory
	extMaxListed    = 256 << 20 // bytes of all directories that are read
)

type extFS struct {
	r              io.ReaderAt
	size           int64 // of the volume, in bytes
	blockSize      int64
	blocks         uint64
	groups         extGroups
	inodes         uint32
	inodesPerGroup uint32
	inodeSize      int64
	listed         int64 // bytes of directories read so far
	nodes          int   // blocks of extents, or of block numbers, read so far
	dirty          bool  // its journal has more than the volume
}

func isExt(r io.ReaderAt) bool {
	var magic [2]byte
	_, err := r.ReadAt(magic[:], extSuperblock+0x38)
	return err == nil && binary.LittleEndian.Uint16(magic[:]) == extMagic
}

// openExt reads the superblock.
func openExt(r io.ReaderAt, size int64) (*extFS, error) {
	b := make([]byte, extSuperblockSize)
	if _, err := r.ReadAt(b, extSuperblock); err != nil {
		return nil, fmt.Errorf("ext4: superblock: %w", err)
	}
	le := binary.LittleEndian
	features, revision := le.Uint32(b[0x60:]), le.Uint32(b[0x4c:])
	f := &extFS{
		r: r, size: size, inodes: le.Uint32(b), blocks: uint64(le.Uint32(b[0x4:])),
		inodesPerGroup: le.Uint32(b[0x28:]), inodeSize: 128, dirty: features&extRecover != 0,
	}
	if revision >= 1 {
		f.inodeSize = int64(le.Uint16(b[0x58:]))
	} else {
		features = 0
	}
	if features&ext64Bit != 0 {
		f.blocks |= uint64(le.Uint32(b[0x150:])) << 32
	}
	const maxBlockLog = 6 // 64 KiB
	logBlock := le.Uint32(b[0x18:])
	if logBlock <= maxBlockLog {
		f.blockSize = 1024 << logBlock
	}
	f.groups = readExtGroups(b, f.blockSize, features)
	switch {
	case features&^extKnown != 0:
		return nil, fmt.Errorf("ext4: features %#x are not supported", features&^extKnown)
	case f.blockSize == 0:
		return nil, fmt.Errorf("ext4: blocks of 2^%d KiB", logBlock)
	case f.blocks > uint64(size/f.blockSize):
		return nil, fmt.Errorf("ext4: %d blocks of %d bytes; the volume has %d bytes", f.blocks, f.blockSize, size)
	case f.inodeSize < 128 || f.inodeSize > f.blockSize || bits.OnesCount64(uint64(f.inodeSize)) != 1:
		return nil, fmt.Errorf("ext4: inodes of %d bytes", f.inodeSize)
	case !f.groups.sound(features):
		return nil, fmt.Errorf("ext4: group descriptors of %d bytes", f.groups.size)
	case f.inodesPerGroup == 0:
		return nil, errors.New("ext4: damaged superblock")
	}
	return f, nil
}

// extInode is a file or directory.
type extInode struct {
	fs    *extFS
	at    int64 // on the volume
	mode  uint16
	flags uint32
	size  int64
	block [60]byte // i_block: a tree of extents, block numbers, or a short link's target
}

func (f *extFS) inode(number uint32) (*extInode, error) {
	if number == 0 || number > f.inodes {
		return nil, fmt.Errorf("inode %d of %d", number, f.inodes)
	}
	group, index := int64((number-1)/f.inodesPerGroup), int64((number-1)%f.inodesPerGroup)
	descriptor := make([]byte, 64)[:min(f.groups.size, 64)]
	if err := f.read(descriptor, f.groups.at(group)); err != nil {
		return nil, fmt.Errorf("group descriptor %d: %w", group, err)
	}
	table := uint64(binary.LittleEndian.Uint32(descriptor[0x8:]))
	if len(descriptor) == 64 {
		table |= uint64(binary.LittleEndian.Uint32(descriptor[0x28:])) << 32
	}
	if table >= f.blocks {
		return nil, fmt.Errorf("inode table at block %d of %d", table, f.blocks)
	}
	b := make([]byte, 128)
	at := int64(table)*f.blockSize + index*f.inodeSize
	if err := f.read(b, at); err != nil {
		return nil, fmt.Errorf("inode %d: %w", number, err)
	}
	le := binary.LittleEndian
	i := &extInode{fs: f, at: at, mode: le.Uint16(b), flags: le.Uint32(b[0x20:])}
	size := uint64(le.Uint32(b[0x4:]))
	if i.mode&unixTypeMask == unixRegular {
		size |= uint64(le.Uint32(b[0x6c:])) << 32
	}
	if size > uint64(f.size) { // a sparse file may be larger; none that anybody boots is
		return nil, fmt.Errorf("inode %d: %d bytes on a volume of %d", number, size, f.size)
	}
	i.size = int64(size)
	copy(i.block[:], b[0x28:])
	return i, nil
}

// read reads all of b.
func (f *extFS) read(b []byte, at int64) error {
	if at < 0 || at > f.size-int64(len(b)) {
		return fmt.Errorf("byte %d of a volume of %d bytes", at, f.size)
	}
	_, err := f.r.ReadAt(b, at)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return err
}

// root lists the root directory.
func (f *extFS) root() ([]item, error) {
	i, err := f.inode(extRoot)
	if err != nil {
		return nil, err
	}
	return i.list()
}

// list reads a directory: blocks of entries, each of inode number, length, name length, type and name. The inner nodes
// of a hashed directory look like unused entries (directory.rst).
func (i *extInode) list() ([]item, error) {
	f := i.fs
	switch {
	case i.mode&unixTypeMask != unixDirectory:
		return nil, errors.New("not a directory")
	case i.size > extMaxDirectory:
		return nil, fmt.Errorf("a directory of %d bytes", i.size)
	case f.listed+i.size > extMaxListed:
		return nil, errors.New("too much in directories; are they cyclic?")
	}
	f.listed += i.size + f.blockSize
	if i.flags&extInlineData != 0 {
		return i.listInline()
	}
	data, err := i.data()
	if err != nil {
		return nil, err
	}
	b := make([]byte, i.size)
	if n, err := data.ReadAt(b, 0); n < len(b) {
		return nil, err
	}
	return f.entries(b)
}

// entries reads the entries of a directory out of its blocks.
func (f *extFS) entries(b []byte) (items []item, err error) {
	for at := 0; at+8 <= len(b); {
		number, length := binary.LittleEndian.Uint32(b[at:]), int(binary.LittleEndian.Uint16(b[at+4:]))
		if f.blockSize == 64<<10 && length == 0 {
			length = 64 << 10
		}
		nameEnd := at + 8 + int(b[at+6])
		if length < 8 || at+length > len(b) || nameEnd > at+length {
			return nil, fmt.Errorf("damaged entry at byte %d", at)
		}
		name := string(b[at+8 : nameEnd])
		at += length
		if number == 0 || name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
			continue
		}
		it, err := f.item(name, number)
		if err != nil { // the others may be sound
			it = item{name: name, err: err}
		}
		items = append(items, it)
	}
	return items, nil
}

func (f *extFS) item(name string, number uint32) (item, error) {
	i, err := f.inode(number)
	if err != nil {
		return item{}, err
	}
	return item{name: name, kind: unixKind(i.mode), size: i.size, list: i.list, link: i.target, open: i.data}, nil
}

// target is where a symbolic link points to; a short one is in the inode.
func (i *extInode) target() (string, error) {
	if i.size < int64(len(i.block)) && i.flags&(extExtents|extInlineData|extEncrypted) == 0 {
		return string(i.block[:i.size]), nil
	}
	data, err := i.data()
	if err != nil {
		return "", err
	}
	b := make([]byte, min(i.size, 4096))
	if n, err := data.ReadAt(b, 0); n < len(b) {
		return "", err
	}
	return string(b), nil
}
