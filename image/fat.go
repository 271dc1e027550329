package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A reader of FAT12, FAT16 and FAT32 (Microsoft, "FAT File System Specification", 2005; UEFI 2.10, section 13.3). It
// follows no chain of clusters further than the size of the file or directory allows, and all together not further than
// the volume has clusters: the library that there is follows a cyclic one for ever, with all memory.

const (
	fatEntrySize    = 32
	fatMaxDirectory = 65536 * fatEntrySize // bytes; the specification's own limit
	fatMaxListed    = 64 << 20             // bytes of all directories that are read
	fatMaxFile      = 1<<32 - 1
)

type fatFS struct {
	r           io.ReaderAt
	size        int64 // of the volume, in bytes
	kind        int   // 12, 16 or 32
	fat         int64 // offset of the first FAT
	root        int64 // offset of the root directory on FAT12 and FAT16
	rootSize    int64
	rootCluster uint32 // on FAT32
	data        int64  // offset of cluster 2
	clusterSize int64
	clusters    uint32 // how many; they are numbered from 2
	listed      int64  // bytes of directories read so far
	followed    uint32 // clusters, in all chains
	sector      []byte // of the FAT, read last
	sectorAt    int64
}

// isFAT tells whether a boot sector is one of FAT: a jump, and the numbers of a BIOS parameter block that make sense.
func isFAT(b []byte) bool {
	if len(b) < 512 || b[510] != 0x55 || b[511] != 0xaa || b[0] != 0xeb && b[0] != 0xe9 {
		return false
	}
	sector, cluster := binary.LittleEndian.Uint16(b[11:]), b[13]
	return sector >= 512 && sector <= 4096 && sector&(sector-1) == 0 && cluster != 0 && cluster&(cluster-1) == 0 &&
		binary.LittleEndian.Uint16(b[14:]) != 0 && b[16] >= 1 && b[16] <= 2
}

// openFAT reads the boot sector.
func openFAT(r io.ReaderAt, size int64) (*fatFS, error) {
	b := make([]byte, 512)
	if _, err := r.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("FAT: boot sector: %w", err)
	}
	if !isFAT(b) {
		return nil, errors.New("FAT: damaged boot sector")
	}
	le := binary.LittleEndian
	sector := int64(le.Uint16(b[11:]))
	rootEntries, fatSize, total := int64(le.Uint16(b[17:])), int64(le.Uint16(b[22:])), int64(le.Uint16(b[19:]))
	if fatSize == 0 {
		fatSize = int64(le.Uint32(b[36:]))
	}
	if total == 0 {
		total = int64(le.Uint32(b[32:]))
	}
	f := &fatFS{
		r: r, size: size, fat: int64(le.Uint16(b[14:])) * sector, rootSize: rootEntries * fatEntrySize,
		clusterSize: int64(b[13]) * sector, sectorAt: -1,
	}
	f.root = f.fat + int64(b[16])*fatSize*sector
	f.data = f.root + (f.rootSize+sector-1)/sector*sector
	if total*sector > size {
		return nil, fmt.Errorf("FAT: %d sectors of %d bytes; the volume has %d bytes", total, sector, size)
	}
	if f.data > total*sector {
		return nil, fmt.Errorf("FAT: data begin at byte %d of %d", f.data, total*sector)
	}
	clusters := (total*sector - f.data) / f.clusterSize
	bits := int64(32)
	switch { // EDK2 and Linux take any volume for FAT32 that has no FAT size of 16 bits, even if it is too small
	case le.Uint16(b[22:]) == 0:
		f.kind, f.rootCluster = 32, le.Uint32(b[44:])
	case clusters < 4085:
		f.kind, bits = 12, 12
	default:
		f.kind, bits = 16, 16
	}
	if held := fatSize * sector * 8 / bits; clusters+2 > held {
		return nil, fmt.Errorf("FAT: a table of %d entries for %d clusters", held, clusters)
	}
	f.clusters = uint32(clusters)
	return f, nil
}

// next returns the cluster after one in its chain; ok is false at the end.
func (f *fatFS) next(cluster uint32) (next uint32, ok bool, err error) {
	switch f.kind {
	case 12:
		v, err := f.entry(int64(cluster)+int64(cluster)/2, 2)
		if cluster%2 != 0 {
			v >>= 4
		}
		return v & 0xfff, v&0xfff < 0xff8, err
	case 16:
		v, err := f.entry(int64(cluster)*2, 2)
		return v, v < 0xfff8, err
	}
	v, err := f.entry(int64(cluster)*4, 4)
	return v & 0x0fffffff, v&0x0fffffff < 0x0ffffff8, err
}

// entry reads size bytes of the FAT.
func (f *fatFS) entry(at, size int64) (uint32, error) {
	const piece = 4096
	start := (f.fat + at) &^ (piece - 1)
	if f.fat+at+size > start+piece { // a FAT12 entry over the edge of two pieces
		var b [2]byte
		_, err := f.r.ReadAt(b[:], f.fat+at)
		return uint32(binary.LittleEndian.Uint16(b[:])), err
	}
	if f.sectorAt != start {
		f.sector, f.sectorAt = make([]byte, piece), start
		if _, err := f.r.ReadAt(f.sector, start); err != nil && !errors.Is(err, io.EOF) {
			f.sectorAt = -1
			return 0, err
		}
	}
	if b := f.sector[f.fat+at-start:]; size == 4 {
		return binary.LittleEndian.Uint32(b), nil
	} else {
		return uint32(binary.LittleEndian.Uint16(b)), nil
	}
}

// A fatRun is clusters that follow each other on the volume.
type fatRun struct{ at, size int64 } // bytes

// chain follows the clusters from the first one on, for size bytes; of a directory, whose size is not recorded, as far as
// they go.
func (f *fatFS) chain(first uint32, size int64, directory bool) (runs []fatRun, length int64, err error) {
	for cluster, ok := first, true; length < size; {
		if !ok {
			if directory {
				return runs, length, nil
			}
			return nil, 0, fmt.Errorf("a file of %d bytes ends after %d", size, length)
		}
		if cluster < 2 || cluster-2 >= f.clusters {
			return nil, 0, fmt.Errorf("cluster %d of %d", cluster, f.clusters)
		}
		const spare = 1 << 16 // chains that cross lose data, but may still be read
		if f.followed++; f.followed > f.clusters+spare {
			return nil, 0, fmt.Errorf("more clusters in files than the %d that there are; are they cyclic?", f.clusters)
		}
		at := f.data + int64(cluster-2)*f.clusterSize
		if last := len(runs) - 1; last >= 0 && runs[last].at+runs[last].size == at {
			runs[last].size += f.clusterSize
		} else {
			runs = append(runs, fatRun{at, f.clusterSize})
		}
		length += f.clusterSize
		if cluster, ok, err = f.next(cluster); err != nil {
			return nil, 0, err
		}
	}
	if directory {
		return nil, 0, fmt.Errorf("a directory of more than %d bytes; is it cyclic?", size)
	}
	return runs, size, nil
}

// fatData is the bytes of a file or directory.
type fatData struct {
	fs   *fatFS
	runs []fatRun
	size int64
}

func (d *fatData) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 || off >= d.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > d.size-off
	if short {
		p = p[:d.size-off]
	}
	start := int64(0) // of the run, in the file
	for _, r := range d.runs {
		low, high := max(start, off), min(start+r.size, off+int64(len(p)))
		if low < high {
			k, err := d.fs.r.ReadAt(p[low-off:high-off], r.at+low-start)
			n += k
			if int64(k) < high-low {
				if errors.Is(err, io.EOF) {
					err = io.ErrUnexpectedEOF
				}
				return n, err
			}
		}
		start += r.size
	}
	if short {
		return n, io.EOF
	}
	return n, nil
}
