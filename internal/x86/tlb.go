package x86

import (
	"math/bits"
	"unsafe"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/physical"
)

// The TLB holds what may be touched without asking anybody. There is one array for each way in which data can be
// accessed, so that STAC, CLAC and the way between user and kernel change a pointer instead of throwing translations
// away.
//
// An entry covers 4 KiB whatever the page tables say: the platform decides per 4 KiB even under a large page.
type tlb struct {
	data [tlbModes][tlbSize]tlbEntry
	cur  *[tlbSize]tlbEntry // the array for data accesses as CPL and AC are now

	fetch [2][fetchSize]fetchEntry // for instructions, by user privilege

	tables [tablesSize]tableEntry // host addresses of paging structures

	large largeRange // where large pages may have entries

	// Which places may have entries, whatever the array, and which may have entries of pages that are not global: a load of
	// CR3, of which there are tens of thousands in a boot, looks at no other than these, and nothing looks at a place that
	// has none. It follows from the entries, and is not state.
	usedData   [tlbSize / 64]uint64
	localData  [tlbSize / 64]uint64
	localFetch [fetchSize / 64]uint64
}

const (
	modeKernel   = iota // supervisor; SMAP keeps it from user pages
	modeKernelAC        // supervisor with AC set: user pages are open to it
	modeUser
	tlbModes

	tlbBits    = 12
	tlbSize    = 1 << tlbBits
	fetchBits  = 9
	fetchSize  = 1 << fetchBits
	tablesSize = 64

	pageMask = mem.PageSize - 1

	noTable = 2 // the address of no paging structure

	// globalBit in an entry's frame, or in the address of a fetch entry, says that the page is global.
	globalBit = 1 << 63
)

// A tlbEntry maps one page. It has 32 bytes, so that its place follows from an address by a shift.
type tlbEntry struct {
	read, write tag
	page        unsafe.Pointer
	where       mem.Frame // and globalBit
}

func (e *tlbEntry) frame() mem.Frame { return e.where &^ globalBit }
func (e *tlbEntry) global() bool     { return e.where&globalBit != 0 }

type fetchEntry struct {
	tag   tag
	page  unsafe.Pointer
	frame mem.Frame
	where uint64 // the guest-physical address, and globalBit
}

func (e *fetchEntry) gpa() uint64  { return e.where &^ globalBit }
func (e *fetchEntry) global() bool { return e.where&globalBit != 0 }

type tableEntry struct {
	gpa  uint64
	page unsafe.Pointer
	f    mem.Frame
}

// largeRange is the span of addresses, from the first to the last, that large pages map in the TLB: INVLPG in it takes
// more than one entry.
type largeRange struct{ lo, hi uint64 }

var (
	emptyData  = [tlbSize]tlbEntry{}
	emptyFetch = [fetchSize]fetchEntry{}
)

func init() {
	for i := range emptyData {
		emptyData[i].read, emptyData[i].write = noTag, noTag
	}
	for i := range emptyFetch {
		emptyFetch[i].tag = noTag
	}
}

// selectTLB makes the data TLB follow CPL and AC.
func (c *CPU) selectTLB() {
	switch {
	case c.cpl == 3 && c.rest&FlagAC != 0 && c.cr0&CR0AM != 0:
		c.tlb.cur = &emptyData // so that every access takes the slow way, which looks at its alignment
	case c.cpl == 3:
		c.tlb.cur = &c.tlb.data[modeUser]
	case c.rest&FlagAC != 0:
		c.tlb.cur = &c.tlb.data[modeKernelAC]
	default:
		c.tlb.cur = &c.tlb.data[modeKernel]
	}
}

// aligning says whether misaligned accesses raise #AC (SDM vol. 3, 6.15, interrupt 17).
func (c *CPU) aligning() bool { return c.tlb.cur == &emptyData }

// eachData calls f for all entries in use for data, and maybe for others.
func (t *tlb) eachData(f func(e *tlbEntry)) {
	eachBit(t.usedData[:], func(i int) {
		for m := range t.data {
			f(&t.data[m][i])
		}
	})
}

// noteData notes that e is the entry of va's page.
func (t *tlb) noteData(va uint64, e *tlbEntry) {
	i := va >> mem.PageShift % tlbSize
	setBit(t.usedData[:], i)
	if !e.global() {
		setBit(t.localData[:], i)
	}
}

// flushTLB forgets all translations.
func (c *CPU) flushTLB() {
	c.tlb.eachData(func(e *tlbEntry) { e.read, e.write = noTag, noTag })
	c.tlb.fetch[0], c.tlb.fetch[1] = emptyFetch, emptyFetch
	clear(c.tlb.usedData[:])
	clear(c.tlb.localData[:])
	clear(c.tlb.localFetch[:])
	c.tlb.large = largeRange{lo: ^uint64(0)}
	c.forgetTables()
}

func (c *CPU) forgetTables() {
	for i := range c.tlb.tables {
		c.tlb.tables[i] = tableEntry{gpa: noTable}
	}
}

// flushNonGlobal forgets what a load of CR3 forgets (SDM vol. 3, 4.10.4.1). It does so for every PCID: keeping those of
// others is an option that hardware has.
func (c *CPU) flushNonGlobal() {
	if c.cr4&CR4PGE == 0 {
		c.flushTLB()
		return
	}
	eachBit(c.tlb.localData[:], func(i int) {
		for m := range c.tlb.data {
			if e := &c.tlb.data[m][i]; !e.global() {
				e.read, e.write = noTag, noTag
			}
		}
	})
	clear(c.tlb.localData[:])
	eachBit(c.tlb.localFetch[:], func(i int) {
		for m := range c.tlb.fetch {
			if e := &c.tlb.fetch[m][i]; !e.global() {
				e.tag = noTag
			}
		}
	})
	clear(c.tlb.localFetch[:])
}

// setBit sets a bit of a map, and eachBit calls f for each that is set.
func setBit(words []uint64, i uint64) { words[i/64] |= 1 << (i % 64) }

func eachBit(words []uint64, f func(i int)) {
	for w, v := range words {
		for ; v != 0; v &= v - 1 {
			f(w*64 + bits.TrailingZeros64(v))
		}
	}
}

// flushPage is INVLPG.
func (c *CPU) flushPage(va uint64) {
	if va >= c.tlb.large.lo && va <= c.tlb.large.hi {
		c.flushTLB()
		return
	}
	va &^= pageMask
	for m := range c.tlb.data {
		e := &c.tlb.data[m][va>>mem.PageShift%tlbSize]
		if e.read.page() == va || e.write.page() == va {
			e.read, e.write = noTag, noTag
		}
	}
	for m := range c.tlb.fetch {
		if e := &c.tlb.fetch[m][va>>mem.PageShift%fetchSize]; e.tag.page() == va {
			e.tag = noTag
		}
	}
}

// Forget removes everything that the processor remembers of the frames that hold [start, end) in plane p: TLB entries,
// paging structures, decoded code. A platform calls it for every processor when it changes a page's state.
func (c *CPU) Forget(p physical.Plane, start, end uint64) {
	within := func(f mem.Frame) bool { return f.Plane() == p && f.GPA() >= start && f.GPA() < end }
	c.tlb.eachData(func(e *tlbEntry) {
		if (e.read != noTag || e.write != noTag) && within(e.frame()) {
			e.read, e.write = noTag, noTag
		}
	})
	for m := range c.tlb.fetch {
		for i := range c.tlb.fetch[m] {
			if e := &c.tlb.fetch[m][i]; e.tag != noTag && within(e.frame) {
				e.tag = noTag
			}
		}
	}
	c.forgetTables()
	c.code.forget(p, start, end)
}

// protectCode makes stores look first to frames that have come to hold decoded code since it was called last, by this
// processor's doing or another's.
func (c *CPU) protectCode() {
	if c.codeSeen == c.code.fresh {
		return
	}
	c.codeSeen = c.code.fresh
	c.tlb.eachData(func(e *tlbEntry) {
		if e.write != noTag && e.write.marks()&slowTag == 0 && c.mem.HasCode(e.frame()) {
			e.write = e.write.with(slowTag)
		}
	})
}
