package vm

import (
	"encoding/binary"
	"fmt"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// x86-64 Linux links itself at the beginning of these addresses, and KASLR moves it within them
// (Documentation/arch/x86/x86_64/mm.rst).
const (
	kernelTextFirst = 0xFFFF_FFFF_8000_0000
	kernelTextLast  = 0xFFFF_FFFF_BFFF_FFFF
)

// names finds the functions of the guest's kernel.
type names struct {
	table  *image.Symbols
	orc    *image.ORC // how to unwind the kernel's stacks; nil where it does not say
	types  *image.BTF // the kernel's types; nil where it does not say
	tried  bool       // table, orc and types are what there is, even where that is nil
	offset uint64     // how far KASLR has moved the kernel
	placed bool       // offset is known; it does not change any more

	modules                []*module // some that the kernel has loaded
	layout                 moduleLayout
	hasLayout, layoutTried bool
	processes              []string // names of those that have entered the kernel
}

// symbols returns the kernel's symbols, nil where none are known. The image's own take a few tenths of a second to
// unpack.
func (m *Machine) symbols() *image.Symbols {
	if !m.names.tried {
		m.names.tried = true
		carried := m.cfg.Image.Names() // what has none is no less bootable
		m.names.table, m.names.orc, m.names.types = carried.Symbols, carried.ORC, carried.Types
		if m.cfg.Symbols != nil {
			m.names.table = m.cfg.Symbols
		}
	}
	return m.names.table
}

// placeOf names an address of the guest: a function and the place in it, or a place in an image, or the address.
func (m *Machine) placeOf(address uint64) string {
	if isProcess(address) {
		return m.processPlace(address)
	}
	within := address // an address in the function
	if address>>62&1 != address>>63 {
		address ^= returned
		within = address - 1
	}
	if m.inStub(address &^ guessed) {
		return m.stubPlace(address, within)
	}
	if name := m.symbolAround(address, within); name != "" {
		return name
	}
	if image := m.boot.Image(); address >= image.Start && address < image.End {
		return fmt.Sprintf("%s+%#x", m.cfg.Image.Name, address-image.Start)
	}
	return fmt.Sprintf("%#x", address)
}

// symbol names the guest function at rip, with the offset in it; it is empty where nothing is known.
func (m *Machine) symbol(rip uint64) string { return m.symbolAround(rip, rip) }

// symbolAround names the function that one address is in, with the offset of another.
func (m *Machine) symbolAround(address, within uint64) string {
	name, offset := m.lookUp(within)
	if name == "" {
		return m.moduleSymbol(address, within)
	}
	return fmt.Sprintf("%s+%#x", name, offset+address-within)
}

// moduleSymbol names a function of a module that the kernel has loaded, as the kernel does.
func (m *Machine) moduleSymbol(address, within uint64) string {
	in := m.moduleAt(within)
	if in == nil {
		return ""
	}
	if in.symbols != nil {
		if name, offset, ok := in.symbols.Lookup(within); ok && name != "" {
			return fmt.Sprintf("%s+%#x [%s]", record.Printable(name), offset+address-within, in.name)
		}
	}
	return fmt.Sprintf("%#x [%s]", address, in.name)
}

// lookUp returns the symbol at an address and the distance from its start.
func (m *Machine) lookUp(address uint64) (name string, offset uint64) {
	s := m.symbols()
	if s == nil || !s.Fixed && s.ImageBase == 0 && (address < kernelTextFirst || address > kernelTextLast) {
		return "", 0
	}
	moved, ok := m.kernelOffset()
	if !ok {
		return "", 0
	}
	name, offset, _ = s.Lookup(address - moved)
	return name, offset
}

// symbolBase returns the symbol at an address and where it begins, as the disassembler wants to have it.
func (m *Machine) symbolBase(address uint64) (name string, base uint64) {
	name, offset := m.lookUp(address)
	return name, address - offset
}

// kernelOffset returns how far KASLR has moved the kernel, or firmware a program that it has relocated. It is not known
// before the kernel has its own page tables.
func (m *Machine) kernelOffset() (offset uint64, ok bool) {
	n := &m.names
	switch s := m.symbols(); {
	case s != nil && s.Fixed:
		return 0, true
	case s != nil && s.ImageBase != 0:
		loaded := m.boot.Image().Start
		return loaded - s.ImageBase, loaded != 0
	}
	if !n.placed && m.symbols() != nil {
		if n.offset, n.placed = m.offsetByEntry(); !n.placed {
			n.offset, n.placed = m.offsetByMapping()
		}
	}
	return n.offset, n.placed
}

// offsetByEntry compares where SYSCALL enters the kernel, which it puts into IA32_LSTAR, with where that was linked.
func (m *Machine) offsetByEntry() (offset uint64, ok bool) {
	linked, ok := m.symbols().Address("entry_SYSCALL_64")
	lstar, _ := m.cpu().MSR(x86.MSRLSTAR)
	return lstar - linked, ok && lstar >= kernelTextFirst && lstar <= kernelTextLast
}

// offsetByMapping compares the first page of 2 MiB that is mapped in the kernel's range with where the kernel begins:
// from its first page tables on, nothing in front of it is mapped (Linux arch/x86/kernel/head64.c, __startup_64). This
// is earlier than SYSCALL by the whole of early boot.
func (m *Machine) offsetByMapping() (offset uint64, ok bool) {
	linked, ok := m.symbols().Address("_text")
	c := m.cpu()
	s := c.State()
	if !ok || s.CR0&x86.CR0PG == 0 {
		return 0, false
	}
	const (
		present, large = 1 << 0, 1 << 7
		address        = 0x000F_FFFF_FFFF_F000
		page           = 2 << 20
	)
	entry := func(table uint64, index uint64) uint64 {
		var b [8]byte
		if c.ReadPhysical(table&address+index*8, b[:]) != nil {
			return 0
		}
		return binary.LittleEndian.Uint64(b[:])
	}
	directory := s.CR3
	for _, shift := range []int{39, 30} {
		directory = entry(directory, kernelTextFirst>>shift&0x1FF)
		if directory&present == 0 || directory&large != 0 {
			return 0, false
		}
	}
	for i := range uint64(512) {
		if entry(directory, i)&present != 0 {
			moved := kernelTextFirst + i*page - linked&^(page-1)
			return moved, moved <= kernelTextLast-kernelTextFirst
		}
	}
	return 0, false
}
