// Package efi makes EFI applications of Go programs that import guest/kernel: executables for linux/amd64, linked at
// [LinkFlags]' address with the kernel's entry point, become PE32+ images that firmware loads wherever it has room.
package efi

import (
	"bytes"
	"debug/elf"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
)

// LinkFlags are what the Go linker has to be told of such a program: where it is mapped, and where it begins.
const LinkFlags = "-T 0x7f0000001000 -E github.com/tacit-vm/tacit/guest/kernel.Entry"

// Where the program is mapped, by guest/kernel.
const linkBase = 0x7f00_0000_0000

const (
	sectionAlignment = 4096
	fileAlignment    = 512
	maxImage         = 1 << 30 // bytes in memory
)

// Link makes a PE32+ image of an ELF executable (Microsoft PE Format; UEFI 2.10, section 2.1.1). The image has no
// relocations and needs none: its first instructions do not care where they are, and map the rest where it is linked.
// The result depends on nothing but the executable.
//
// The names of functions stay in it, in the section .gopclnt: package image reads them for diagnoses.
func Link(executable []byte) ([]byte, error) {
	f, err := elf.NewFile(bytes.NewReader(executable))
	if err != nil {
		return nil, fmt.Errorf("not an executable: %w", err)
	}
	if f.Machine != elf.EM_X86_64 || f.Type != elf.ET_EXEC {
		return nil, fmt.Errorf("an executable for %v of type %v, not a static one for amd64", f.Machine, f.Type)
	}
	sections, size, err := layout(f)
	if err != nil {
		return nil, err
	}
	if f.Entry < linkBase || f.Entry-linkBase >= size {
		return nil, fmt.Errorf("the entry point %#x is not in the program: link it with -ldflags %q", f.Entry, LinkFlags)
	}
	return write(sections, uint32(size), uint32(f.Entry-linkBase))
}

// A section is one of the image's: Go's sections with the same rights, or one that tools look for.
type section struct {
	name            string
	address, size   uint32 // in memory, from the image's beginning
	data            []byte // what the file has of it
	characteristics uint32
}

// layout turns the executable's segments into sections, and tells the image's size.
func layout(f *elf.File) ([]section, uint64, error) {
	var sections []section
	var end uint64
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		if p.Vaddr < linkBase || p.Vaddr < linkBase+end || p.Vaddr-linkBase > maxImage || p.Memsz > maxImage || p.Filesz > p.Memsz {
			return nil, 0, fmt.Errorf("a segment at %#x: link the program with -ldflags %q", p.Vaddr, LinkFlags)
		}
		data := make([]byte, p.Filesz)
		if _, err := p.ReadAt(data, 0); err != nil {
			return nil, 0, fmt.Errorf("a segment at %#x: %w", p.Vaddr, err)
		}
		s := section{name: ".rdata", address: uint32(p.Vaddr - linkBase), size: uint32(p.Memsz), data: data,
			characteristics: pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ}
		switch {
		case p.Flags&elf.PF_X != 0:
			s.name, s.characteristics = ".text", pe.IMAGE_SCN_CNT_CODE|pe.IMAGE_SCN_MEM_READ|pe.IMAGE_SCN_MEM_EXECUTE
		case p.Flags&elf.PF_W != 0:
			s.name, s.characteristics = ".data", s.characteristics|pe.IMAGE_SCN_MEM_WRITE
		}
		// The ELF header and what follows it until the first page belong to the first segment and to nobody in the image.
		if s.address == 0 {
			if s.size <= sectionAlignment {
				return nil, 0, errors.New("an executable without code")
			}
			s.address, s.size, s.data = sectionAlignment, s.size-sectionAlignment, s.data[min(len(s.data), sectionAlignment):]
		}
		end = p.Vaddr - linkBase + p.Memsz
		sections = append(sections, s)
	}
	if len(sections) == 0 {
		return nil, 0, errors.New("an executable with nothing to load")
	}
	return withTable(f, sections), up(end, sectionAlignment), nil
}

// withTable divides the section that has Go's table of functions, so that tools find that by its name.
func withTable(f *elf.File, sections []section) []section {
	table := f.Section(".gopclntab")
	if table == nil || table.Addr < linkBase {
		return sections
	}
	at := uint32(table.Addr-linkBase) &^ (sectionAlignment - 1)
	for i, s := range sections {
		if s.address >= at || uint64(at)-uint64(s.address) >= uint64(len(s.data)) {
			continue
		}
		n := at - s.address
		first, second := s, s
		first.size, first.data = n, s.data[:n]
		second.name, second.address, second.size, second.data = ".gopclnt", at, s.size-n, s.data[n:]
		return append(append(append([]section(nil), sections[:i]...), first, second), sections[i+1:]...)
	}
	return sections
}

func write(sections []section, size, entry uint32) ([]byte, error) {
	const dosHeader, newHeaderAt = 64, 0x3C
	headers := up(uint64(dosHeader+4+binary.Size(pe.FileHeader{})+binary.Size(pe.OptionalHeader64{})+
		len(sections)*binary.Size(pe.SectionHeader32{})), fileAlignment)
	if headers > sectionAlignment {
		return nil, errors.New("too many segments")
	}
	var out bytes.Buffer
	put := func(v any) { _ = binary.Write(&out, binary.LittleEndian, v) } // to a buffer, of fixed size

	dos := make([]byte, dosHeader)
	dos[0], dos[1] = 'M', 'Z'
	binary.LittleEndian.PutUint32(dos[newHeaderAt:], dosHeader)
	put(dos)
	put([]byte("PE\x00\x00"))
	put(pe.FileHeader{
		Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: uint16(len(sections)),
		SizeOfOptionalHeader: uint16(binary.Size(pe.OptionalHeader64{})),
		Characteristics:      pe.IMAGE_FILE_EXECUTABLE_IMAGE | pe.IMAGE_FILE_LARGE_ADDRESS_AWARE,
	})
	put(pe.OptionalHeader64{
		Magic: 0x20B, AddressOfEntryPoint: entry, BaseOfCode: sections[0].address, SizeOfCode: sections[0].size, ImageBase: linkBase,
		SectionAlignment: sectionAlignment, FileAlignment: fileAlignment,
		SizeOfImage: size, SizeOfHeaders: uint32(headers), Subsystem: pe.IMAGE_SUBSYSTEM_EFI_APPLICATION,
		DllCharacteristics: pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT, NumberOfRvaAndSizes: 16,
	})
	at := uint32(headers)
	for i, s := range sections {
		h := pe.SectionHeader32{
			VirtualAddress: s.address, VirtualSize: s.size,
			PointerToRawData: at, SizeOfRawData: uint32(up(uint64(len(s.data)), fileAlignment)), Characteristics: s.characteristics,
		}
		// Sections follow one another without gaps, which some loaders want.
		if i+1 < len(sections) {
			h.VirtualSize = sections[i+1].address - s.address
		}
		copy(h.Name[:], s.name)
		put(h)
		at += h.SizeOfRawData
	}
	pad := func() { out.Write(make([]byte, up(uint64(out.Len()), fileAlignment)-uint64(out.Len()))) }
	pad()
	for _, s := range sections {
		out.Write(s.data)
		pad()
	}
	return out.Bytes(), nil
}

func up(n, align uint64) uint64 { return (n + align - 1) / align * align }
