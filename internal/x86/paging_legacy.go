package x86

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Paging outside long mode (SDM vol. 3, 5.3 and 5.4): 32-bit paging, whose entries have 32 bits, with pages of 4 KiB and 4 MiB; and
// PAE paging, whose entries are those of long mode below four that the processor holds in registers. PSE-36 is not
// announced.

// pagingPAE says whether the registers of PAE paging are in use.
func (c *CPU) pagingPAE() bool {
	return c.cr0&CR0PG != 0 && c.cr4&CR4PAE != 0 && !c.longMode()
}

// pdpteReserved are the bits that a present page-directory-pointer entry must not have (SDM vol. 3, table 5-8).
const pdpteReserved = 3<<1 | 0xF<<5 | 0xFFF<<52

// loadPDPTEs reads the four entries at which CR3 points, or raises #GP.
func (c *CPU) loadPDPTEs(cr3 uint64) bool {
	page, frame, ok := c.table(cr3&low&pteAddr, 0, false)
	if !ok {
		return false
	}
	at := cr3 & pageMask &^ 31
	var entries [4]uint64
	for i := range entries {
		c.useTable(Walk, 0, frame.GPA()+at+uint64(i)*8)
		v := atomic.LoadUint64((*uint64)(unsafe.Add(page, at+uint64(i)*8)))
		if v&pteP != 0 && v&(pdpteReserved|c.platform.ReservedBits()) != 0 {
			return c.raise(uop.VectorGP, 0)
		}
		entries[i] = v
	}
	c.pdpte = entries
	return true
}

// A format is one of the two kinds of paging structures outside long mode.
type format struct {
	shift [2]uint // position of a level's index in the linear address, from the directory
	index uint64  // mask of an index
	entry uint64  // bytes an entry
}

var (
	format32  = format{shift: [2]uint{22, 12}, index: 0x3FF, entry: 4}
	formatPAE = format{shift: [2]uint{21, 12}, index: 0x1FF, entry: 8}
)

// directory returns where the page directory of va is, and the format of it and the tables below. ok is false where no
// entry leads there.
func (c *CPU) directory(va uint64) (gpa uint64, f *format, ok bool) {
	if c.cr4&CR4PAE == 0 {
		return c.cr3&low&pteAddr | c.platform.Unpaged(), &format32, true
	}
	v := c.pdpte[va>>30&3]
	return v & pteAddr, &formatPAE, v&pteP != 0
}

// leaf says whether an entry of a level maps a page.
func (c *CPU) leaf(f *format, level int, v uint64) bool {
	return level == 1 || v&ptePS != 0 && (f == &formatPAE || c.cr4&CR4PSE != 0)
}

// descendLegacy is descend outside long mode.
func (w *walker) descendLegacy() bool {
	c := w.c
	table, f, ok := c.directory(w.va)
	if !ok {
		return w.fault(0)
	}
	w.short = f == &format32
	reserved := c.platform.ReservedBits() | 0x7FF<<52
	if c.efer&EFERNXE == 0 {
		reserved |= pteNX
	}
	for level := 0; ; level++ {
		page, frame, ok := c.table(table&^pageMask, w.va, w.user)
		if !ok {
			return false
		}
		at := w.va >> f.shift[level] & f.index * f.entry
		c.useTable(Walk, w.va, frame.GPA()+at)
		e := unsafe.Add(page, at)
		var v uint64
		if w.short {
			v = uint64(atomic.LoadUint32((*uint32)(e)))
		} else {
			v = atomic.LoadUint64((*uint64)(e))
		}
		w.entry[level], w.frame[level], w.value[level], w.levels = e, frame, v, level+1
		if v&pteP == 0 {
			return w.fault(0)
		}
		leaf := c.leaf(f, level, v)
		bad := v & reserved
		if leaf && level == 0 {
			bad |= v & (1<<f.shift[0] - 1) & pteAddr &^ (1 << 12) // bit 12 is PAT
		}
		if bad != 0 {
			return w.fault(faultP | faultRSVD)
		}
		if leaf {
			w.size = 1 << f.shift[level]
			return true
		}
		table = v & pteAddr
		if w.short {
			table |= c.platform.Unpaged()
		}
	}
}

// legacyEntryFor is entryFor outside long mode.
func (c *CPU) legacyEntryFor(va uint64, write bool) (entry uint64, shift uint, err error) {
	none := fmt.Errorf("address %#x: %w", va, ErrFault)
	table, f, ok := c.directory(va)
	if !ok {
		return 0, 0, none
	}
	writable := true
	for level := 0; ; level++ {
		var b [8]byte
		if err := c.physical(table+va>>f.shift[level]&f.index*f.entry, b[:f.entry], ExternalRead); err != nil {
			return 0, 0, fmt.Errorf("address %#x: %w", va, err)
		}
		v := binary.LittleEndian.Uint64(b[:])
		writable = writable && v&pteW != 0
		if v&pteP == 0 || write && !writable && c.cr0&CR0WP != 0 {
			return 0, 0, none
		}
		if f == &format32 {
			v |= c.platform.Unpaged()
		}
		if c.leaf(f, level, v) {
			return v, f.shift[level], nil
		}
		table = v & pteAddr
	}
}
