package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// A reader of XFS, versions 4 and 5 ("XFS Algorithms & Data Structures", 3rd edition; Linux fs/xfs/libxfs/xfs_format.h).
// It believes no number before having compared it with the size of the volume. The journal is not replayed.

const (
	xfsMagic          = "XFSB"
	xfsSuperblockSize = 264

	// Incompatible features (xfs_format.h, XFS_SB_FEAT_INCOMPAT_*) that do not change how what is read here is laid out.
	xfsKnown = xfsFileTypes | 0x2 /* sparse inodes */ | 0x4 /* metadata UUID */ | 0x8 /* big times */ | 0x10 /* needs repair */ |
		0x20 /* 64-bit extent counts */ | 0x40 /* exchange range */ | 0x80 /* parent pointers */
	xfsFileTypes    = 0x1
	xfsV4FileTypes  = 0x200 // of version 4's second word of features
	xfsNeedsRepair  = 0x10
	xfsNodesV3      = 5       // the version of the superblock from which on blocks have checksums
	xfsMaxPieces    = 1 << 16 // of a file
	xfsMaxNodes     = 1 << 12 // blocks of extents of a file
	xfsMaxAllNodes  = 1 << 18 // of all files that are looked at
	xfsMaxDirectory = 16 << 20
	xfsMaxListed    = 256 << 20 // bytes of all directories that are read
	xfsMaxLink      = 1024
)

type xfsFS struct {
	r          io.ReaderAt
	size       int64 // of the volume, in bytes
	blockSize  int64
	blocks     uint64
	root       uint64 // inode number
	groupSize  uint64 // blocks of an allocation group
	groups     uint64
	inodeSize  int64
	groupBits  int // of a block's number within its group
	inodeBits  int // of an inode's number within its block
	dirBlock   int64
	v5         bool
	fileTypes  bool  // directories have the types of what they name
	damaged    bool  // the file system itself says that it needs repair
	listed     int64 // bytes of directories read so far
	extentNode int   // blocks of extents read so far
}

func isXFS(b []byte) bool { return len(b) >= 4 && string(b[:4]) == xfsMagic }

// openXFS reads the superblock.
func openXFS(r io.ReaderAt, size int64) (*xfsFS, error) {
	b := make([]byte, xfsSuperblockSize)
	if _, err := r.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("XFS: superblock: %w", err)
	}
	be := binary.BigEndian
	version := be.Uint16(b[100:]) & 0xf
	f := &xfsFS{
		r: r, size: size, blockSize: int64(be.Uint32(b[4:])), blocks: be.Uint64(b[8:]), root: be.Uint64(b[56:]),
		groupSize: uint64(be.Uint32(b[84:])), groups: uint64(be.Uint32(b[88:])), inodeSize: int64(be.Uint16(b[104:])),
		groupBits: int(b[124]), inodeBits: int(b[123]), v5: version == xfsNodesV3,
	}
	f.fileTypes = be.Uint32(b[200:])&xfsV4FileTypes != 0
	var unknown uint32
	if f.v5 {
		features := be.Uint32(b[216:])
		f.fileTypes, f.damaged, unknown = features&xfsFileTypes != 0, features&xfsNeedsRepair != 0, features&^xfsKnown
	}
	f.dirBlock = f.blockSize << min(b[192], 16)
	switch {
	case version < 4 || version > 5:
		return nil, fmt.Errorf("XFS: version %d is not supported", version)
	case unknown != 0:
		return nil, fmt.Errorf("XFS: features %#x are not supported", unknown)
	case f.blockSize < 512 || f.blockSize > 64<<10 || bits.OnesCount64(uint64(f.blockSize)) != 1:
		return nil, fmt.Errorf("XFS: blocks of %d bytes", f.blockSize)
	case f.blocks > uint64(size/f.blockSize):
		return nil, fmt.Errorf("XFS: %d blocks of %d bytes; the volume has %d bytes", f.blocks, f.blockSize, size)
	case f.inodeSize < 256 || f.inodeSize > 2048 || f.inodeSize > f.blockSize || f.blockSize>>f.inodeBits != f.inodeSize:
		return nil, fmt.Errorf("XFS: inodes of %d bytes", f.inodeSize)
	case f.groupSize == 0 || f.groupBits > 31 || f.groupSize > 1<<f.groupBits || f.groups == 0:
		return nil, fmt.Errorf("XFS: %d groups of %d blocks", f.groups, f.groupSize)
	case f.dirBlock > 64<<10:
		return nil, fmt.Errorf("XFS: directories in blocks of %d bytes", f.dirBlock)
	}
	return f, nil
}

// place is where a block is on the volume, in bytes. Its number has that of its group in front.
func (f *xfsFS) place(block uint64) (int64, error) {
	group, within := block>>f.groupBits, block&(1<<f.groupBits-1)
	if group >= f.groups || within >= f.groupSize || group*f.groupSize+within >= f.blocks {
		return 0, fmt.Errorf("block %#x of %d groups of %d", block, f.groups, f.groupSize)
	}
	return int64(group*f.groupSize+within) * f.blockSize, nil
}

// read reads all of b.
func (f *xfsFS) read(b []byte, at int64) error {
	if at < 0 || at > f.size-int64(len(b)) {
		return fmt.Errorf("byte %d of a volume of %d bytes", at, f.size)
	}
	_, err := f.r.ReadAt(b, at)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return err
}

// xfsInode is a file or directory.
type xfsInode struct {
	fs     *xfsFS
	mode   uint16
	format byte // of the data
	size   int64
	pieces uint64
	fork   []byte // what the inode has of the data, or of where they are
}

// Formats of an inode's data (xfs_format.h, enum xfs_dinode_fmt).
const (
	xfsLocal   = 1
	xfsExtents = 2
	xfsTree    = 3
)

func (f *xfsFS) inode(number uint64) (*xfsInode, error) {
	at, err := f.place(number >> f.inodeBits)
	if err != nil {
		return nil, fmt.Errorf("inode %d: %w", number, err)
	}
	b := make([]byte, f.inodeSize)
	if err := f.read(b, at+int64(number&(1<<f.inodeBits-1))*f.inodeSize); err != nil {
		return nil, fmt.Errorf("inode %d: %w", number, err)
	}
	be := binary.BigEndian
	i := &xfsInode{fs: f, mode: be.Uint16(b[2:]), format: b[5], pieces: uint64(be.Uint32(b[76:]))}
	fork, version := 100, b[4]
	if version >= 3 {
		fork = 176
		const wideCounts = 1 << 4 // XFS_DIFLAG2_NREXT64
		if be.Uint64(b[120:])&wideCounts != 0 {
			i.pieces = be.Uint64(b[24:])
		}
	}
	const realTime = 1 // di_flags
	size, end := be.Uint64(b[56:]), len(b)
	if attributes := int(b[82]) * 8; attributes != 0 {
		end = fork + attributes
	}
	switch {
	case string(b[:2]) != "IN" || version < 1 || version > 3 || end > len(b):
		return nil, fmt.Errorf("inode %d: damaged", number)
	case be.Uint16(b[90:])&realTime != 0:
		return nil, fmt.Errorf("inode %d: on a real-time device", number)
	case size > uint64(f.size): // a sparse file may be larger; none that anybody boots is
		return nil, fmt.Errorf("inode %d: %d bytes on a volume of %d", number, size, f.size)
	}
	i.size, i.fork = int64(size), b[fork:end]
	return i, nil
}

// item is an entry of a directory.
func (f *xfsFS) item(name string, number uint64) (item, error) {
	i, err := f.inode(number)
	if err != nil {
		return item{}, err
	}
	return item{name: name, kind: unixKind(i.mode), size: i.size, list: i.list, link: i.target, open: i.data}, nil
}

// rootItems lists the root directory.
func (f *xfsFS) rootItems() ([]item, error) {
	i, err := f.inode(f.root)
	if err != nil {
		return nil, err
	}
	return i.list()
}

// target is where a symbolic link points to. Version 5 has a header in each block of a long one.
func (i *xfsInode) target() (string, error) {
	if i.size > xfsMaxLink {
		return "", fmt.Errorf("a symbolic link of %d bytes", i.size)
	}
	if i.format == xfsLocal {
		return string(i.fork[:min(i.size, int64(len(i.fork)))]), nil
	}
	all, err := i.where()
	if err != nil {
		return "", err
	}
	header := int64(0)
	if i.fs.v5 {
		const linkHeader = 56
		header = linkHeader
	}
	var target []byte
	for _, p := range all {
		for at := int64(0); at < p.size && int64(len(target)) < i.size; at += i.fs.blockSize {
			b := make([]byte, i.fs.blockSize)
			if err := i.fs.read(b, p.from+at); err != nil {
				return "", err
			}
			target = append(target, b[header:]...)
		}
	}
	return string(target[:min(i.size, int64(len(target)))]), nil
}
