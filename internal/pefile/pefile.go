// Package pefile reads the headers of PE files: of what firmware loads, of what is looked into, of what is inspected.
//
// Files are hostile. debug/pe, whose structures and names of constants are used here, reads a file's symbols and strings
// with its headers, and holds what they ask for: a gigabyte for a file of a quarter of that. Nothing in a program for EFI
// needs them, so they are not read here, and what is read is bounded by the constants below, whatever the file says
// (Microsoft PE Format; UEFI 2.10, section 2.1.1).
package pefile

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds on what is read. The format allows 96 sections; a unified kernel image with a device tree for each board has a
// few tens. A section's long name stands in the table of strings.
const (
	maxSections = 1024
	maxName     = 256 // bytes of a section's name

	smallest32 = 96  // bytes of an optional header before its directories
	smallest64 = 112 // the same for PE32+
)

// Magic numbers of optional headers.
const (
	PE32     = 0x10B
	PE32Plus = 0x20B
)

// A FormatError says what is wrong with a file. Other errors are those of its reader.
type FormatError string

func (e FormatError) Error() string { return string(e) }

// ErrNoHeader says that a file is no PE file, or ends within the headers of one.
const ErrNoHeader = FormatError("no PE header")

func damaged(format string, a ...any) error { return FormatError(fmt.Sprintf(format, a...)) }

// A File is what the headers of a PE file say.
type File struct {
	Machine         uint16 // pe.IMAGE_FILE_MACHINE_*
	Characteristics uint16 // pe.IMAGE_FILE_*

	// Of the optional header.
	Magic             uint16 // PE32, PE32Plus
	Subsystem         uint16 // pe.IMAGE_SUBSYSTEM_*
	MajorImageVersion uint16
	EntryPoint        uint32 // address, from where the image is loaded
	ImageBase         uint64 // where the image would like to be loaded
	SectionAlignment  uint32 // in memory
	SizeOfImage       uint32 // in memory
	SizeOfHeaders     uint32
	Directories       []pe.DataDirectory // at most 16: as many as the file has

	Sections []Section
}

// A Section is one of a file, as its header says: nothing of it is checked.
type Section struct {
	Name           string
	VirtualAddress uint32 // from where the image is loaded
	VirtualSize    uint32 // in memory
	Offset         uint32 // in the file
	Size           uint32 // in the file; what is beyond VirtualSize is padding
}

// Read reads the headers of a file of size bytes. What r fails with is returned as it is.
func Read(r io.ReaderAt, size int64) (*File, error) {
	f := reader{r, size}
	var dos [0x40]byte
	if err := f.at(0, dos[:]); err != nil {
		return nil, err
	}
	if dos[0] != 'M' || dos[1] != 'Z' {
		return nil, ErrNoHeader
	}
	at := int64(binary.LittleEndian.Uint32(dos[0x3C:]))
	var signature [4]byte
	if err := f.at(at, signature[:]); err != nil {
		return nil, err
	}
	if string(signature[:]) != "PE\x00\x00" {
		return nil, ErrNoHeader
	}
	var header pe.FileHeader
	at += int64(len(signature))
	if err := f.values(at, &header); err != nil {
		return nil, err
	}
	if header.NumberOfSections > maxSections {
		return nil, damaged("PE file with %d sections; at most %d are read", header.NumberOfSections, maxSections)
	}
	out := &File{Machine: header.Machine, Characteristics: header.Characteristics}
	at += int64(binary.Size(header))
	if err := out.readOptional(f, at, int(header.SizeOfOptionalHeader)); err != nil {
		return nil, err
	}
	sections := make([]pe.SectionHeader32, header.NumberOfSections)
	if err := f.values(at+int64(header.SizeOfOptionalHeader), sections); err != nil {
		return nil, err
	}
	for _, s := range sections {
		name, err := f.name(&header, s.Name)
		if err != nil {
			return nil, err
		}
		out.Sections = append(out.Sections, Section{name, s.VirtualAddress, s.VirtualSize, s.PointerToRawData, s.SizeOfRawData})
	}
	return out, nil
}

// readOptional reads the optional header, of n bytes. It has as many directories as it says, not the 16 of the
// structure.
func (f *File) readOptional(r reader, at int64, n int) error {
	if n < 2 {
		return damaged("PE file without optional header")
	}
	b := make([]byte, max(binary.Size(pe.OptionalHeader64{}), binary.Size(pe.OptionalHeader32{})))
	if err := r.at(at, b[:min(n, len(b))]); err != nil {
		return err
	}
	var directories []pe.DataDirectory
	switch f.Magic = binary.LittleEndian.Uint16(b); f.Magic {
	case PE32Plus:
		var h pe.OptionalHeader64
		if err := decode(b, &h); err != nil {
			return err
		}
		if n < smallest64 {
			return damaged("PE file with a short optional header")
		}
		f.Subsystem, f.MajorImageVersion, f.EntryPoint, f.ImageBase = h.Subsystem, h.MajorImageVersion, h.AddressOfEntryPoint, h.ImageBase
		f.SectionAlignment, f.SizeOfImage, f.SizeOfHeaders = h.SectionAlignment, h.SizeOfImage, h.SizeOfHeaders
		directories = h.DataDirectory[:min(int(h.NumberOfRvaAndSizes), (n-smallest64)/8, len(h.DataDirectory))]
	case PE32:
		var h pe.OptionalHeader32
		if err := decode(b, &h); err != nil {
			return err
		}
		if n < smallest32 {
			return damaged("PE file with a short optional header")
		}
		f.Subsystem, f.MajorImageVersion, f.EntryPoint, f.ImageBase = h.Subsystem, h.MajorImageVersion, h.AddressOfEntryPoint, uint64(h.ImageBase)
		f.SectionAlignment, f.SizeOfImage, f.SizeOfHeaders = h.SectionAlignment, h.SizeOfImage, h.SizeOfHeaders
		directories = h.DataDirectory[:min(int(h.NumberOfRvaAndSizes), (n-smallest32)/8, len(h.DataDirectory))]
	default:
		return damaged("PE file with an optional header of magic %#x", f.Magic)
	}
	f.Directories = directories
	return nil
}

// Directory returns a directory, an empty one where the file does not have it.
func (f *File) Directory(i int) pe.DataDirectory {
	if i < len(f.Directories) {
		return f.Directories[i]
	}
	return pe.DataDirectory{}
}

// Section returns the first section of that name.
func (f *File) Section(name string) (s Section, ok bool) {
	for _, s := range f.Sections {
		if s.Name == name {
			return s, true
		}
	}
	return Section{}, false
}

// Held is how many bytes of the section the file has: what it has beyond VirtualSize is padding. Old linkers leave
// VirtualSize out.
func (s *Section) Held() uint32 {
	if s.VirtualSize == 0 {
		return s.Size
	}
	return min(s.Size, s.VirtualSize)
}

// A reader is a file and its size.
type reader struct {
	r    io.ReaderAt
	size int64
}

func (f reader) at(off int64, b []byte) error {
	if off > f.size-int64(len(b)) {
		return ErrNoHeader
	}
	n, err := f.r.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case errors.Is(err, io.EOF):
		return ErrNoHeader // the file is not as long as was said
	}
	return err
}

func (f reader) values(off int64, v any) error {
	b := make([]byte, binary.Size(v))
	if err := f.at(off, b); err != nil {
		return err
	}
	return decode(b, v)
}

func decode(b []byte, v any) error {
	return binary.Read(bytes.NewReader(b), binary.LittleEndian, v)
}

// name returns a section's name: eight bytes, or "/" and where in the table of strings it stands, after the symbols.
// A name that cannot be found there is what the header has.
func (f reader) name(h *pe.FileHeader, raw [8]uint8) (string, error) {
	short, _, _ := strings.Cut(string(raw[:]), "\x00")
	var offset uint32
	if n, _ := fmt.Sscanf(short, "/%d", &offset); n != 1 || h.PointerToSymbolTable == 0 {
		return short, nil
	}
	const symbol = 18 // bytes each
	at := int64(h.PointerToSymbolTable) + int64(h.NumberOfSymbols)*symbol + int64(offset)
	b := make([]byte, max(0, min(maxName, f.size-at)))
	if err := f.at(at, b); err != nil && !errors.Is(err, ErrNoHeader) {
		return "", err
	}
	if i := bytes.IndexByte(b, 0); i > 0 {
		return string(b[:i]), nil
	}
	return short, nil
}
