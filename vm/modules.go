package vm

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
)

// This file finds what the guest's kernel knows of the modules that it has loaded: their functions, and how to unwind
// the stacks of these. It reads the kernel's list of them from the guest's memory, when an address is in none that is
// known. Where in a module's structure what is, the kernel's own types say (BTF); the structure is of 6.4 and newer.

// Bounds on what is read of a guest, which may have written anything there. A module of Debian's has up to 30,000 symbols.
const (
	maxModules       = 512
	maxModuleSymbols = 1 << 16
	maxModuleNames   = 4 << 20 // bytes
	maxModuleORC     = 1 << 18 // entries
	maxKeptModules   = 64      // whose functions are known at a time
)

// modulesFirst is where modules are loaded: above the kernel's image (Linux: Documentation/arch/x86/x86_64/mm.rst).
const modulesFirst = kernelTextLast + 1

// A module is one that the kernel has loaded.
type module struct {
	moduleID
	symbols *image.Symbols // nil where none can be read
	orc     *image.ORC     // nil where there is none
}

// A moduleID is what changes when another module is loaded in a module's place, or when its initialisation has ended and
// the functions that only that needed are gone.
type moduleID struct {
	at, symtab, count uint64
	name              string
	ranges            [maxModuleRanges]addresses
}

const maxModuleRanges = 8 // kinds of a module's memory (Linux: enum mod_mem_type); 6.12 has seven

type addresses struct{ start, end uint64 }

func (id *moduleID) has(address uint64) bool {
	return slices.ContainsFunc(id.ranges[:], func(r addresses) bool { return address >= r.start && address < r.end })
}

// moduleLayout is where in the kernel's structures is what is asked for.
type moduleLayout struct {
	list, name, ranges, base, size image.Member
	kallsyms, symtab, count, names image.Member
	orcCount, orcIP, orc           image.Member
}

func layoutOfModules(types *image.BTF) (l moduleLayout, ok bool) {
	for _, want := range []struct {
		to   *image.Member
		path []string
	}{
		{&l.list, []string{"module", "list"}}, {&l.name, []string{"module", "name"}}, {&l.ranges, []string{"module", "mem"}},
		{&l.base, []string{"module_memory", "base"}}, {&l.size, []string{"module_memory", "size"}},
		{&l.kallsyms, []string{"module", "kallsyms"}}, {&l.symtab, []string{"mod_kallsyms", "symtab"}},
		{&l.count, []string{"mod_kallsyms", "num_symtab"}}, {&l.names, []string{"mod_kallsyms", "strtab"}},
		{&l.orcCount, []string{"module", "arch", "num_orcs"}}, {&l.orcIP, []string{"module", "arch", "orc_unwind_ip"}},
		{&l.orc, []string{"module", "arch", "orc_unwind"}},
	} {
		if *want.to, ok = types.Member(want.path[0], want.path[1:]...); !ok {
			return l, false
		}
	}
	return l, l.ranges.Count <= maxModuleRanges
}

// moduleAt returns the module that an address is in, nil where none is known.
func (m *Machine) moduleAt(address uint64) *module {
	n := &m.names
	if address < modulesFirst || n.types == nil || n.table == nil {
		return nil
	}
	if !n.layoutTried {
		n.layoutTried = true
		n.layout, n.hasLayout = layoutOfModules(n.types)
	}
	head, known := n.table.Address("modules")
	moved, placed := m.kernelOffset()
	if !n.hasLayout || !known || !placed {
		return nil
	}
	head += moved
	at := head
	for range maxModules {
		next, ok := m.number(at, 8)
		if !ok || next == head {
			return nil
		}
		at = next
		if id, ok := m.readModule(at - n.layout.list.Offset); ok && id.has(address) {
			return m.known(id)
		}
	}
	return nil
}

// readModule reads which module a structure is about, and where that is.
func (m *Machine) readModule(at uint64) (id moduleID, ok bool) {
	l := &m.names.layout
	id.at = at
	name := make([]byte, min(l.name.Size*l.name.Count, 64))
	if m.cpu().ReadVirtual(at+l.name.Offset, name) != nil {
		return id, false
	}
	text, _, _ := strings.Cut(string(name), "\x00")
	id.name = record.Printable(text)
	for i := range l.ranges.Count {
		r := at + l.ranges.Offset + i*l.ranges.Size
		base, ok1 := m.number(r+l.base.Offset, l.base.Size)
		size, ok2 := m.number(r+l.size.Offset, l.size.Size)
		if !ok1 || !ok2 {
			return id, false
		}
		id.ranges[i] = addresses{base, base + size}
	}
	kallsyms, ok1 := m.number(at+l.kallsyms.Offset, l.kallsyms.Size)
	if !ok1 || kallsyms == 0 {
		return id, ok1 // it is only being loaded
	}
	id.symtab, ok1 = m.number(kallsyms+l.symtab.Offset, l.symtab.Size)
	var ok2 bool
	id.count, ok2 = m.number(kallsyms+l.count.Offset, l.count.Size)
	return id, ok1 && ok2
}

// known returns what is known of a module, which is read the first time.
func (m *Machine) known(id moduleID) *module {
	for _, k := range m.names.modules {
		if k.moduleID == id {
			return k
		}
	}
	if len(m.names.modules) == maxKeptModules {
		m.names.modules = m.names.modules[1:]
	}
	found := &module{id, m.moduleSymbols(id), m.moduleORC(id)}
	m.names.modules = append(m.names.modules, found)
	return found
}

// moduleSymbols reads a module's functions. A symbol table of the kernel's has entries of ELF, with addresses that are
// where the module is.
func (m *Machine) moduleSymbols(id moduleID) *image.Symbols {
	l := &m.names.layout
	const size, value = 24, 8 // of an Elf64_Sym, and where in it
	kallsyms, ok1 := m.number(id.at+l.kallsyms.Offset, l.kallsyms.Size)
	names, ok2 := m.number(kallsyms+l.names.Offset, l.names.Size)
	if !ok1 || !ok2 || id.count > maxModuleSymbols {
		return nil
	}
	table := make([]byte, size*id.count)
	if m.cpu().ReadVirtual(id.symtab, table) != nil {
		return nil
	}
	last := uint32(0)
	for at := 0; at < len(table); at += size {
		last = max(last, binary.LittleEndian.Uint32(table[at:]))
	}
	text := m.readText(names, min(uint64(last)+image.MaxSymbolName, maxModuleNames))
	var all []image.Symbol
	for at := 0; at < len(table); at += size {
		address, name := binary.LittleEndian.Uint64(table[at+value:]), binary.LittleEndian.Uint32(table[at:])
		if uint64(name) >= uint64(len(text)) || !id.has(address) {
			continue
		}
		if s, _, ended := strings.Cut(text[name:min(len(text), int(name)+image.MaxSymbolName)], "\x00"); ended && s != "" {
			all = append(all, image.Symbol{Address: address, Name: s})
		}
	}
	for _, r := range id.ranges {
		if r.end > r.start {
			all = append(all, image.Symbol{Address: r.end}) // ends the last symbol in front of it
		}
	}
	symbols, err := image.NewSymbols(all)
	if err != nil {
		return nil
	}
	return symbols
}

// readText reads so much of the guest's memory, or what there is of it.
func (m *Machine) readText(at, size uint64) string {
	const piece = 4096
	var text []byte
	for uint64(len(text)) < size {
		b := make([]byte, min(size-uint64(len(text)), piece-at%piece))
		if m.cpu().ReadVirtual(at, b) != nil {
			break
		}
		text, at = append(text, b...), at+uint64(len(b))
	}
	return string(text)
}

// moduleORC reads how to unwind the stacks of a module's functions.
func (m *Machine) moduleORC(id moduleID) *image.ORC {
	l := &m.names.layout
	count, ok1 := m.number(id.at+l.orcCount.Offset, l.orcCount.Size)
	at, ok2 := m.number(id.at+l.orcIP.Offset, l.orcIP.Size)
	entries, ok3 := m.number(id.at+l.orc.Offset, l.orc.Size)
	if !ok1 || !ok2 || !ok3 || count == 0 || count > maxModuleORC || m.names.orc == nil {
		return nil
	}
	ip, entry := make([]byte, count*image.ORCAddressSize), make([]byte, count*image.ORCEntrySize)
	if m.cpu().ReadVirtual(at, ip) != nil || m.cpu().ReadVirtual(entries, entry) != nil {
		return nil
	}
	orc, err := m.names.orc.Module(at, ip, entry)
	if err != nil {
		return nil
	}
	return orc
}

// number reads an unsigned number of 1 to 8 bytes of the guest's memory.
func (m *Machine) number(va, size uint64) (v uint64, ok bool) {
	var b [8]byte
	if size == 0 || size > 8 || m.cpu().ReadVirtual(va, b[:size]) != nil {
		return 0, false
	}
	return binary.LittleEndian.Uint64(b[:]), true
}
