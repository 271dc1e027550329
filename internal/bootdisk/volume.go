package bootdisk

import (
	"crypto/sha256"
	"encoding/binary"
)

const (
	reservedSectors = 32
	rootCluster     = 2 // and EFI's and BOOT's are the two after it, of one cluster each
	efiCluster      = 3
	bootCluster     = 4
	fileCluster     = 5

	lastOfChain = 0x0fffffff
	fixedDisk   = 0xf8 // the media byte
)

// A volume is a file system of FAT32 (Microsoft, "FAT File System Specification", 2005) with one file in two directories:
// Path.
type volume struct {
	sectors     uint32 // in all
	fatSectors  uint32 // of each of two tables
	perCluster  uint32 // sectors
	clusters    uint32
	fileSize    uint32 // bytes
	fileUsed    uint32 // clusters
	serial      uint32
	clusterSize uint32 // bytes
}

func newVolume(file uint32, digest [sha256.Size]byte) *volume {
	size := (uint64(file) + room + mib - 1) &^ (mib - 1)
	// Larger clusters for larger volumes, as mkfs.fat chooses them, keep the tables small; there remain more than 65,525.
	perCluster := uint32(1)
	if size > 260*mib {
		perCluster = 8
		size += 256 * mib
	}
	v := &volume{sectors: uint32(size / sector), perCluster: perCluster, fileSize: file, clusterSize: perCluster * sector,
		serial: binary.LittleEndian.Uint32(digest[:])}
	// A cluster takes its sectors, and four bytes in each table, which has two entries more than there are clusters.
	available := v.sectors - reservedSectors
	v.fatSectors = (available/perCluster + 2 + sector/4 - 1) / (sector / 4)
	v.clusters = (available - 2*v.fatSectors) / perCluster
	v.fileUsed = uint32((uint64(file) + uint64(v.clusterSize) - 1) / uint64(v.clusterSize))
	return v
}

// reserved is what stands before the tables: the boot sector, what is free, and their copies.
func (v *volume) reserved() []byte {
	b := make([]byte, reservedSectors*sector)
	le := binary.LittleEndian
	copy(b, []byte{0xeb, 0x58, 0x90}) // A jump over the parameters, to code that is not there.
	copy(b[3:], "TACIT   ")
	le.PutUint16(b[11:], sector)
	b[13] = byte(v.perCluster)
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
	copy(b[71:], "TACIT      FAT32   ")
	b[510], b[511] = 0x55, 0xaa

	free := b[sector : 2*sector]
	le.PutUint32(free, 0x41615252)
	le.PutUint32(free[484:], 0x61417272)
	le.PutUint32(free[488:], v.clusters-(fileCluster-rootCluster)-v.fileUsed)
	le.PutUint32(free[492:], fileCluster+v.fileUsed)
	le.PutUint32(free[508:], 0xaa550000)
	copy(b[6*sector:], b[:2*sector])
	return b
}

// allocation is one of the two tables: three directories of a cluster each, and the file.
func (v *volume) allocation() []byte {
	b := make([]byte, v.fatSectors*sector)
	put := func(cluster, next uint32) { binary.LittleEndian.PutUint32(b[4*cluster:], next) }
	put(0, 0x0fffff00|fixedDisk)
	put(1, lastOfChain)
	for _, directory := range []uint32{rootCluster, efiCluster, bootCluster} {
		put(directory, lastOfChain)
	}
	for i := range v.fileUsed {
		put(fileCluster+i, fileCluster+i+1)
	}
	if v.fileUsed > 0 {
		put(fileCluster+v.fileUsed-1, lastOfChain)
	}
	return b
}

// directories is the root, EFI and BOOT.
func (v *volume) directories() []byte {
	const (
		label     = 0x08
		directory = 0x10
		archive   = 0x20
	)
	b := make([]byte, 3*v.clusterSize)
	entry := func(in, slot uint32, name string, attributes byte, cluster, size uint32) {
		e := b[(in-rootCluster)*v.clusterSize+32*slot:]
		le := binary.LittleEndian
		copy(e, name)
		e[11] = attributes
		for _, date := range []int{16, 18, 24} { // made, read, written
			le.PutUint16(e[date:], 1<<5|1) // the first of January 1980
		}
		le.PutUint16(e[20:], uint16(cluster>>16))
		le.PutUint16(e[26:], uint16(cluster))
		le.PutUint32(e[28:], size)
	}
	first := uint32(fileCluster)
	if v.fileUsed == 0 {
		first = 0
	}
	entry(rootCluster, 0, "TACIT      ", label, 0, 0)
	entry(rootCluster, 1, "EFI        ", directory, efiCluster, 0)
	entry(efiCluster, 0, ".          ", directory, efiCluster, 0)
	entry(efiCluster, 1, "..         ", directory, 0, 0) // The root has no number there.
	entry(efiCluster, 2, "BOOT       ", directory, bootCluster, 0)
	entry(bootCluster, 0, ".          ", directory, bootCluster, 0)
	entry(bootCluster, 1, "..         ", directory, efiCluster, 0)
	entry(bootCluster, 2, "BOOTX64 EFI", archive, first, v.fileSize)
	return b
}

// unused is how many bytes follow the file.
func (v *volume) unused() uint64 {
	used := uint64(reservedSectors+2*v.fatSectors)*sector + 3*uint64(v.clusterSize) + uint64(v.fileSize)
	return uint64(v.sectors)*sector - used
}
