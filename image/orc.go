package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
)

// ORC is a kernel's own table for unwinding its stacks (CONFIG_UNWINDER_ORC, which distributions have): for each address
// of its code, how to find the caller's stack pointer, frame pointer and return address (Linux:
// Documentation/arch/x86/orc-unwinder.rst, arch/x86/include/asm/orc_types.h). Addresses are those that the kernel was
// linked at.
type ORC struct {
	addresses []uint64 // ascending; an entry holds until the next one's address
	entries   []byte   // ORCEntrySize bytes each
	old       bool     // the layout from before 6.4, which has no header to tell it by
	renamed   bool     // registers have the numbers that they have in 7.2
}

// Sizes in bytes of what a table has for each place: its address, relative to where that stands, and an entry.
const (
	ORCAddressSize = 4
	ORCEntrySize   = 6
)

const maxORC = 4 << 20 // entries; distribution kernels have half a million

// An ORCEntry says how to find a caller from a place in a function.
type ORCEntry struct {
	SP, BP             ORCRegister // what the caller's stack pointer and frame pointer are found from
	SPOffset, BPOffset int16       // … at this distance, in bytes
	Type               ORCType
	Signal             bool // the place has been interrupted, it has not made a call
}

// An ORCRegister is what an offset counts from.
type ORCRegister uint8

// Registers (ORC_REG_*), by the numbers that 6.12 gives them; newer kernels: renumbered.
const (
	ORCUndefined  ORCRegister = 0 // of the frame pointer: it is unchanged
	ORCPrevSP     ORCRegister = 1 // the caller's stack pointer
	ORCDX         ORCRegister = 2
	ORCDI         ORCRegister = 3
	ORCBP         ORCRegister = 4
	ORCSP         ORCRegister = 5
	ORCR10        ORCRegister = 6
	ORCR13        ORCRegister = 7
	ORCBPIndirect ORCRegister = 8 // what is in memory at BP + offset
	ORCSPIndirect ORCRegister = 9 // what is in memory at SP, and the offset is added to that
	ORCAX         ORCRegister = 10
)

// renumbered are the registers by the numbers that they have in newer kernels (7.2 and 7.3 have them).
var renumbered = [16]ORCRegister{
	ORCUndefined, ORCAX, ORCDX, ORCSP, ORCBP, ORCDI, ORCR10, ORCR13, ORCPrevSP, ORCSPIndirect, ORCBPIndirect,
	11, 12, 13, 14, 15,
}

// An ORCType is what there is at the stack pointer that an entry leads to.
type ORCType uint8

// Types (ORC_TYPE_*), by the numbers that they have since 6.4.
const (
	ORCTypeUndefined   ORCType = 0
	ORCTypeEndOfStack  ORCType = 1
	ORCTypeCall        ORCType = 2 // a return address, below it
	ORCTypeRegs        ORCType = 3 // all registers, as an exception has saved them
	ORCTypeRegsPartial ORCType = 4 // those of them that the processor saves itself
)

// ReadORC reads the table of an unpacked kernel. It returns an error where the kernel has none.
func ReadORC(vmlinux []byte) (*ORC, error) {
	f, err := elf.NewFile(bytes.NewReader(vmlinux))
	if err != nil {
		return nil, err
	}
	addresses, entries := f.Section(".orc_unwind_ip"), f.Section(".orc_unwind")
	if addresses == nil || entries == nil {
		return nil, errors.New("a kernel without ORC unwinding tables")
	}
	n := entries.FileSize / ORCEntrySize
	if n > maxORC || addresses.FileSize != ORCAddressSize*n || entries.FileSize != ORCEntrySize*n {
		return nil, fmt.Errorf("ORC unwinding tables of %d and %d bytes", addresses.FileSize, entries.FileSize)
	}
	raw, err := addresses.Data()
	if err != nil {
		return nil, err
	}
	o := &ORC{old: f.Section(".orc_header") == nil}
	if o.entries, err = entries.Data(); err != nil {
		return nil, err
	}
	if err := o.locate(addresses.Addr, raw); err != nil {
		return nil, err
	}
	return o, o.number()
}

// Module returns the table of a module of the same kernel: its addresses, ORCAddressSize each, as they are at address at
// of the running kernel, and its entries, ORCEntrySize each. What it finds is by addresses of the running kernel.
func (o *ORC) Module(at uint64, addresses, entries []byte) (*ORC, error) {
	if len(addresses)/ORCAddressSize != len(entries)/ORCEntrySize {
		return nil, fmt.Errorf("ORC unwinding tables of %d and %d bytes", len(addresses), len(entries))
	}
	m := &ORC{entries: entries, old: o.old, renamed: o.renamed}
	return m, m.locate(at, addresses)
}

// locate turns relative addresses, the first of which stands at an address, into addresses.
func (o *ORC) locate(at uint64, relative []byte) error {
	o.addresses = make([]uint64, len(relative)/ORCAddressSize)
	for i := range o.addresses {
		distance := int32(binary.LittleEndian.Uint32(relative[ORCAddressSize*i:]))
		o.addresses[i] = at + ORCAddressSize*uint64(i) + uint64(int64(distance))
	}
	if !slices.IsSorted(o.addresses) {
		return errors.New("ORC unwinding tables that are not sorted")
	}
	return nil
}

// number finds out which numbers registers have. A kernel does not say so, but each of its functions begins with the
// return address where the stack pointer is, and mostly nothing else counts from a register at that distance.
func (o *ORC) number() error {
	var counts [16]int
	for i := range o.addresses {
		if e := o.entry(i); e.Type == ORCTypeCall && e.SPOffset == 8 {
			counts[e.SP]++
		}
	}
	most := slices.Max(counts[:])
	switch {
	case most == 0:
		return errors.New("ORC unwinding tables without functions")
	case most == counts[ORCSP]:
		return nil
	case most == counts[slices.Index(renumbered[:], ORCSP)]:
		o.renamed = true
		return nil
	}
	return errors.New("ORC unwinding tables whose registers have numbers that are not known")
}

// Find returns the entry that holds at an address.
func (o *ORC) Find(address uint64) (e ORCEntry, ok bool) {
	i := sort.Search(len(o.addresses), func(i int) bool { return o.addresses[i] > address }) - 1
	if i < 0 {
		return ORCEntry{}, false
	}
	e = o.entry(i)
	if o.renamed {
		e.SP, e.BP = renumbered[e.SP], renumbered[e.BP]
	}
	return e, true
}

// entry reads an entry, whose registers have the numbers that the kernel has given them.
func (o *ORC) entry(i int) (e ORCEntry) {
	b := o.entries[ORCEntrySize*i:]
	bits := binary.LittleEndian.Uint16(b[4:])
	e = ORCEntry{
		SPOffset: int16(binary.LittleEndian.Uint16(b)), BPOffset: int16(binary.LittleEndian.Uint16(b[2:])),
		SP: ORCRegister(bits & 15), BP: ORCRegister(bits >> 4 & 15),
		Type: ORCType(bits >> 8 & 7), Signal: bits>>11&1 != 0,
	}
	if o.old {
		// Two bits of type, without the first two; then the signal bit, and one for the end of the stack.
		e.Type, e.Signal = ORCTypeCall+ORCType(bits>>8&3), bits>>10&1 != 0
		if bits>>11&1 != 0 {
			e.Type = ORCTypeEndOfStack
		}
	}
	return e
}
