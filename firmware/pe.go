package firmware

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/tacit-vm/tacit/uefi"
)

// A peFile is what the loader has read of a PE32+ image (Microsoft PE Format; UEFI 2.10, section 2.1.1). Its structures
// are those of debug/pe, whose own reader is not used: it also reads symbols and strings, for which a hostile file can
// ask a lot of memory.
type peFile struct {
	r        io.ReaderAt
	sections []pe.SectionHeader32

	sizeOfImage, sizeOfHeaders uint32
	alignment                  uint32 // of sections in memory
	entry                      uint32
	subsystem                  uint16
	base                       uint64 // where the image would like to be
	fixed                      bool   // and cannot be anywhere else
	relocations                pe.DataDirectory
}

const (
	maxImage     = 1 << 30 // bytes in memory
	maxAlignment = 4 << 20
	maxRelocs    = 16 << 20 // bytes of base relocations, which the loader reads at once; a kernel has less than a page of them
	peHeaderSize = 4        // the signature "PE\0\0"
)

// An imageError says what is wrong with a file that is to be an image.
type imageError string

func (e imageError) Error() string { return string(e) }

func badImage(format string, a ...any) error { return imageError(fmt.Sprintf(format, a...)) }

const errNotPE = imageError("not an EFI application: no PE header")

// parsePE reads and checks the headers. Whatever the loader looks at later is within the file and within the image.
func parsePE(r sizedReader) (*peFile, error) {
	var dos [0x40]byte
	if _, err := r.ReadAt(dos[:], 0); err != nil || dos[0] != 'M' || dos[1] != 'Z' {
		return nil, orNotPE(err)
	}
	at := int64(binary.LittleEndian.Uint32(dos[0x3C:]))
	var signature [peHeaderSize]byte
	if _, err := r.ReadAt(signature[:], at); err != nil || string(signature[:]) != "PE\x00\x00" {
		return nil, orNotPE(err)
	}
	var header pe.FileHeader
	if err := readStruct(r, at+peHeaderSize, &header); err != nil {
		return nil, orNotPE(err)
	}
	at += peHeaderSize + int64(binary.Size(header))
	if header.Machine != pe.IMAGE_FILE_MACHINE_AMD64 {
		return nil, badImage("an image for another processor: PE machine %#x", header.Machine)
	}
	// The directories at the end of the optional header are as many as it says, not the 16 of the structure.
	optional := make([]byte, binary.Size(pe.OptionalHeader64{}))
	if n := min(len(optional), int(header.SizeOfOptionalHeader)); n < 112 {
		return nil, badImage("a PE file with a short optional header")
	} else if _, err := r.ReadAt(optional[:n], at); err != nil {
		return nil, orNotPE(err)
	}
	var o pe.OptionalHeader64
	if err := binary.Read(bytes.NewReader(optional), binary.LittleEndian, &o); err != nil {
		return nil, err
	}
	at += int64(header.SizeOfOptionalHeader)
	p := &peFile{
		r:           r,
		sections:    make([]pe.SectionHeader32, header.NumberOfSections),
		sizeOfImage: o.SizeOfImage, sizeOfHeaders: o.SizeOfHeaders, alignment: o.SectionAlignment,
		entry: o.AddressOfEntryPoint, subsystem: o.Subsystem, base: o.ImageBase,
		fixed: header.Characteristics&pe.IMAGE_FILE_RELOCS_STRIPPED != 0,
	}
	if o.NumberOfRvaAndSizes > pe.IMAGE_DIRECTORY_ENTRY_BASERELOC {
		p.relocations = o.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_BASERELOC]
	}
	if err := readStruct(r, at, p.sections); err != nil {
		return nil, orNotPE(err)
	}
	return p, p.check(o.Magic, r.Size())
}

func (p *peFile) check(magic uint16, size int64) error {
	const pe32plus = 0x20B
	_, known := memoryTypes[p.subsystem]
	switch {
	case magic != pe32plus:
		return badImage("not a 64-bit PE file: magic %#x", magic)
	case !known:
		return badImage("a PE file that is not for EFI: subsystem %d", p.subsystem)
	case p.sizeOfImage == 0 || p.sizeOfImage > maxImage:
		return badImage("a PE file that asks for %#x bytes: at most %#x can be loaded", p.sizeOfImage, maxImage)
	case p.sizeOfHeaders > p.sizeOfImage || int64(p.sizeOfHeaders) > size:
		return badImage("a PE file whose headers of %#x bytes are larger than it", p.sizeOfHeaders)
	case p.entry >= p.sizeOfImage:
		return badImage("a PE file whose entry point %#x is outside its image of %#x bytes", p.entry, p.sizeOfImage)
	case p.alignment&(p.alignment-1) != 0 || p.alignment > maxAlignment:
		return badImage("a PE file with section alignment %#x", p.alignment)
	case uint64(p.relocations.VirtualAddress)+uint64(p.relocations.Size) > uint64(p.sizeOfImage):
		return badImage("a PE file whose relocations are outside its image")
	case p.relocations.Size > maxRelocs:
		return badImage("a PE file with %#x bytes of relocations: at most %#x", p.relocations.Size, maxRelocs)
	}
	var raw uint64
	for i := range p.sections {
		s := &p.sections[i]
		if s.VirtualSize == 0 {
			s.VirtualSize = s.SizeOfRawData
		}
		s.SizeOfRawData = min(s.SizeOfRawData, s.VirtualSize) // the rest is padding
		if uint64(s.VirtualAddress)+uint64(s.VirtualSize) > uint64(p.sizeOfImage) {
			return badImage("a PE file whose section %d is outside its image", i)
		}
		if s.SizeOfRawData != 0 && int64(s.PointerToRawData)+int64(s.SizeOfRawData) > size {
			return badImage("truncated PE file: section %d ends at byte %#x of %#x", i,
				int64(s.PointerToRawData)+int64(s.SizeOfRawData), size)
		}
		raw += uint64(s.SizeOfRawData)
	}
	if raw > uint64(p.sizeOfImage) {
		return badImage("a PE file whose sections overlap") // and would take for ever to copy
	}
	return nil
}

// memoryTypes says what memory an image of a subsystem lies in, and what it is told to allocate for its data (UEFI
// 2.10, section 2.1.1).
var memoryTypes = map[uint16]struct{ code, data uefi.MemoryType }{
	pe.IMAGE_SUBSYSTEM_EFI_APPLICATION:         {uefi.LoaderCode, uefi.LoaderData},
	pe.IMAGE_SUBSYSTEM_EFI_BOOT_SERVICE_DRIVER: {uefi.BootServicesCode, uefi.BootServicesData},
	pe.IMAGE_SUBSYSTEM_EFI_RUNTIME_DRIVER:      {uefi.RuntimeServicesCode, uefi.RuntimeServicesData},
}

// orNotPE is the outcome where the file cannot be read or is something else. What the platform refuses while a guest's
// own buffer is read stays what it is.
func orNotPE(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errNotPE
	}
	return err
}

func readStruct(r io.ReaderAt, at int64, v any) error {
	b := make([]byte, binary.Size(v))
	if _, err := r.ReadAt(b, at); err != nil {
		return err
	}
	return binary.Read(bytes.NewReader(b), binary.LittleEndian, v)
}

// A sizedReader is the bytes of a file.
type sizedReader interface {
	io.ReaderAt
	Size() int64
}

func sliceReader(b []byte) sizedReader { return bytes.NewReader(b) }
