package image

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tacit-vm/tacit/uefi"
)

// This file is for those who use a disk, as firmware does, and not only look for kernels in it.

// A Partition is a part of a disk.
type Partition struct {
	Number      int    // from 1, as the table counts
	Kind        string // in words, by its type
	Start, Size int64  // bytes
	ID          PartitionID
}

// EFISystem says whether it is where firmware looks for loaders.
func (p Partition) EFISystem() bool { return p.Kind == efiSystem }

// A PartitionID tells a partition from those of other disks.
type PartitionID struct {
	GUID uefi.GUID // of a GPT's partition; else zero
	Disk uint32    // of an MBR: its disk's signature
}

// GPT says whether it is of a GPT.
func (id PartitionID) GPT() bool { return id.GUID != uefi.GUID{} }

// Partitions reads the partition table of a disk of so many bytes: GPT, or else MBR. There may be none. What it reads is
// bounded.
func Partitions(r io.ReaderAt, size int64) ([]Partition, error) {
	all, err := partitions(r, size)
	if err != nil {
		return nil, err
	}
	var list []Partition
	for _, p := range all {
		list = append(list, Partition{p.number, p.kind, p.start, p.size, p.id})
	}
	return list, nil
}

// A FAT is a file system of that kind, which is read. Each call reads anew what it needs, and no more than its bounds allow,
// so that a volume may change between two calls, and a damaged one costs no more than a whole one.
type FAT struct {
	r    io.ReaderAt
	size int64
}

// A FATFile is a file or a directory of a FAT.
type FATFile struct {
	Name       string
	Bytes      int64 // 0 for a directory
	Attributes uint8 // as the entry has them: read-only 1, hidden 2, system 4, directory 0x10, archive 0x20
	Modified   time.Time

	cluster uint32
	root    bool
}

// Directory says whether f is one.
func (f *FATFile) Directory() bool { return f.Attributes&fatDirectory != 0 }

// IsFAT tells whether a volume is one of FAT.
func IsFAT(r io.ReaderAt) bool {
	b := make([]byte, 512)
	_, err := r.ReadAt(b, 0)
	return err == nil && isFAT(b)
}

// OpenFAT reads the boot sector of a volume of so many bytes.
func OpenFAT(r io.ReaderAt, size int64) (*FAT, error) {
	_, err := openFAT(r, size)
	return &FAT{r, size}, err
}

var (
	errNoSuchFile   = errors.New("no such file")
	errNotDirectory = errors.New("not a directory")
)

// NoSuchFile says whether err is that there is no file of the name.
func NoSuchFile(err error) bool {
	return errors.Is(err, errNoSuchFile) || errors.Is(err, errNotDirectory)
}

// Root returns the root directory.
func (v *FAT) Root() FATFile { return FATFile{Attributes: fatDirectory, root: true} }

// Find looks for a file by its path from the root, with / or \ between names. Letters are the same in both cases.
func (v *FAT) Find(path string) (FATFile, error) {
	f, err := openFAT(v.r, v.size)
	if err != nil {
		return FATFile{}, err
	}
	at := v.Root()
	for _, name := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		if !at.Directory() {
			return FATFile{}, fmt.Errorf("%s: %w", path, errNotDirectory)
		}
		entries, err := f.within(at)
		if err != nil {
			return FATFile{}, fmt.Errorf("%s: %w", path, err)
		}
		found := false
		for _, e := range entries {
			if strings.EqualFold(e.name, name) {
				at, found = e.file(), true
				break
			}
		}
		if !found {
			return FATFile{}, fmt.Errorf("%s: %w", path, errNoSuchFile)
		}
	}
	return at, nil
}

// List returns what is in a directory.
func (v *FAT) List(dir FATFile) ([]FATFile, error) {
	f, err := openFAT(v.r, v.size)
	if err != nil {
		return nil, err
	}
	entries, err := f.within(dir)
	if err != nil {
		return nil, err
	}
	var list []FATFile
	for _, e := range entries {
		list = append(list, e.file())
	}
	return list, nil
}

// Open returns the bytes of a file. They hold the places of its clusters.
func (v *FAT) Open(file FATFile) (io.ReaderAt, error) {
	f, err := openFAT(v.r, v.size)
	if err != nil {
		return nil, err
	}
	return f.open(fatEntry{size: file.Bytes, cluster: file.cluster})
}

// ClusterSize returns how many bytes a file takes at least.
func (v *FAT) ClusterSize() (int64, error) {
	f, err := openFAT(v.r, v.size)
	if err != nil {
		return 0, err
	}
	return f.clusterSize, nil
}

func (f *fatFS) within(dir FATFile) ([]fatEntry, error) {
	if dir.root || dir.cluster == 0 {
		return f.rootEntries()
	}
	return f.entries(dir.cluster)
}

func (e fatEntry) file() FATFile {
	return FATFile{Name: e.name, Bytes: e.size, Attributes: e.attributes, Modified: e.modified, cluster: e.cluster}
}
