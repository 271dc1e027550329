package x86

import (
	"sync/atomic"
	"unsafe"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Control register bits (SDM vol. 3, 2.5).
const (
	CR0PE = 1 << 0
	CR0MP = 1 << 1
	CR0EM = 1 << 2
	CR0TS = 1 << 3
	CR0ET = 1 << 4
	CR0NE = 1 << 5
	CR0WP = 1 << 16
	CR0AM = 1 << 18
	CR0NW = 1 << 29
	CR0CD = 1 << 30
	CR0PG = 1 << 31

	CR4VME        = 1 << 0
	CR4PVI        = 1 << 1
	CR4TSD        = 1 << 2
	CR4DE         = 1 << 3
	CR4PSE        = 1 << 4
	CR4PAE        = 1 << 5
	CR4MCE        = 1 << 6
	CR4PGE        = 1 << 7
	CR4PCE        = 1 << 8
	CR4OSFXSR     = 1 << 9
	CR4OSXMMEXCPT = 1 << 10
	CR4UMIP       = 1 << 11
	CR4LA57       = 1 << 12
	CR4FSGSBASE   = 1 << 16
	CR4PCIDE      = 1 << 17
	CR4OSXSAVE    = 1 << 18
	CR4SMEP       = 1 << 20
	CR4SMAP       = 1 << 21

	EFERSCE  = 1 << 0
	EFERLME  = 1 << 8
	EFERLMA  = 1 << 10
	EFERNXE  = 1 << 11
	EFERSVME = 1 << 12
)

// Page-table entry bits (SDM vol. 3, table 4-20).
const (
	pteP    = 1 << 0
	pteW    = 1 << 1
	pteU    = 1 << 2
	pteA    = 1 << 5
	pteD    = 1 << 6
	ptePS   = 1 << 7
	pteG    = 1 << 8
	pteNX   = 1 << 63
	pteAddr = 0x000F_FFFF_FFFF_F000
)

// Page-fault error code bits (SDM vol. 3, 4.7).
const (
	faultP = 1 << iota
	faultW
	faultU
	faultRSVD
	faultI
)

// A mapping is what a page walk found for one 4 KiB page.
type mapping struct {
	gpa    uint64 // of the 4 KiB page, with shared bit or C-bit
	write  bool   // stores are allowed to the walk's privilege and may go straight through: the dirty bit is set
	read   bool   // loads are allowed to the walk's privilege
	global bool
	large  uint64 // size of the page in bytes where it is larger than 4 KiB, else 0
}

// walk translates va for an access of the given kind and privilege and raises #PF, or what the platform refuses with,
// where it is not allowed. It sets accessed and dirty bits.
//
// open says that supervisor accesses reach user pages in spite of SMAP (AC is set).
func (c *CPU) walk(va uint64, kind AccessKind, user, open bool) (m mapping, ok bool) {
	if c.cr0&CR0PG == 0 {
		return mapping{gpa: va&low&^pageMask | c.platform.Unpaged(), read: true, write: true}, true
	}
	w := walker{c: c, va: va, kind: kind, user: user}
	if c.longMode() {
		ok = w.descend()
	} else {
		w.va &= low // beyond 4 GiB, addresses go round
		ok = w.descendLegacy()
	}
	if !ok {
		return m, false
	}
	return w.finish(open)
}

// A walker is one page walk under way.
type walker struct {
	c    *CPU
	va   uint64
	kind AccessKind
	user bool

	entry  [5]unsafe.Pointer // the entries used, from the top
	frame  [5]mem.Frame
	value  [5]uint64
	levels int
	size   uint64 // of the page found
	short  bool   // entries have 32 bits
}

// levelShift is the position of a level's index in the linear address, from PML5 to PT.
var levelShift = [5]uint{48, 39, 30, 21, 12}

const (
	levelPML4 = 1
	levelPT   = 4
)

// topLevel is the level at which CR3 points.
func (c *CPU) topLevel() int {
	if c.cr4&CR4LA57 != 0 {
		return levelPML4 - 1
	}
	return levelPML4
}

// descend reads the entries down to the one that maps the page.
func (w *walker) descend() bool {
	c := w.c
	table := c.cr3 & pteAddr
	reserved := c.platform.ReservedBits()
	if c.efer&EFERNXE == 0 {
		reserved |= pteNX
	}
	for level := c.topLevel(); ; level++ {
		page, frame, ok := c.table(table, w.va, w.user)
		if !ok {
			return false
		}
		index := w.va >> levelShift[level] & 0x1FF * 8
		c.useTable(Walk, w.va, frame.GPA()+index)
		e := (*uint64)(unsafe.Add(page, index))
		v := atomic.LoadUint64(e)
		n := w.levels
		w.entry[n], w.frame[n], w.value[n], w.levels = unsafe.Pointer(e), frame, v, n+1
		if v&pteP == 0 {
			return w.fault(0)
		}
		leaf := level == levelPT || level > levelPML4 && v&ptePS != 0
		bad := v & reserved
		if v&ptePS != 0 && level <= levelPML4 {
			bad |= ptePS
		}
		if leaf && level < levelPT {
			bad |= v & (1<<levelShift[level] - 1) & pteAddr &^ (1 << 12) // bit 12 is PAT
		}
		if bad != 0 {
			return w.fault(faultP | faultRSVD)
		}
		if leaf {
			w.size = 1 << levelShift[level]
			return true
		}
		table = v & pteAddr
	}
}

// finish checks permissions, sets accessed and dirty bits and returns the mapping.
func (w *walker) finish(open bool) (m mapping, ok bool) {
	c, leaf := w.c, w.levels-1
	all, nx := ^uint64(0), uint64(0)
	for _, v := range w.value[:w.levels] {
		all &= v
		nx |= v & pteNX
	}
	userPage := all&pteU != 0
	writable := all&pteW != 0

	readable := userPage
	if !w.user {
		readable = !userPage || c.cr4&CR4SMAP == 0 || open
		writable = (writable || c.cr0&CR0WP == 0) && readable
	} else {
		writable = writable && userPage
	}
	allowed := readable
	switch {
	case w.kind == Fetch:
		allowed = (nx == 0 || c.efer&EFERNXE == 0) && (userPage || !w.user) && !(userPage && !w.user && c.cr4&CR4SMEP != 0)
	case w.kind.Writes():
		allowed = writable
	}
	if !allowed {
		return m, w.fault(faultP)
	}
	for i := range w.levels {
		need := uint64(pteA)
		if i == leaf && w.kind.Writes() {
			need |= pteD
		}
		if w.value[i]&need != need && !w.update(i, need) {
			return m, false
		}
	}
	v := w.value[leaf]
	mask := w.size - 1
	if w.short {
		v |= c.platform.Unpaged()
	}
	m = mapping{
		gpa:    v&pteAddr&^mask | w.va&mask&^pageMask,
		read:   readable,
		write:  writable && v&pteD != 0,
		global: v&pteG != 0 && c.cr4&CR4PGE != 0,
	}
	if w.size > mem.PageSize {
		m.large = w.size
	}
	return m, true
}

// update sets bits in the entry of level i.
func (w *walker) update(i int, bits uint64) bool {
	c := w.c
	f := w.frame[i]
	if r := c.Refused(c.resolveTable(f, w.va, w.user)); r {
		return false
	}
	at := uint64(uintptr(w.entry[i])) & pageMask
	c.useTable(WalkWrite, w.va, f.GPA()+at)
	c.mem.Back(f)
	w.value[i] |= bits
	if w.short {
		atomic.OrUint32((*uint32)(w.entry[i]), uint32(bits))
	} else {
		atomic.OrUint64((*uint64)(w.entry[i]), bits)
	}
	c.mem.CodeWritten(f, int(at), int(min(8, mem.PageSize-at)))
	return true
}

// resolveTable asks the platform whether the paging structure in f may be written.
func (c *CPU) resolveTable(f mem.Frame, va uint64, user bool) *Refusal {
	_, r := c.platform.Resolve(c, f.GPA(), Access{Kind: WalkWrite, GVA: va, User: user})
	return r
}

// fault raises the page fault of the walk; code has the bits P and RSVD.
func (w *walker) fault(code uint32) bool {
	if w.kind.Writes() {
		code |= faultW
	}
	if w.user {
		code |= faultU
	}
	if w.kind == Fetch && (w.c.efer&EFERNXE != 0 || w.c.cr4&CR4SMEP != 0) {
		code |= faultI
	}
	w.c.Raise(Exception{Vector: uop.VectorPF, Code: code, HasCode: true, CR2: w.va})
	return false
}

// table returns the host's address of the paging structure at gpa.
func (c *CPU) table(gpa, va uint64, user bool) (unsafe.Pointer, mem.Frame, bool) {
	e := &c.tlb.tables[gpa>>mem.PageShift%tablesSize]
	if e.gpa == gpa {
		return e.page, e.f, true
	}
	t, r := c.platform.Resolve(c, gpa, Access{Kind: Walk, GVA: va, User: user})
	if c.Refused(r) {
		return nil, 0, false
	}
	if t.MMIO {
		c.Stop(&BadTableError{GPA: gpa, GVA: va})
		return nil, 0, false
	}
	*e = tableEntry{gpa: gpa, page: t.Host, f: t.Frame}
	return e.page, e.f, true
}

// Refused raises or ends with what the platform refuses with, and says whether it refused at all.
func (c *CPU) Refused(r *Refusal) bool {
	switch {
	case r == nil:
		return false
	case r.Exception != nil:
		c.Raise(*r.Exception)
	default:
		c.Stop(r.Stop)
	}
	return true
}
