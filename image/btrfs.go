package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"
)

// A reader of btrfs on one device (Linux include/uapi/linux/btrfs_tree.h; btrfs documentation, "On-disk format"). What a
// mount shows is shown: the default subvolume, and those within it as directories. It believes no number before having
// compared it with the size of the volume. The log is not replayed, and checksums are not compared.

const (
	btrfsSuperblock     = 0x10000
	btrfsSuperblockSize = 4096
	btrfsMagicAt        = 0x40
	btrfsMagic          = "_BHRfS_M"

	// Incompatible features (BTRFS_FEATURE_INCOMPAT_*) that do not change how what is read here is laid out.
	btrfsKnown = 0x1 /* mixed back references */ | 0x2 /* default subvolume */ | 0x4 /* mixed groups */ | 0x8 /* LZO */ |
		0x10 /* zstd */ | 0x20 /* big metadata */ | 0x40 /* extended references */ | 0x100 /* skinny metadata */ |
		0x200 /* no holes */ | 0x400 /* metadata UUID */ | 0x10000 /* simple quota */

	btrfsMaxNodes     = 1 << 18 // of trees, that are read
	btrfsCached       = 64      // of them
	btrfsMaxPieces    = 1 << 17 // of a file; compressed ones are of 128 KiB
	btrfsMaxDirectory = 1 << 20 // entries
	btrfsMaxListed    = 1 << 22 // entries of all directories that are read
	btrfsMaxChunks    = 1 << 16
	btrfsMaxLevel     = 8
)

// Object numbers and types of items (btrfs_tree.h).
const (
	btrfsFSTree     = 5
	btrfsRootDir    = 6   // of the tree of roots, names the default subvolume
	btrfsFirstInode = 256 // the root directory of a subvolume
	btrfsChunks     = 256 // the object of all chunks

	btrfsInodeItem = 1
	btrfsDirItem   = 84
	btrfsDirIndex  = 96
	btrfsExtent    = 108
	btrfsRootItem  = 132
	btrfsChunkItem = 228
)

type btrfsFS struct {
	r        io.ReaderAt
	size     int64 // of the volume, in bytes
	nodeSize int64
	sector   int64
	chunks   []btrfsChunk // by logical address
	roots    uint64       // logical address of the tree of roots
	cache    map[uint64][]byte
	nodes    int    // read so far
	listed   int    // entries of directories
	dirty    bool   // its log has more than the trees
	recent   []byte // the compressed extent that was unpacked last
	recentOf *int   // … of which piece it is
}

// A btrfsKey is where an item stands in a tree.
type btrfsKey struct {
	object uint64
	kind   byte
	offset uint64
}

const btrfsKeySize = 17

func readBtrfsKey(b []byte) btrfsKey {
	return btrfsKey{binary.LittleEndian.Uint64(b), b[8], binary.LittleEndian.Uint64(b[9:])}
}

func (k btrfsKey) less(l btrfsKey) bool {
	if k.object != l.object {
		return k.object < l.object
	}
	return k.kind < l.kind || k.kind == l.kind && k.offset < l.offset
}

func isBtrfs(r io.ReaderAt) bool {
	return signature{at: btrfsSuperblock + btrfsMagicAt, bytes: btrfsMagic}.matches(r)
}

// openBtrfs reads the superblock and the map of chunks.
func openBtrfs(r io.ReaderAt, size int64) (*btrfsFS, error) {
	b := make([]byte, btrfsSuperblockSize)
	if _, err := r.ReadAt(b, btrfsSuperblock); err != nil {
		return nil, fmt.Errorf("btrfs: superblock: %w", err)
	}
	le := binary.LittleEndian
	f := &btrfsFS{
		r: r, size: size, roots: le.Uint64(b[0x50:]), sector: int64(le.Uint32(b[0x90:])), nodeSize: int64(le.Uint32(b[0x94:])),
		dirty: le.Uint64(b[0x60:]) != 0, cache: map[uint64][]byte{},
	}
	const mapAt, mapMost = 0x32b, 2048
	mapSize := le.Uint32(b[0xa0:])
	switch features, devices := le.Uint64(b[0xbc:]), le.Uint64(b[0x88:]); {
	case features&^btrfsKnown != 0:
		return nil, fmt.Errorf("btrfs: features %#x are not supported", features&^btrfsKnown)
	case devices != 1:
		return nil, fmt.Errorf("btrfs: on %d devices", devices)
	case f.nodeSize < 4096 || f.nodeSize > 64<<10 || bits.OnesCount64(uint64(f.nodeSize)) != 1:
		return nil, fmt.Errorf("btrfs: nodes of %d bytes", f.nodeSize)
	case f.sector < 512 || f.sector > f.nodeSize:
		return nil, fmt.Errorf("btrfs: sectors of %d bytes", f.sector)
	case mapSize > mapMost:
		return nil, fmt.Errorf("btrfs: a map of %d bytes", mapSize)
	}
	if err := f.firstChunks(b[mapAt:][:mapSize]); err != nil {
		return nil, fmt.Errorf("btrfs: %w", err)
	}
	first, last := btrfsKey{btrfsChunks, btrfsChunkItem, 0}, btrfsKey{btrfsChunks, btrfsChunkItem, ^uint64(0)}
	var all []btrfsChunk
	err := f.walk(le.Uint64(b[0x58:]), first, last, func(k btrfsKey, item []byte) error {
		c, err := f.chunk(k.offset, item)
		if len(all) == btrfsMaxChunks {
			return fmt.Errorf("more than %d chunks", btrfsMaxChunks)
		}
		all = append(all, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("btrfs: tree of chunks: %w", err)
	}
	f.chunks = all // walked in the order of their addresses
	return f, nil
}

// tree returns where the root of a tree is.
func (f *btrfsFS) tree(id uint64) (root uint64, err error) {
	const size, bytenr = 239, 176 // struct btrfs_root_item
	found := false
	err = f.walk(f.roots, btrfsKey{id, btrfsRootItem, 0}, btrfsKey{id, btrfsRootItem, ^uint64(0)}, func(_ btrfsKey, item []byte) error {
		if len(item) < size {
			return errors.New("damaged item of a root")
		}
		root, found = binary.LittleEndian.Uint64(item[bytenr:]), true
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("tree %d: there is none", id)
	}
	return root, err
}

// rootItems lists the root directory of the default subvolume.
func (f *btrfsFS) rootItems() ([]item, error) {
	id := uint64(btrfsFSTree)
	err := f.walk(f.roots, btrfsKey{btrfsRootDir, btrfsDirItem, 0}, btrfsKey{btrfsRootDir, btrfsDirItem, ^uint64(0)}, func(_ btrfsKey, b []byte) error {
		if e, ok := readBtrfsEntry(b); ok && e.name == "default" && e.at.kind == btrfsRootItem {
			id = e.at.object
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	d, err := f.subvolume(id)
	if err != nil {
		return nil, err
	}
	return d.list()
}

// subvolume returns the root directory of a subvolume.
func (f *btrfsFS) subvolume(id uint64) (*btrfsInode, error) {
	root, err := f.tree(id)
	if err != nil {
		return nil, err
	}
	return f.inode(root, btrfsFirstInode)
}

// btrfsInode is a file or directory.
type btrfsInode struct {
	fs     *btrfsFS
	tree   uint64 // logical address of its subvolume's
	number uint64
	mode   uint32
	size   int64
}

func (f *btrfsFS) inode(tree, number uint64) (*btrfsInode, error) {
	i := &btrfsInode{fs: f, tree: tree, number: number}
	k := btrfsKey{number, btrfsInodeItem, 0}
	found := false
	err := f.walk(tree, k, k, func(_ btrfsKey, b []byte) error {
		const size = 160 // struct btrfs_inode_item
		if len(b) < size {
			return errors.New("damaged item of an inode")
		}
		n := binary.LittleEndian.Uint64(b[16:])
		i.mode, found = binary.LittleEndian.Uint32(b[52:]), true
		if n > 1<<62 {
			return fmt.Errorf("%d bytes", n)
		}
		i.size = int64(n)
		return nil
	})
	switch {
	case err == nil && !found:
		err = errors.New("there is none")
	case err == nil && i.mode&unixTypeMask == unixRegular && i.size > 32*f.size: // compressed, it may be larger than the volume
		err = fmt.Errorf("%d bytes on a volume of %d", i.size, f.size)
	}
	if err != nil {
		return nil, fmt.Errorf("inode %d: %w", number, err)
	}
	return i, nil
}

// A btrfsEntry is a name in a directory.
type btrfsEntry struct {
	at   btrfsKey
	name string
}

// readBtrfsEntry reads struct btrfs_dir_item.
func readBtrfsEntry(b []byte) (e btrfsEntry, ok bool) {
	const header = 30
	if len(b) < header {
		return e, false
	}
	n := int(binary.LittleEndian.Uint16(b[27:]))
	if header+n > len(b) {
		return e, false
	}
	return btrfsEntry{readBtrfsKey(b), string(b[header:][:n])}, true
}

// list reads a directory.
func (i *btrfsInode) list() (items []item, err error) {
	f := i.fs
	if i.mode&unixTypeMask != unixDirectory {
		return nil, errors.New("not a directory")
	}
	var entries []btrfsEntry
	err = f.walk(i.tree, btrfsKey{i.number, btrfsDirIndex, 0}, btrfsKey{i.number, btrfsDirIndex, ^uint64(0)}, func(_ btrfsKey, b []byte) error {
		e, ok := readBtrfsEntry(b)
		f.listed++
		switch {
		case !ok:
			return errors.New("damaged entry of a directory")
		case len(entries) == btrfsMaxDirectory:
			return fmt.Errorf("a directory of more than %d entries", btrfsMaxDirectory)
		case f.listed > btrfsMaxListed:
			return errors.New("too much in directories; are they cyclic?")
		}
		entries = append(entries, e)
		return nil
	})
	for _, e := range entries {
		if e.name == "" || e.name == "." || e.name == ".." || strings.ContainsAny(e.name, "/\x00") {
			continue
		}
		it, err := f.item(i.tree, e)
		if err != nil { // the others may be sound
			it = item{name: e.name, err: err}
		}
		items = append(items, it)
	}
	return items, err
}

// item is an entry: a file, a directory, or a subvolume.
func (f *btrfsFS) item(tree uint64, e btrfsEntry) (item, error) {
	var i *btrfsInode
	var err error
	switch e.at.kind {
	case btrfsInodeItem:
		i, err = f.inode(tree, e.at.object)
	case btrfsRootItem:
		i, err = f.subvolume(e.at.object)
	default:
		err = fmt.Errorf("an entry for an item of type %d", e.at.kind)
	}
	if err != nil {
		return item{}, err
	}
	return item{name: e.name, kind: unixKind(uint16(i.mode)), size: i.size, list: i.list, link: i.target, open: i.data}, nil
}

// target is where a symbolic link points to.
func (i *btrfsInode) target() (string, error) {
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
