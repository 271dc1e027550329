package firmware

import (
	"bytes"
	"debug/pe"
	"errors"
	"fmt"
	"io"

	"github.com/tacit-vm/tacit/internal/pefile"
	"github.com/tacit-vm/tacit/uefi"
)

// A peFile is what the loader has read of a PE32+ image (Microsoft PE Format; UEFI 2.10, section 2.1.1).
type peFile struct {
	r        sizedReader
	sections []pefile.Section

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
)

// An imageError says what is wrong with a file that is to be an image.
type imageError string

func (e imageError) Error() string { return string(e) }

func badImage(format string, a ...any) error { return imageError(fmt.Sprintf(format, a...)) }

const errNotPE = imageError("not an EFI application: no PE header")

// parsePE reads and checks the headers. Whatever the loader looks at later is within the file and within the image.
func parsePE(r sizedReader) (*peFile, error) {
	f, err := pefile.Read(r, r.Size())
	var damaged pefile.FormatError
	switch {
	case err == pefile.ErrNoHeader:
		return nil, errNotPE
	case errors.As(err, &damaged):
		return nil, imageError(damaged)
	case err != nil:
		return nil, err // what the platform refuses while a guest's own buffer is read stays what it is
	case f.Machine != pe.IMAGE_FILE_MACHINE_AMD64:
		return nil, badImage("an image for another processor: PE machine %#x", f.Machine)
	}
	p := &peFile{
		r: r, sections: f.Sections,
		sizeOfImage: f.SizeOfImage, sizeOfHeaders: f.SizeOfHeaders, alignment: f.SectionAlignment,
		entry: f.EntryPoint, subsystem: f.Subsystem, base: f.ImageBase,
		fixed:       f.Characteristics&pe.IMAGE_FILE_RELOCS_STRIPPED != 0,
		relocations: f.Directory(pe.IMAGE_DIRECTORY_ENTRY_BASERELOC),
	}
	return p, p.check(f.Magic, r.Size())
}

func (p *peFile) check(magic uint16, size int64) error {
	_, known := memoryTypes[p.subsystem]
	switch {
	case magic != pefile.PE32Plus:
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
			s.VirtualSize = s.Size
		}
		s.Size = s.Held()
		if uint64(s.VirtualAddress)+uint64(s.VirtualSize) > uint64(p.sizeOfImage) {
			return badImage("a PE file whose section %d is outside its image", i)
		}
		if s.Size != 0 && int64(s.Offset)+int64(s.Size) > size {
			return badImage("truncated PE file: section %d ends at byte %#x of %#x", i,
				int64(s.Offset)+int64(s.Size), size)
		}
		raw += uint64(s.Size)
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

// A sizedReader is the bytes of a file.
type sizedReader interface {
	io.ReaderAt
	Size() int64
}

func sliceReader(b []byte) sizedReader { return bytes.NewReader(b) }
