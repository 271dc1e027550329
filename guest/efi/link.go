// Package efi makes EFI applications of Go programs that need no operating system: executables for linux/amd64 become
// PE32+ images that firmware loads wherever it has room. There are two kinds of such programs.
//
// One imports guest/kernel and is built with -ldflags [LinkFlags]: linked at the kernel's address, with the kernel's
// entry point. Its first instructions do not care where they are, and map the rest where it is linked, so that the image
// has no relocations.
//
// The other has an entry point of its own, in assembly, and is built with -buildmode=pie and, where the entry is
// function Entry of package main, -ldflags "-E main.Entry". Firmware relocates it, and it runs where firmware has put
// it: examples/baremetal is one.
//
// Command guest/mkefi does it from the command line.
package efi

import (
	"bytes"
	"debug/elf"
	"debug/gosym"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// LinkFlags are what the Go linker has to be told of a program that imports guest/kernel: where it is mapped, and where
// it begins.
const LinkFlags = "-T 0x7f0000001000 -E " + kernelEntry

// Where the program is mapped, by guest/kernel.
const linkBase = 0x7f00_0000_0000

const (
	sectionAlignment = 4096
	fileAlignment    = 512
	maxImage         = 512 << 20 // bytes in memory: guest/kernel has page tables for so much
)

// Link makes a PE32+ image of an ELF executable (Microsoft PE Format; UEFI 2.10, section 2.1.1). The result depends on
// nothing but the executable.
//
// The names of functions stay in it, in the section .gopclnt: package image reads them for diagnoses.
func Link(executable []byte) ([]byte, error) {
	f, err := elf.NewFile(bytes.NewReader(executable))
	if err != nil {
		return nil, fmt.Errorf("not an executable: %w", err)
	}
	if f.Machine != elf.EM_X86_64 || f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN {
		return nil, fmt.Errorf("a file for %v of type %v, not an executable for amd64", f.Machine, f.Type)
	}
	m := image{base: linkBase}
	if f.Type == elf.ET_DYN {
		m.base = lowest(f)
	}
	if err := m.layOut(f); err != nil {
		return nil, err
	}
	if f.Entry < m.base || f.Entry-m.base >= m.size {
		return nil, fmt.Errorf("the entry point %#x is not in the program: link it with -ldflags %q", f.Entry, LinkFlags)
	}
	if err := fits(f); err != nil {
		return nil, err
	}
	m.entry = uint32(f.Entry - m.base)
	if f.Type == elf.ET_DYN {
		if err := m.relocate(f); err != nil {
			return nil, err
		}
	}
	return m.write()
}

// fits says of what could be laid out whether it can run: a mistake in how it was built would be seen only in a guest
// that runs wild.
func fits(f *elf.File) error {
	if libraries, err := f.ImportedLibraries(); err == nil && len(libraries) > 0 {
		return fmt.Errorf("a program that needs shared libraries, as %s: build it with CGO_ENABLED=0", libraries[0])
	}
	switch entry := entryName(f); {
	case strings.HasPrefix(entry, "_rt0_"):
		return fmt.Errorf("the entry point is %s, for a program on an operating system: link it with -ldflags %q, or an -E of its own; tacit guest build takes it as it is", entry, LinkFlags)
	case entry == kernelEntry && f.Type == elf.ET_DYN:
		return errors.New("a program that imports guest/kernel is not relocated: build it without -buildmode=pie")
	}
	return nil
}

const kernelEntry = "github.com/tacit-vm/tacit/guest/kernel.Entry"

// entryName returns the name of the function at the entry point, by Go's table of functions, which stripped executables
// have, too; empty where that does not tell.
func entryName(f *elf.File) string {
	code, functions := f.Section(".text"), f.Section(".gopclntab")
	if code == nil || functions == nil {
		return ""
	}
	data, err := functions.Data()
	if err != nil {
		return ""
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(data, code.Addr))
	if err != nil {
		return ""
	}
	if fn := table.PCToFunc(f.Entry); fn != nil {
		return fn.Name
	}
	return ""
}

// An image is what becomes of an executable.
type image struct {
	base        uint64 // the address that it is linked for
	size        uint64 // in memory
	entry       uint32 // from the base
	sections    []section
	relocations pe.DataDirectory
}

// A section is one of the image's: Go's sections with the same rights, or one that tools look for.
type section struct {
	name            string
	address, size   uint32 // in memory, from the image's beginning
	data            []byte // what the file has of it
	characteristics uint32
}

// lowest returns where the executable's segments begin.
func lowest(f *elf.File) uint64 {
	low := ^uint64(0)
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			low = min(low, p.Vaddr)
		}
	}
	return low &^ (sectionAlignment - 1)
}

// layOut turns the executable's segments into sections.
func (m *image) layOut(f *elf.File) error {
	var end uint64
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		switch {
		case p.Vaddr < m.base || p.Vaddr-m.base < end || p.Vaddr-m.base > maxImage || p.Filesz > p.Memsz:
			return fmt.Errorf("a segment at %#x: link the program with -ldflags %q", p.Vaddr, LinkFlags)
		case p.Memsz > maxImage-(p.Vaddr-m.base):
			return fmt.Errorf("a program of %d MiB with its variables; at most %d MiB can be loaded: allocate the large ones", (p.Vaddr-m.base+p.Memsz)>>20, maxImage>>20)
		}
		data := make([]byte, p.Filesz)
		if _, err := p.ReadAt(data, 0); err != nil {
			return fmt.Errorf("a segment at %#x: %w", p.Vaddr, err)
		}
		s := section{name: ".rdata", address: uint32(p.Vaddr - m.base), size: uint32(p.Memsz), data: data,
			characteristics: pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ}
		switch {
		case p.Flags&elf.PF_X != 0:
			s.name, s.characteristics = ".text", pe.IMAGE_SCN_CNT_CODE|pe.IMAGE_SCN_MEM_READ|pe.IMAGE_SCN_MEM_EXECUTE
		case p.Flags&elf.PF_W != 0:
			s.name, s.characteristics = ".data", s.characteristics|pe.IMAGE_SCN_MEM_WRITE
		}
		// The ELF header and what follows it until the first page belong to the first segment, and are in no section of the image.
		if s.address == 0 {
			if s.size <= sectionAlignment {
				return errors.New("an executable without code")
			}
			s.address, s.size, s.data = sectionAlignment, s.size-sectionAlignment, s.data[min(len(s.data), sectionAlignment):]
		}
		end = p.Vaddr - m.base + p.Memsz
		m.sections = append(m.sections, s)
	}
	if len(m.sections) == 0 {
		return errors.New("an executable with nothing to load")
	}
	m.divide(f.Section(".gopclntab"))
	m.size = up(end, sectionAlignment)
	return nil
}

// divide divides the section that has Go's table of functions, so that tools find that by its name.
func (m *image) divide(table *elf.Section) {
	if table == nil || table.Addr < m.base {
		return
	}
	at := uint32(table.Addr-m.base) &^ (sectionAlignment - 1)
	for i, s := range m.sections {
		if s.address >= at || uint64(at)-uint64(s.address) >= uint64(len(s.data)) {
			continue
		}
		n := at - s.address
		first, second := s, s
		first.size, first.data = n, s.data[:n]
		second.name, second.address, second.size, second.data = ".gopclnt", at, s.size-n, s.data[n:]
		m.sections = slices.Replace(m.sections, i, i+1, first, second)
		return
	}
}

func (m *image) write() ([]byte, error) {
	const dosHeader, newHeaderAt = 64, 0x3C
	headers := up(uint64(dosHeader+4+binary.Size(pe.FileHeader{})+binary.Size(pe.OptionalHeader64{})+
		(len(m.sections)+1)*binary.Size(pe.SectionHeader32{})), fileAlignment) // one more: Pack adds a section
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
		Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: uint16(len(m.sections)),
		SizeOfOptionalHeader: uint16(binary.Size(pe.OptionalHeader64{})),
		Characteristics:      pe.IMAGE_FILE_EXECUTABLE_IMAGE | pe.IMAGE_FILE_LARGE_ADDRESS_AWARE,
	})
	put(pe.OptionalHeader64{
		Magic: 0x20B, AddressOfEntryPoint: m.entry, BaseOfCode: m.sections[0].address, SizeOfCode: m.sections[0].size, ImageBase: m.base,
		SectionAlignment: sectionAlignment, FileAlignment: fileAlignment,
		SizeOfImage: uint32(m.size), SizeOfHeaders: uint32(headers), Subsystem: pe.IMAGE_SUBSYSTEM_EFI_APPLICATION,
		DllCharacteristics: pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT, NumberOfRvaAndSizes: 16,
		DataDirectory: [16]pe.DataDirectory{pe.IMAGE_DIRECTORY_ENTRY_BASERELOC: m.relocations},
	})
	at := uint32(headers)
	for i, s := range m.sections {
		h := pe.SectionHeader32{
			VirtualAddress: s.address, VirtualSize: s.size,
			PointerToRawData: at, SizeOfRawData: uint32(up(uint64(len(s.data)), fileAlignment)), Characteristics: s.characteristics,
		}
		// Sections follow one another without gaps, which some loaders want.
		if i+1 < len(m.sections) {
			h.VirtualSize = m.sections[i+1].address - s.address
		}
		copy(h.Name[:], s.name)
		put(h)
		at += h.SizeOfRawData
	}
	pad := func() { out.Write(make([]byte, up(uint64(out.Len()), fileAlignment)-uint64(out.Len()))) }
	out.Write(make([]byte, headers-uint64(out.Len())))
	for _, s := range m.sections {
		out.Write(s.data)
		pad()
	}
	return out.Bytes(), nil
}

func up(n, align uint64) uint64 { return (n + align - 1) / align * align }
