package image

import (
	"bufio"
	"bytes"
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Symbol is a name of the kernel and the virtual address it was linked at.
type Symbol struct {
	Address uint64
	Name    string
}

// Symbols names addresses in the kernel's image. The addresses are those the kernel was linked at; with KASLR a running
// kernel is at a multiple of 2 MiB above. One symbol whose address the CPU knows gives the difference: the kernel loads
// IA32_LSTAR with the address of entry_SYSCALL_64.
type Symbols struct {
	byAddress []Symbol          // ascending; of one address, the kernel's own preference first
	byName    map[string]uint64 // the first of a name
	perCPU    map[string]uint64 // … of what has no address of its own

	// Fixed says that the program runs where it was linked: no KASLR.
	Fixed bool

	// ImageBase is where the image of a program that runs where firmware has loaded it was linked to be; 0 of others.
	ImageBase uint64
}

// The kernel's image is linked into the top 2 GiB of addresses (Linux Documentation/arch/x86/x86_64/mm.rst). Below it
// are per-CPU offsets and other numbers that only look like addresses.
const imageBase = 0xffffffff_80000000

// MaxSymbolName is how long a symbol's name may be, in bytes (Linux: KSYM_NAME_LEN).
const MaxSymbolName = 512

const (
	maxSymbols    = 4 << 20
	maxPerCPU     = 16 << 20 // bytes; Debian's kernels have 220 KiB of variables for each processor
	maxSymbolFile = 4 << 30  // bytes; a vmlinux with debug information has about one GiB
)

// NewSymbols sorts symbols of a kernel by address; those of one address stay in the order given. The last one names
// nothing: it marks the end.
func NewSymbols(all []Symbol) (*Symbols, error) {
	perCPU := map[string]uint64{}
	for _, s := range all {
		if s.Address < maxPerCPU {
			perCPU[s.Name] = s.Address
		}
	}
	s, err := sorted(slices.DeleteFunc(all, func(s Symbol) bool { return s.Address < imageBase }))
	if err == nil {
		s.perCPU = perCPU
	}
	return s, err
}

func sorted(all []Symbol) (*Symbols, error) {
	if len(all) < 2 { // the last one names nothing; Debian's System.map is one line that names the package that has it
		return nil, errors.New("no kernel symbols")
	}
	slices.SortStableFunc(all, func(a, b Symbol) int { return cmp.Compare(a.Address, b.Address) })
	s := &Symbols{byAddress: all, byName: make(map[string]uint64, len(all))}
	for _, symbol := range all {
		if _, taken := s.byName[symbol.Name]; !taken {
			s.byName[symbol.Name] = symbol.Address
		}
	}
	return s, nil
}

// Lookup returns the symbol that address is in and the offset from its start in bytes. Nothing is found below the first
// symbol, nor from the last one on, which marks the end of the kernel.
func (s *Symbols) Lookup(address uint64) (name string, offset uint64, ok bool) {
	at, exact := slices.BinarySearchFunc(s.byAddress, address, func(s Symbol, a uint64) int { return cmp.Compare(s.Address, a) })
	if !exact {
		at-- // the last one below
	}
	if at < 0 || s.byAddress[at].Address == s.byAddress[len(s.byAddress)-1].Address {
		return "", 0, false
	}
	for at > 0 && s.byAddress[at-1].Address == s.byAddress[at].Address {
		at--
	}
	return s.byAddress[at].Name, address - s.byAddress[at].Address, true
}

// Address returns where the symbol of that name was linked; of several, the lowest.
func (s *Symbols) Address(name string) (address uint64, ok bool) {
	address, ok = s.byName[name]
	return address, ok
}

// PerCPU returns where among the variables of each processor the one of that name is, in kernels in which the first is at
// 0 (up to 6.14).
func (s *Symbols) PerCPU(name string) (offset uint64, ok bool) {
	offset, ok = s.perCPU[name]
	return offset, ok
}

// Len returns the number of symbols.
func (s *Symbols) Len() int { return len(s.byAddress) }

// Symbols reads the names that the kernel in a bzImage carries for its own messages (CONFIG_KALLSYMS, on in every
// distribution). Without CONFIG_KALLSYMS_ALL these are its functions only. Of a Go program it reads Go's own table.
func (i *Image) Symbols() (*Symbols, error) {
	if s, err := goSymbols(i.Data); s != nil || err != nil {
		return s, err
	}
	vmlinux, err := i.Payload()
	if err != nil {
		return nil, err
	}
	s, err := ReadSymbols(bytes.NewReader(vmlinux))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", i.Source, err)
	}
	return s, nil
}

// Names are what an image carries about its functions and data. What it does not carry is nil.
type Names struct {
	Symbols *Symbols
	ORC     *ORC // how to unwind a kernel's stacks
	Types   *BTF // a kernel's types
}

// Names reads what the image carries of that.
func (i *Image) Names() (n Names) {
	if n.Symbols, _ = goSymbols(i.Data); n.Symbols != nil {
		return n
	}
	vmlinux, err := i.Payload()
	if err != nil {
		return Names{}
	}
	if n.Symbols, err = ReadSymbols(bytes.NewReader(vmlinux)); err != nil {
		n.Symbols = nil
	}
	if n.ORC, err = ReadORC(vmlinux); err != nil {
		n.ORC = nil
	}
	if n.Types, err = ReadBTF(vmlinux); err != nil {
		n.Types = nil
	}
	return n
}

// OpenSymbols reads symbols from the file at path: an ELF vmlinux, or a System.map.
func OpenSymbols(path string) (*Symbols, error) {
	return openSymbols(path, ReadSymbols, systemMap)
}

// OpenStubSymbols reads the symbols of an EFI stub from the file at path: the ELF file arch/x86/boot/compressed/vmlinux
// that a kernel's build leaves. Addresses are those that it was linked at, from 0.
func OpenStubSymbols(path string) (*Symbols, error) {
	notStub := errors.New("not an EFI stub, which a kernel's build leaves as arch/x86/boot/compressed/vmlinux")
	read := func(r io.ReaderAt) (*Symbols, error) {
		f, err := openELF(r)
		if err != nil {
			return nil, err
		}
		all, err := symbolTableOf(f)
		if err != nil {
			return nil, notStub
		}
		// Numbers that are no addresses, such as how long the kernel is, would name code that is at them.
		all = slices.DeleteFunc(all, func(s elf.Symbol) bool { return s.Section == elf.SHN_ABS })
		s, err := sorted(named(all))
		if err != nil {
			return nil, err
		}
		if _, found := s.Address("efi_pe_entry"); !found || s.byAddress[0].Address >= imageBase {
			return nil, notStub
		}
		return s, nil
	}
	return openSymbols(path, read, func(io.Reader) (*Symbols, error) { return nil, notStub })
}

// openSymbols reads symbols from the file at path, an ELF file or another.
func openSymbols(path string, ofELF func(io.ReaderAt) (*Symbols, error), ofText func(io.Reader) (*Symbols, error)) (*Symbols, error) {
	info, err := os.Stat(path) // to open a pipe might take for ever
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSymbolFile {
		return nil, fmt.Errorf("%s: not a regular file of at most %d bytes", path, int64(maxSymbolFile))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var magic [4]byte
	var s *Symbols
	if _, err := f.ReadAt(magic[:], 0); err == nil && string(magic[:]) == elf.ELFMAG {
		s, err = ofELF(io.NewSectionReader(f, 0, info.Size()))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return s, nil
	}
	if s, err = ofText(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// ReadSymbols reads the names of an unpacked kernel, an ELF file: its symbol table, or where it has none, the one that
// kernels carry for themselves.
func ReadSymbols(vmlinux io.ReaderAt) (*Symbols, error) {
	f, err := openELF(vmlinux)
	if err != nil {
		return nil, err
	}
	table, err := symbolTableOf(f)
	if errors.Is(err, elf.ErrNoSymbols) {
		all, err := kallsyms(f)
		if err != nil {
			return nil, err
		}
		return NewSymbols(all)
	}
	if err != nil {
		return nil, err
	}
	return NewSymbols(named(table))
}

// openELF opens an ELF file for x86-64.
func openELF(r io.ReaderAt) (*elf.File, error) {
	f, err := elf.NewFile(r)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("a truncated ELF file")
	}
	if err != nil {
		return nil, err
	}
	if f.Class != elf.ELFCLASS64 || f.Machine != elf.EM_X86_64 {
		return nil, fmt.Errorf("an ELF file for %v, not x86-64", f.Machine)
	}
	return f, nil
}

// symbolTableOf reads a symbol table of bounded size.
func symbolTableOf(f *elf.File) ([]elf.Symbol, error) {
	for _, section := range f.Sections { // Symbols reads them whole
		limit := uint64(maxSymbols * elf.Sym64Size)
		if section.Type == elf.SHT_STRTAB {
			limit = maxSymbols * MaxSymbolName / 8
		}
		if (section.Type == elf.SHT_SYMTAB || section.Type == elf.SHT_STRTAB) && section.Size > limit {
			return nil, fmt.Errorf("section %q of %d bytes; at most %d are read", section.Name, section.Size, limit)
		}
	}
	return f.Symbols()
}

// named are the names of places among symbols, in an order that does not depend on the table's.
func named(table []elf.Symbol) (all []Symbol) {
	// Functions before other names of the same address, then by name: the table's own order means nothing.
	rank := func(s elf.Symbol) int {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(table, func(a, b elf.Symbol) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Name, b.Name))
	})
	for _, s := range table {
		kind := elf.ST_TYPE(s.Info)
		if s.Name != "" && s.Section != elf.SHN_UNDEF && kind != elf.STT_SECTION && kind != elf.STT_FILE {
			all = append(all, Symbol{s.Value, s.Name})
		}
	}
	return all
}

// systemMap reads lines of "address type name", as nm prints them.
func systemMap(r io.Reader) (*Symbols, error) {
	var all []Symbol
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 || len(fields[1]) != 1 {
			return nil, fmt.Errorf("line %d: not a System.map (address, type, name), nor an ELF file", n)
		}
		address, err := strconv.ParseUint(fields[0], 16, 64)
		if err != nil || len(fields[2]) > MaxSymbolName {
			return nil, fmt.Errorf("line %d: not a System.map (address, type, name), nor an ELF file", n)
		}
		if len(all) == maxSymbols {
			return nil, fmt.Errorf("more than %d symbols", maxSymbols)
		}
		all = append(all, Symbol{address, fields[2]})
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return NewSymbols(all)
}
