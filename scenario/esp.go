package scenario

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/vm"
)

// This file makes a disk with one partition, an EFI system partition with FAT16 (Microsoft's FAT specification, version 1.03;
// UEFI 2.10, sections 5.2.1 and 13.3). Names are of eight and three characters, which all loaders here get along with.

const (
	sector       = 512
	cluster      = 8 * sector
	firstSector  = 2048 // of the partition: at 1 MiB
	rootEntries  = 512
	dirEntry     = 32
	typeESP      = 0xEF // of a partition
	attributeDir = 0x10
	endOfChain   = 0xFFFF

	// FAT16 is what has at least so many clusters, and fewer than those.
	leastClusters, mostClusters = 4085, 65525
)

// A volume is a file system that is being made. Clusters are numbered from 2.
type volume struct {
	clusters []byte
	fat      []uint16
}

// esp makes a disk whose EFI system partition has files, by their paths with slashes.
func esp(files map[string][]byte) ([]vm.Disk, error) {
	v := volume{fat: []uint16{0xFFF8, endOfChain}}
	root, err := v.directory(files, 0, 0)
	if err != nil {
		return nil, err
	}
	if len(root) > rootEntries*dirEntry || len(v.fat) >= mostClusters {
		return nil, fmt.Errorf("%d MiB of files for an EFI system partition", len(v.clusters)>>20)
	}
	for len(v.fat) < leastClusters+2 {
		v.fat, v.clusters = append(v.fat, 0), append(v.clusters, make([]byte, cluster)...)
	}
	table := make([]byte, (len(v.fat)*2+sector-1)/sector*sector)
	for i, next := range v.fat {
		binary.LittleEndian.PutUint16(table[2*i:], next)
	}
	root = append(root, make([]byte, rootEntries*dirEntry-len(root))...)
	sectors := uint32(1 + (len(table)+len(root)+len(v.clusters))/sector)
	d := slices.Concat(partitioned(sectors), bootSector(sectors, len(table)/sector), table, root, v.clusters)
	return []vm.Disk{{
		Name: "disk.img", Format: "disk image", Content: bytes.NewReader(d), Size: int64(len(d)),
		File: io.NewSectionReader(bytes.NewReader(d), 0, int64(len(d))),
	}}, nil
}

// partitioned is what comes before the partition: a partition table.
func partitioned(sectors uint32) []byte {
	b := make([]byte, firstSector*sector)
	entry := b[446:]
	entry[4] = typeESP
	binary.LittleEndian.PutUint32(entry[8:], firstSector)
	binary.LittleEndian.PutUint32(entry[12:], sectors)
	copy(b[440:], "taci") // the disk's signature, by which device paths name it
	copy(b[510:], "\x55\xAA")
	return b
}

// bootSector describes the volume.
func bootSector(sectors uint32, tableSectors int) []byte {
	b, le := make([]byte, sector), binary.LittleEndian
	copy(b, "\xEB\x3C\x90tacit   ")
	le.PutUint16(b[11:], sector)
	b[13] = cluster / sector
	le.PutUint16(b[14:], 1) // sectors before the table
	b[16] = 1               // tables
	le.PutUint16(b[17:], rootEntries)
	b[21] = 0xF8 // a fixed disk
	le.PutUint16(b[22:], uint16(tableSectors))
	le.PutUint32(b[28:], firstSector)
	le.PutUint32(b[32:], sectors)
	b[36], b[38] = 0x80, 0x29
	copy(b[39:], "tact"+"NO NAME    "+"FAT16   ")
	copy(b[510:], "\x55\xAA")
	return b
}

// directory lays out the files of a directory and returns its entries. Its own first cluster and its parent's are 0 for
// the root.
func (v *volume) directory(files map[string][]byte, own, parent uint16) (entries []byte, err error) {
	within := map[string]map[string][]byte{}
	var names []string
	for path := range files {
		name, rest, nested := strings.Cut(path, "/")
		if nested {
			if within[name] == nil {
				within[name] = map[string][]byte{}
				names = append(names, name)
			}
			within[name][rest] = files[path]
		} else {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if own != 0 {
		entries = append(entryOf(".", attributeDir, own, 0), entryOf("..", attributeDir, parent, 0)...)
	}
	for _, name := range names {
		short, err := shortName(name)
		if err != nil {
			return nil, err
		}
		if within[name] == nil {
			entries = append(entries, entryOf(short, 0, v.put(files[name]), len(files[name]))...)
			continue
		}
		first := v.put(make([]byte, cluster)) // a directory of at most so many entries
		content, err := v.directory(within[name], first, own)
		if err != nil {
			return nil, err
		}
		if len(content) > cluster {
			return nil, fmt.Errorf("%d entries in %s", len(content)/dirEntry, name)
		}
		copy(v.clusters[(int(first)-2)*cluster:], content)
		entries = append(entries, entryOf(short, attributeDir, first, 0)...)
	}
	return entries, nil
}

// put lays out the content of a file, and returns its first cluster; 0 for an empty one.
func (v *volume) put(content []byte) uint16 {
	n := (len(content) + cluster - 1) / cluster
	if n == 0 {
		return 0
	}
	first := len(v.fat)
	for i := range n {
		next := uint16(first + i + 1)
		if i == n-1 {
			next = endOfChain
		}
		v.fat = append(v.fat, next)
	}
	v.clusters = append(append(v.clusters, content...), make([]byte, n*cluster-len(content))...)
	return uint16(first)
}

// entryOf is an entry of a directory; name is of eleven characters, or fewer.
func entryOf(name string, attributes byte, first uint16, size int) []byte {
	b := make([]byte, dirEntry)
	copy(b, fmt.Sprintf("%-11s", name))
	b[11] = attributes
	binary.LittleEndian.PutUint16(b[26:], first)
	binary.LittleEndian.PutUint32(b[28:], uint32(size))
	return b
}

// shortName is a name as a directory has it.
func shortName(name string) (string, error) {
	stem, extension, _ := strings.Cut(name, ".")
	if stem == "" || len(stem) > 8 || len(extension) > 3 || strings.Contains(extension, ".") {
		return "", fmt.Errorf("%s: not a name of eight and three characters", name)
	}
	return strings.ToUpper(fmt.Sprintf("%-8s%-3s", stem, extension)), nil
}
