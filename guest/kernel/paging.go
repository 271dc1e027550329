//go:build linux && amd64

package kernel

// Page tables (SDM vol. 3, section 5.5; APM vol. 2, section 5.3). Where things are in the kernel's address space:
//
//	0x0000_0000_0000_0000  the program's, where it is another than the kernel's; heap, stacks
//	0x0000_7f00_0000_0000  the kernel, as it is linked, and the program that it is a part of
//	0xffff_8000_0000_0000  the direct map: all of memory, and what lies between
//	0xffff_ff80_0000_0000  pages that the host sees, such as a GHCB
const (
	userStart   = 64 << 10
	linkBase    = 0x7f00_0000_0000
	directMap   = 0xffff_8000_0000_0000
	sharedPages = 0xffff_ff80_0000_0000
)

// Bits of an entry, and of the error code of a page fault.
const (
	present  = 1 << 0
	writable = 1 << 1
	user     = 1 << 2
	large    = 1 << 7  // of a page directory's entry, or one above it: a page, not a table
	borrowed = 1 << 9  // ignored by the processor: a page of the image, which is not the allocator's
	leaving  = 1 << 10 // ignored, too, and not present: some processor may still use the page

	addressMask = 1<<52 - 1<<12
)

const (
	size4K = 4 << 10
	size2M = 2 << 20
	size1G = 1 << 30
)

// A pageTable is a tree of page tables.
type pageTable struct {
	root      uint64 // guest-physical
	encrypted uint64 // marks private memory
	take      func() (pa uint64, ok bool)
}

// entry returns the entry that maps va at a level: 12 for pages of 4 KiB, 21 for those of 2 MiB, 30 for 1 GiB. It makes
// the tables on the way where make is set; nil is where there is none, or no memory for one. A larger page on the way
// ends it, too, with that page's level.
func (t *pageTable) entry(va uint64, level uint64, make bool) (e *uint64, at uint64) {
	table := t.root
	for shift := uint64(39); ; shift -= 9 {
		e := t.number(table + 8*(va>>shift&511))
		if shift == level || *e&large != 0 && shift < 39 {
			return e, shift
		}
		if *e&present == 0 {
			if !make {
				return nil, shift
			}
			pa, ok := t.take()
			if !ok {
				return nil, shift
			}
			zero(directMap+pa, pageSize)
			*e = pa | t.encrypted | present | writable | user // what a page allows is in its own entry
		}
		table = *e & addressMask &^ t.encrypted
	}
}

func (t *pageTable) number(pa uint64) *uint64 { return at(directMap + pa) }

// mapRange maps [va, va+n) to memory from pa on, in the largest pages possible up to the given size. It reports false
// where there is no memory for tables.
func (t *pageTable) mapRange(va, pa, n, most, bits uint64) bool {
	for n > 0 {
		size, level := uint64(size4K), uint64(12)
		switch {
		case most >= size1G && (va|pa)%size1G == 0 && n >= size1G:
			size, level = size1G, 30
		case most >= size2M && (va|pa)%size2M == 0 && n >= size2M:
			size, level = size2M, 21
		}
		e, found := t.entry(va, level, true)
		if e == nil || found != level {
			return false
		}
		leaf := uint64(0)
		if level != 12 {
			leaf = large
		}
		*e = pa | bits | leaf | present
		va, pa, n = va+size, pa+size, n-size
	}
	return true
}

// split makes a table of 4 KiB pages of a 2 MiB page.
func (t *pageTable) split(e *uint64) bool {
	pa, ok := t.take()
	if !ok {
		return false
	}
	const noExecute = 1 << 63
	page, bits := *e&addressMask, *e&(present|writable|user|noExecute)
	for i := uint64(0); i < 512; i++ {
		*t.number(pa + 8*i) = page + i*pageSize | bits
	}
	*e = pa | t.encrypted | present | writable | user
	return true
}
