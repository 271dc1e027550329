package bootdisk

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

const (
	reservedSectors = 32
	rootCluster     = 2 // the first that there is

	lastOfChain = 0x0fffffff
	fixedDisk   = 0xf8 // the media byte
)

// A volume is a file system of FAT32 (Microsoft, "FAT File System Specification", 2005) that is being made.
type volume struct {
	sectors     uint32 // in all
	fatSectors  uint32 // of each of two tables
	clusters    uint32 // that there are; they are numbered from 2
	clusterSize uint32 // bytes
	serial      uint32

	fat     []uint32 // what follows each cluster in its chain, as far as they are taken
	content [][]byte // of the clusters from 2 on, in whole clusters
}

var errFull = errors.New("more files than the volume has room for")

// newVolume makes an empty one for files of so many bytes.
func newVolume(files uint64, digest [sha256.Size]byte) *volume {
	size := (files + room + mib - 1) &^ (mib - 1)
	// Larger clusters for larger volumes, as mkfs.fat chooses them, keep the tables small; there remain more than 65,525.
	perCluster := uint32(1)
	if size > 260*mib {
		perCluster = 8
		size += 256 * mib
	}
	v := &volume{
		sectors: uint32(size / sector), clusterSize: perCluster * sector,
		serial: binary.LittleEndian.Uint32(digest[:]), fat: []uint32{0x0fffff00 | fixedDisk, lastOfChain},
	}
	// A cluster takes its sectors, and four bytes in each table, which has two entries more than there are clusters.
	available := v.sectors - reservedSectors
	v.fatSectors = (available/perCluster + 2 + sector/4 - 1) / (sector / 4)
	v.clusters = (available - 2*v.fatSectors) / perCluster
	return v
}

// take gives content the next clusters, and returns the first of them; 0 for nothing.
func (v *volume) take(content []byte) (first uint32, err error) {
	n := (uint32(len(content)) + v.clusterSize - 1) / v.clusterSize
	if n == 0 {
		return 0, nil
	}
	first = uint32(len(v.fat))
	if n > v.clusters+rootCluster-first {
		return 0, errFull
	}
	for i := range n - 1 {
		v.fat = append(v.fat, first+i+1)
	}
	v.fat = append(v.fat, lastOfChain)
	v.content = append(v.content, content)
	if rest := uint32(len(content)) % v.clusterSize; rest != 0 {
		v.content = append(v.content, make([]byte, v.clusterSize-rest))
	}
	return first, nil
}

// reserved is what stands before the tables: the boot sector, what is free, and their copies.
func (v *volume) reserved() []byte {
	b := make([]byte, reservedSectors*sector)
	le := binary.LittleEndian
	copy(b, []byte{0xeb, 0x58, 0x90}) // A jump over the parameters, to code that is not there.
	copy(b[3:], "TACIT   ")
	le.PutUint16(b[11:], sector)
	b[13] = byte(v.clusterSize / sector)
	le.PutUint16(b[14:], reservedSectors)
	b[16] = 2 // tables
	b[21] = fixedDisk
	le.PutUint16(b[24:], 63)  // sectors of a track,
	le.PutUint16(b[26:], 255) // and heads, as all have them
	le.PutUint32(b[28:], mib/sector)
	le.PutUint32(b[32:], v.sectors)
	le.PutUint32(b[36:], v.fatSectors)
	le.PutUint32(b[44:], rootCluster)
	le.PutUint16(b[48:], 1) // where the free clusters are told,
	le.PutUint16(b[50:], 6) // and the copy of this sector
	b[64], b[66] = 0x80, 0x29
	le.PutUint32(b[67:], v.serial)
	copy(b[71:], label+"FAT32   ")
	b[510], b[511] = 0x55, 0xaa

	free := b[sector : 2*sector]
	le.PutUint32(free, 0x41615252)
	le.PutUint32(free[484:], 0x61417272)
	le.PutUint32(free[488:], v.clusters+rootCluster-uint32(len(v.fat)))
	le.PutUint32(free[492:], uint32(len(v.fat)))
	le.PutUint32(free[508:], 0xaa550000)
	copy(b[6*sector:], b[:2*sector])
	return b
}

// allocation is one of the two tables.
func (v *volume) allocation() []byte {
	b := make([]byte, v.fatSectors*sector)
	for i, next := range v.fat {
		binary.LittleEndian.PutUint32(b[4*i:], next)
	}
	return b
}

// unused is how many bytes follow the last cluster that is taken.
func (v *volume) unused() uint64 {
	used := uint64(reservedSectors+2*v.fatSectors)*sector + uint64(len(v.fat)-rootCluster)*uint64(v.clusterSize)
	return uint64(v.sectors)*sector - used
}
