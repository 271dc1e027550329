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

// A Program is an ordinary executable for linux/amd64 with all that it gets in a guest.
type Program struct {
	Executable  []byte   // ELF, static, as go build and go test -c make it without cgo
	Arguments   []string // the first is its name
	Environment []string // NAME=VALUE
	Files       []byte   // a cpio archive, newc, of what its file system holds; may be empty
	Directory   string   // where it begins; empty means the root
	Raw         bool     // the console gets no CR before each LF
	Input       bool     // standard input is the first serial port; else it is at its end
	Outgoing    []string // absolute names of files and directories that go through the second serial port at the end, as a cpio archive
}

// What the section of a program consists of; guest/kernel reads it (payload.go there).
const (
	payloadName     = ".tacit"
	payloadMagic    = "program1"
	payloadSegments = 128
	payloadOutgoing = payloadSegments + 8 + 40*maxSegments + 8
	maxSegments     = 16
	maxTexts        = 1024
)

// Pack makes an EFI application of a monitor, which [Link] has made of command guest/monitor, and a program. The result
// depends on nothing else. The executable is in it as it is.
func Pack(monitor []byte, p Program) ([]byte, error) {
	section, err := p.section()
	if err != nil {
		return nil, err
	}
	return appendSection(monitor, payloadName, section)
}

// section lays the program out: a page of numbers, the executable, and what goes with it.
func (p *Program) section() ([]byte, error) {
	f, err := elf.NewFile(bytes.NewReader(p.Executable))
	if err != nil {
		return nil, fmt.Errorf("not an executable: %w", err)
	}
	if err := static(f); err != nil {
		return nil, err
	}
	if len(p.Arguments)+len(p.Environment) > maxTexts {
		return nil, fmt.Errorf("%d arguments and variables: at most %d", len(p.Arguments)+len(p.Environment), maxTexts)
	}
	out := make([]byte, sectionAlignment, sectionAlignment+len(p.Executable)+len(p.Files))
	number := func(at int, v uint64) { binary.LittleEndian.PutUint64(out[at:], v) }
	part := func(at int, data []byte) uint64 {
		from := uint64(len(out))
		out = append(out, data...)
		out = append(out, make([]byte, up(uint64(len(out)), sectionAlignment)-uint64(len(out)))...)
		number(at, from)
		number(at+8, uint64(len(data)))
		return from
	}
	copy(out, payloadMagic)
	number(8, f.Entry)
	texts, err := zeroEnded(slices.Concat(p.Arguments, p.Environment))
	if err != nil {
		return nil, err
	}
	outgoing, err := zeroEnded(p.Outgoing)
	if err != nil {
		return nil, err
	}
	number(32, uint64(len(p.Arguments)))
	number(40, uint64(len(p.Environment)))
	flags := uint64(0)
	if p.Input {
		flags |= 1
	}
	if p.Raw {
		flags |= 2
	}
	number(80, flags)
	part(88, []byte(p.Directory))
	executable := part(104, p.Executable)
	part(16, texts)
	part(48, functions(f))
	part(64, p.Files)
	part(payloadOutgoing, outgoing)
	n := 0
	for _, s := range f.Progs {
		if s.Type != elf.PT_LOAD || s.Memsz == 0 {
			continue
		}
		if n == maxSegments {
			return nil, fmt.Errorf("an executable of more than %d segments", maxSegments)
		}
		if err := placed(s, uint64(len(p.Executable))); err != nil {
			return nil, err
		}
		at := payloadSegments + 8 + 40*n
		for i, v := range []uint64{s.Vaddr, s.Memsz, executable + s.Off, s.Filesz, protection(s.Flags)} {
			number(at+8*i, v)
		}
		n++
	}
	if n == 0 {
		return nil, errors.New("an executable with nothing to load")
	}
	number(payloadSegments, uint64(n))
	return out, nil
}

// zeroEnded is texts, each with a 0 at its end.
func zeroEnded(texts []string) (b []byte, err error) {
	for _, text := range texts {
		if strings.IndexByte(text, 0) >= 0 {
			return nil, fmt.Errorf("%q has a zero byte in it", text)
		}
		b = append(append(b, text...), 0)
	}
	return b, nil
}

// static says what of an executable cannot run without a loader, or not here.
func static(f *elf.File) error {
	switch {
	case f.Machine != elf.EM_X86_64:
		return fmt.Errorf("an executable for %v: build it with GOOS=linux GOARCH=amd64", f.Machine)
	case f.Type == elf.ET_DYN:
		return errors.New("an executable that a loader relocates: build it without -buildmode=pie, with CGO_ENABLED=0")
	case f.Type != elf.ET_EXEC:
		return fmt.Errorf("a file of type %v, not an executable", f.Type)
	case f.OSABI != elf.ELFOSABI_NONE && f.OSABI != elf.ELFOSABI_LINUX:
		return fmt.Errorf("an executable for %v: build it with GOOS=linux", f.OSABI)
	}
	if libraries, err := f.ImportedLibraries(); err == nil && len(libraries) > 0 {
		return fmt.Errorf("a program that needs shared libraries, as %s: build it with CGO_ENABLED=0", libraries[0])
	}
	return nil
}

// placed says what is wrong with where a segment is to be, in a file of so many bytes: programs have the address space
// from the first 64 KiB to the kernel.
func placed(s *elf.Prog, file uint64) error {
	const first = 64 << 10
	switch {
	case s.Filesz > s.Memsz || s.Off > file || s.Filesz > file-s.Off:
		return fmt.Errorf("a segment at %#x that is not in the file", s.Vaddr)
	case s.Vaddr < first || s.Vaddr >= linkBase || s.Memsz > linkBase-s.Vaddr:
		return fmt.Errorf("a segment at %#x: programs have the addresses from %#x to %#x", s.Vaddr, first, uint64(linkBase))
	case s.Vaddr%sectionAlignment != s.Off%sectionAlignment:
		return fmt.Errorf("a segment at %#x that is not aligned in the file as in memory", s.Vaddr)
	}
	return nil
}

// protection are a segment's rights as mmap takes them.
func protection(flags elf.ProgFlag) (p uint64) {
	for i, flag := range []elf.ProgFlag{elf.PF_R, elf.PF_W, elf.PF_X} {
		if flags&flag != 0 {
			p |= 1 << i
		}
	}
	return p
}

// functions is a table of the program's functions, for those who have to name one and know an address: how many, and for
// each, in ascending order, its address and where in the table its name is; then the names, each with a 0 at its end.
// It is empty where Go's own table cannot be read.
func functions(f *elf.File) []byte {
	code, table := f.Section(".text"), f.Section(".gopclntab")
	if code == nil || table == nil {
		return nil
	}
	data, err := table.Data()
	if err != nil {
		return nil
	}
	symbols, err := gosym.NewTable(nil, gosym.NewLineTable(data, code.Addr))
	if err != nil {
		return nil
	}
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(symbols.Funcs)))
	names := uint64(8 + 16*len(symbols.Funcs))
	for i := range symbols.Funcs {
		fn := &symbols.Funcs[i]
		out = binary.LittleEndian.AppendUint64(out, fn.Entry)
		out = binary.LittleEndian.AppendUint64(out, names)
		names += uint64(len(fn.Name)) + 1
	}
	for i := range symbols.Funcs {
		out = append(append(out, symbols.Funcs[i].Name...), 0)
	}
	return out
}

// appendSection adds a section at the end of an image, whose headers have room for it.
func appendSection(image []byte, name string, data []byte) ([]byte, error) {
	f, err := pe.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, err
	}
	h64, ok := f.OptionalHeader.(*pe.OptionalHeader64)
	if !ok {
		return nil, errors.New("not a 64-bit image")
	}
	le := binary.LittleEndian
	header := int(le.Uint32(image[0x3C:]))
	const count, optional, sizeOfImage = 6, 24, 56
	size := binary.Size(pe.SectionHeader32{})
	at := header + optional + int(le.Uint16(image[header+20:])) + size*len(f.Sections)
	if uint32(at+size) > h64.SizeOfHeaders {
		return nil, errors.New("an image without room for another section")
	}
	if uint64(h64.SizeOfImage)+uint64(len(data)) > maxImage {
		return nil, fmt.Errorf("a program of %d MiB with its files: at most %d MiB can be loaded", len(data)>>20, maxImage>>20)
	}
	out := bytes.Clone(image)
	var b bytes.Buffer
	h := pe.SectionHeader32{
		VirtualSize: uint32(len(data)), VirtualAddress: h64.SizeOfImage, SizeOfRawData: uint32(up(uint64(len(data)), fileAlignment)),
		PointerToRawData: uint32(len(out)), Characteristics: pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ,
	}
	copy(h.Name[:], name)
	_ = binary.Write(&b, le, h) // to a buffer
	copy(out[at:], b.Bytes())
	le.PutUint16(out[header+count:], uint16(len(f.Sections)+1))
	le.PutUint32(out[header+optional+sizeOfImage:], uint32(up(uint64(h64.SizeOfImage)+uint64(len(data)), sectionAlignment)))
	out = append(out, data...)
	return append(out, make([]byte, up(uint64(len(out)), fileAlignment)-uint64(len(out)))...), nil
}
