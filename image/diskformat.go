package image

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// A diskFormat is a form in which a disk is kept, other than its bytes.
type diskFormat struct {
	name  string
	magic string // the first bytes of the file
	open  func(file *io.SectionReader, beside *neighbours) (openedDisk, error)
}

// An openedDisk is the disk that a file has.
type openedDisk struct {
	io.ReaderAt
	size  int64
	below []*os.File // that were opened for it: what the file is only the changes to, the next one first
}

// diskForms are those that are read, but for qcow2, which is known by more than its magic.
var diskForms = []diskFormat{
	{"VMDK", vmdkMagic, sparse(openVMDK)}, {"VHDX", vhdxSignature, sparse(openVHDX)}, {"VHD", vhdCookie, sparse(openVHD)},
}

func sparse(open func(*io.SectionReader) (*sparseDisk, error)) func(*io.SectionReader, *neighbours) (openedDisk, error) {
	return func(file *io.SectionReader, _ *neighbours) (openedDisk, error) {
		d, err := open(file)
		if err != nil {
			return openedDisk{}, err
		}
		return openedDisk{ReaderAt: newCache(&d.pieces, cacheBlockSize), size: d.size}, nil
	}
}

// formOf returns the form of a disk by its first bytes.
func formOf(head []byte) (f diskFormat, ok bool) {
	if isQcow2(head) {
		return diskFormat{"qcow2", "", openQcow2}, true
	}
	for _, f := range diskForms {
		if len(head) > len(f.magic) && string(head[:len(f.magic)]) == f.magic {
			return f, true
		}
	}
	return f, false
}

// look reads the disk that a file of such a form has.
func (f diskFormat) look(file *io.SectionReader, beside *neighbours, wanted Wanted) (*Contents, error) {
	disk, err := f.open(file, beside)
	if err != nil {
		return nil, err
	}
	c, err := lookInDisk(io.NewSectionReader(disk, 0, disk.size), wanted)
	if err == nil && c == nil {
		err = errors.New("a " + f.name + " disk image without a partition table or file system known here")
	}
	if err != nil {
		disk.close()
		return nil, err
	}
	c.Format = fmt.Sprintf("%s disk image", f.name)
	for _, file := range disk.below {
		c.files = append(c.files, file)
	}
	return c, nil
}

// close closes what was opened for the disk, of which nothing is written.
func (d openedDisk) close() {
	for _, file := range d.below {
		file.Close()
	}
}
