package image

import (
	"errors"
	"fmt"
	"io"
)

// A diskFormat is a form in which a disk is kept, other than its bytes.
type diskFormat struct {
	name  string
	magic string // the first bytes of the file
	open  func(file *io.SectionReader) (io.ReaderAt, int64, error)
}

// diskForms are those that are read, but for qcow2, which is known by more than its magic.
var diskForms = []diskFormat{
	{"VMDK", vmdkMagic, sparse(openVMDK)}, {"VHDX", vhdxSignature, sparse(openVHDX)}, {"VHD", vhdCookie, sparse(openVHD)},
}

func sparse(open func(*io.SectionReader) (*sparseDisk, error)) func(*io.SectionReader) (io.ReaderAt, int64, error) {
	return func(file *io.SectionReader) (io.ReaderAt, int64, error) {
		d, err := open(file)
		if err != nil {
			return nil, 0, err
		}
		return &cache{r: &d.pieces}, d.size, nil
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
func (f diskFormat) look(file *io.SectionReader, wanted Wanted) (*Contents, error) {
	disk, size, err := f.open(file)
	if err != nil {
		return nil, err
	}
	c, err := lookInDisk(io.NewSectionReader(disk, 0, size), wanted)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, errors.New("a " + f.name + " disk image without a partition table or file system known here")
	}
	c.Format = fmt.Sprintf("%s disk image", f.name)
	return c, nil
}
