package firmware

import (
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/uefi"
)

const (
	pageSize = uefi.PageSize
	pageMask = pageSize - 1
)

// A region is a run of pages of one type.
type region struct {
	start, end uint64 // guest-physical, multiples of the page size
	kind       uefi.MemoryType
}

// A memoryMap is what GetMemoryMap reports: regions that are sorted, do not overlap, and differ from their neighbours.
//
// It is also firmware's book of what it has accepted: memory that is EfiUnacceptedMemory here has not been, all the
// rest has.
type memoryMap struct {
	regions []region
	key     uint64 // changes whenever the regions do
}

// maxRegions bounds the map, and with it what an application that allocates every other page can make the host hold.
// Linux is in trouble from 128 on: its e820 table has that many entries (arch/x86/include/uapi/asm/setup_data.h,
// E820_MAX_ENTRIES_ZEROPAGE).
const maxRegions = 4096

// add enters memory that the map does not know yet.
func (m *memoryMap) add(r accept.Range, kind uefi.MemoryType) {
	if r.Empty() {
		return
	}
	i, _ := slices.BinarySearchFunc(m.regions, r.Start, func(g region, start uint64) int {
		if g.start < start {
			return -1
		}
		return 1
	})
	m.regions = slices.Insert(m.regions, i, region{r.Start, r.End, kind})
	m.merge(i, i+1)
	m.key++
}

// at returns the index of the first region that ends above address.
func (m *memoryMap) at(address uint64) int {
	i, _ := slices.BinarySearchFunc(m.regions, address, func(g region, a uint64) int {
		if g.end <= a {
			return -1
		}
		return 1
	})
	return i
}

// covers says whether all of r is in the map and of a type that ok allows.
func (m *memoryMap) covers(r accept.Range, ok func(uefi.MemoryType) bool) bool {
	for i := m.at(r.Start); r.Start < r.End; i++ {
		if i == len(m.regions) || m.regions[i].start > r.Start || !ok(m.regions[i].kind) {
			return false
		}
		r.Start = m.regions[i].end
	}
	return true
}

// set gives all of r, which the map must cover, another type. It reports false, with the map as it was, where the map
// would get too long.
func (m *memoryMap) set(r accept.Range, kind uefi.MemoryType) bool {
	if r.Empty() {
		return true
	}
	first, last := m.at(r.Start), m.at(r.End-1)
	var change [3]region
	n := 0
	if g := m.regions[first]; g.start < r.Start {
		change[n] = region{g.start, r.Start, g.kind}
		n++
	}
	change[n] = region{r.Start, r.End, kind}
	n++
	if g := m.regions[last]; r.End < g.end {
		change[n] = region{r.End, g.end, g.kind}
		n++
	}
	if len(m.regions)-(last+1-first)+n > maxRegions {
		return false
	}
	m.regions = slices.Replace(m.regions, first, last+1, change[:n]...)
	m.merge(first, first+n)
	m.key++
	return true
}

// merge joins each of the regions first to last with the one before it, where the two are alike.
func (m *memoryMap) merge(first, last int) {
	for i := min(last, len(m.regions)-1); i >= max(first, 1); i-- {
		if before, g := &m.regions[i-1], m.regions[i]; before.end == g.start && before.kind == g.kind {
			before.end = g.end
			m.regions = slices.Delete(m.regions, i, i+1)
		}
	}
}

// highest returns the highest free run of the given size that ends at or below limit and starts at a multiple of align,
// a power of two.
func (m *memoryMap) highest(size, limit, align uint64) (accept.Range, bool) {
	for _, g := range slices.Backward(m.regions) {
		end := min(g.end, limit&^pageMask)
		if g.kind != uefi.ConventionalMemory || end <= g.start || end-g.start < size {
			continue
		}
		if start := (end - size) &^ (align - 1); start >= g.start {
			return accept.Range{Start: start, End: start + size}, true
		}
	}
	return accept.Range{}, false
}

// total returns how many bytes have the given type.
func (m *memoryMap) total(kind uefi.MemoryType) (bytes uint64) {
	for _, g := range m.regions {
		if g.kind == kind {
			bytes += g.end - g.start
		}
	}
	return bytes
}

// attributes returns a descriptor's Attribute. All memory is write-back and can be mapped in the other ways as well.
func attributes(kind uefi.MemoryType) uint64 {
	a := uint64(uefi.MemoryUC | uefi.MemoryWC | uefi.MemoryWT | uefi.MemoryWB)
	if isRuntime(kind) {
		a |= uefi.MemoryRuntime
	}
	return a
}

func isRuntime(kind uefi.MemoryType) bool {
	return kind == uefi.RuntimeServicesCode || kind == uefi.RuntimeServicesData
}
