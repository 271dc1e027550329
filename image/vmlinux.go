package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// WriteVmlinux writes the kernel of a bzImage as the ELF file that it was linked as, for debuggers: with the symbols
// that it carries for its own messages as a symbol table. Types and line numbers are in the debugging package of
// the one who built the kernel.
func (i *Image) WriteVmlinux(w io.Writer) error {
	vmlinux, err := i.Payload()
	if err != nil {
		return err
	}
	if vmlinux, err = withSymbols(vmlinux); err != nil {
		return fmt.Errorf("%s: %w", i.Source, err)
	}
	_, err = w.Write(vmlinux)
	return err
}

// Offsets in the ELF header, and sizes (System V ABI, "Object Files").
const (
	elfSectionsAt   = 0x28 // e_shoff
	elfSectionSize  = 0x3A // e_shentsize
	elfSectionCount = 0x3C // e_shnum
	elfSectionNames = 0x3E // e_shstrndx

	sectionHeaderSize = 64
	elfMaxSections    = 0xFF00 - 2 // SHN_LORESERVE
)

// withSymbols appends a symbol table to an ELF file that has none, and gives one that has back as it is.
func withSymbols(vmlinux []byte) ([]byte, error) {
	f, err := elf.NewFile(bytes.NewReader(vmlinux))
	if err != nil {
		return nil, err
	}
	if f.SectionByType(elf.SHT_SYMTAB) != nil {
		return vmlinux, nil
	}
	symbols, err := ReadSymbols(bytes.NewReader(vmlinux))
	if err != nil {
		return nil, err
	}
	return addSymbols(vmlinux, f, symbols)
}

// addSymbols appends sections with the symbols to the file that f reads.
func addSymbols(vmlinux []byte, f *elf.File, symbols *Symbols) ([]byte, error) {
	le := binary.LittleEndian
	if f.Class != elf.ELFCLASS64 || f.ByteOrder != le {
		return nil, errors.New("the kernel is no 64-bit little-endian ELF file")
	}
	count, names := int(le.Uint16(vmlinux[elfSectionCount:])), int(le.Uint16(vmlinux[elfSectionNames:]))
	at := le.Uint64(vmlinux[elfSectionsAt:])
	if len(f.Sections) != count || count == 0 || count > elfMaxSections || names >= count ||
		le.Uint16(vmlinux[elfSectionSize:]) != sectionHeaderSize ||
		at > uint64(len(vmlinux)) || uint64(len(vmlinux))-at < uint64(count)*sectionHeaderSize {
		return nil, errors.New("the kernel has no section headers to add symbols to")
	}
	a := appender{out: slices.Clip(vmlinux), headers: slices.Clone(vmlinux[at:][:count*sectionHeaderSize])}
	if f.Sections[names].Flags&elf.SHF_COMPRESSED != 0 {
		return nil, errors.New("the names of the kernel's sections are compressed")
	}
	sectionNames, err := f.Sections[names].Data()
	if err != nil {
		return nil, err
	}
	table, text := symbolTable(symbols, f.Sections)
	symtab := elf.Section64{
		Name: uint32(len(sectionNames)), Type: uint32(elf.SHT_SYMTAB), Link: uint32(count) + 1, Info: 1, Addralign: 8,
		Entsize: elf.Sym64Size,
	}
	strtab := elf.Section64{Name: symtab.Name + uint32(len(".symtab\x00")), Type: uint32(elf.SHT_STRTAB), Addralign: 1}
	a.add(symtab, table)
	a.add(strtab, text)
	a.rename(names, slices.Concat(sectionNames, []byte(".symtab\x00.strtab\x00")))
	return a.finish(), nil
}

// symbolTable encodes the symbols and their names. A symbol reaches to the next one, or to its section's end.
func symbolTable(symbols *Symbols, sections []*elf.Section) (table, text []byte) {
	text = []byte{0}
	table = make([]byte, elf.Sym64Size, (symbols.Len()+1)*elf.Sym64Size)
	next := 0 // the first symbol at a higher address
	for _, s := range symbols.byAddress {
		for next < symbols.Len() && symbols.byAddress[next].Address <= s.Address {
			next++
		}
		symbol := elf.Sym64{
			Name: uint32(len(text)), Value: s.Address, Shndx: uint16(elf.SHN_ABS),
			Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_NOTYPE),
		}
		if n := sectionAt(sections, s.Address); n > 0 {
			section := sections[n]
			kind := elf.STT_OBJECT
			if section.Flags&elf.SHF_EXECINSTR != 0 {
				kind = elf.STT_FUNC
			}
			end := section.Addr + section.Size
			if next < symbols.Len() {
				end = min(end, symbols.byAddress[next].Address)
			}
			symbol.Shndx, symbol.Info, symbol.Size = uint16(n), elf.ST_INFO(elf.STB_GLOBAL, kind), end-s.Address
		}
		table = encode(table, symbol)
		text = append(append(text, s.Name...), 0)
	}
	return table, text
}

// sectionAt returns the number of the section in memory that an address is in; 0 where there is none.
func sectionAt(sections []*elf.Section, address uint64) int {
	for n, s := range sections {
		if s.Flags&elf.SHF_ALLOC != 0 && address >= s.Addr && address-s.Addr < s.Size {
			return n
		}
	}
	return 0
}

// An appender adds sections after an ELF file.
type appender struct {
	out     []byte
	headers []byte
}

// put appends contents and returns where they are.
func (a *appender) put(contents []byte) uint64 {
	const alignment = 8
	for len(a.out)%alignment != 0 {
		a.out = append(a.out, 0)
	}
	at := len(a.out)
	a.out = append(a.out, contents...)
	return uint64(at)
}

func (a *appender) add(header elf.Section64, contents []byte) {
	header.Off, header.Size = a.put(contents), uint64(len(contents))
	a.headers = encode(a.headers, header)
}

// rename gives section n new contents: those that name sections.
func (a *appender) rename(n int, contents []byte) {
	const offset, size = 24, 32 // sh_offset, sh_size
	h := a.headers[n*sectionHeaderSize:]
	binary.LittleEndian.PutUint64(h[offset:], a.put(contents))
	binary.LittleEndian.PutUint64(h[size:], uint64(len(contents)))
}

// finish puts the section headers at the end.
func (a *appender) finish() []byte {
	at := a.put(a.headers)
	binary.LittleEndian.PutUint64(a.out[elfSectionsAt:], at)
	binary.LittleEndian.PutUint16(a.out[elfSectionCount:], uint16(len(a.headers)/sectionHeaderSize))
	return a.out
}

// encode appends a structure of fixed size in little endian.
func encode(b []byte, v any) []byte {
	b, err := binary.Append(b, binary.LittleEndian, v)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return b
}
