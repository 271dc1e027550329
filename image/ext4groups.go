package image

import "encoding/binary"

// extGroups says where the descriptors of block groups are (Linux Documentation/filesystems/ext4/blockgroup.rst): all of
// them after the superblock, or with the feature meta_bg those of the last groups in the first block of the groups that
// they describe.
type extGroups struct {
	size       int64 // of a descriptor, in bytes
	blockSize  int64
	perGroup   int64   // blocks of a group
	firstBlock int64   // of group 0
	metaFirst  int64   // the first block of descriptors that lies in its own groups; -1 for none
	sparse     bool    // not every group has a copy of the superblock
	copies     []int64 // with sparse_super2 the groups that have one
}

func readExtGroups(superblock []byte, blockSize int64, features uint32) extGroups {
	le := binary.LittleEndian
	const sparseSuper, sparseSuper2 = 0x1 /* read-only compatible */, 0x200 /* compatible */
	g := extGroups{
		size: 32, blockSize: blockSize, perGroup: int64(le.Uint32(superblock[0x20:])),
		firstBlock: int64(le.Uint32(superblock[0x14:])), metaFirst: -1,
	}
	if le.Uint32(superblock[0x4c:]) >= 1 { // revision, below which there are no features
		g.sparse = le.Uint32(superblock[0x64:])&sparseSuper != 0
		if le.Uint32(superblock[0x5c:])&sparseSuper2 != 0 {
			g.copies = []int64{int64(le.Uint32(superblock[0x24c:])), int64(le.Uint32(superblock[0x250:]))}
		}
	}
	if features&ext64Bit != 0 {
		g.size = int64(le.Uint16(superblock[0xfe:]))
	}
	if features&extMetaBG != 0 {
		g.metaFirst = int64(le.Uint32(superblock[0x104:]))
	}
	return g
}

// sound tells whether descriptors have a size that they can have.
func (g extGroups) sound(features uint32) bool {
	return g.size >= 32 && g.size <= g.blockSize && (features&ext64Bit == 0 || g.size >= 64)
}

// at is where on the volume the descriptor of a group is.
func (g extGroups) at(group int64) int64 {
	perBlock := g.blockSize / g.size
	block := group / perBlock // of descriptors
	if g.metaFirst < 0 || block < g.metaFirst {
		// The block after the superblock, which is the second one of 1 KiB, the first one of any other size.
		return max(g.blockSize, 2048) + group*g.size
	}
	first := block * perBlock // the first group that is described there
	place := g.firstBlock + first*g.perGroup
	if g.hasSuper(first) {
		place++
	}
	if g.blockSize == 1024 && block == 0 && g.firstBlock == 0 { // the superblock is in block 1 nevertheless
		place++
	}
	return place*g.blockSize + group%perBlock*g.size
}

// hasSuper tells whether a group begins with a copy of the superblock.
func (g extGroups) hasSuper(group int64) bool {
	switch {
	case group == 0:
		return true
	case g.copies != nil:
		return group == g.copies[0] || group == g.copies[1]
	case !g.sparse || group == 1:
		return true
	}
	for _, base := range []int64{3, 5, 7} {
		power := base
		for power < group {
			power *= base
		}
		if power == group {
			return true
		}
	}
	return false
}
