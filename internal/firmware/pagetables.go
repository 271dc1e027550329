package firmware

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/physical"
)

// Bits of a page-table entry (Intel SDM vol. 3, table 4-18).
const (
	ptePresent  = 1 << 0
	pteWrite    = 1 << 1
	pteUncached = 1 << 4 // PCD
	pteAccessed = 1 << 5
	pteDirty    = 1 << 6
	pteLarge    = 1 << 7
)

// pageTablesSize returns the size of the page tables that map ram, in bytes.
func pageTablesSize(ram []accept.Range) uint64 {
	top := mappedEnd(ram)
	return pageSize * (1 + tables(top, 39) + tables(top, 30))
}

// tables returns how many tables it takes, each mapping 1<<shift bytes, to map addresses below top.
func tables(top uint64, shift int) uint64 { return (top + 1<<shift - 1) >> shift }

// mappedEnd is where the last mapping ends.
func mappedEnd(ram []accept.Range) uint64 { return max(ram[len(ram)-1].End, devices.End) }

// devices are the addresses that RAM leaves to them.
var devices = accept.Range{Start: physical.LowEnd, End: physical.HighStart}

// identityMap returns page tables that map each address of ram and of devices to itself, and no other, in 2 MiB pages, which
// every processor has. They are to lie at address; the first of them is the top level. privateBit marks what is private, and
// sharedBit what is not.
//
// Memory that is not accepted is mapped too, as the specification demands of all memory in the map; touching it is what
// ends badly.
func identityMap(ram []accept.Range, address, privateBit, sharedBit uint64) []byte {
	const table = ptePresent | pteWrite | pteAccessed
	const leaf = table | pteDirty | pteLarge
	le := binary.LittleEndian
	top := mappedEnd(ram)
	pointers, directories := tables(top, 39), tables(top, 30)
	b := make([]byte, pageTablesSize(ram))
	for i := range pointers {
		le.PutUint64(b[8*i:], address+pageSize*(1+i)|privateBit|table)
	}
	for i := range directories {
		le.PutUint64(b[pageSize+8*i:], address+pageSize*(1+pointers+i)|privateBit|table)
	}
	entries := b[directoryEntry(ram, 0):]
	fill := func(r accept.Range, bits uint64) {
		for a := r.Start; a < r.End; a += accept.UnitSize {
			le.PutUint64(entries[a/accept.UnitSize*8:], a|bits)
		}
	}
	for _, r := range ram {
		fill(r, privateBit|leaf)
	}
	fill(devices, sharedBit|leaf|pteUncached)
	return b
}

// directoryEntry is where in the page tables of ram the entry is that maps an address, in bytes.
func directoryEntry(ram []accept.Range, address uint64) uint64 {
	return pageSize*(1+tables(mappedEnd(ram), 39)) + address/accept.UnitSize*8
}
