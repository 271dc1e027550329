package x86

import (
	"encoding/binary"
	"unsafe"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// ea computes the address of a micro-operation's memory operand.
func (c *CPU) ea(u *uop.Uop) uint64 {
	return c.R[u.Base%uop.Slots] + c.R[u.Index%uop.Slots]<<(u.Scale&3) + c.R[u.Seg%uop.Slots] + uint64(u.Disp)
}

// readable and writable return the host's address of va where a load or store of last+1 bytes may go straight to
// memory, else nil. One comparison does: an access that leaves its page has its last byte's page as tag, which the
// entry of its first byte's page cannot have.
func (c *CPU) readable(va, last uint64) unsafe.Pointer {
	e := &c.tlb.cur[va>>mem.PageShift%tlbSize]
	if e.read != tag((va+last)&^pageMask) {
		return nil
	}
	return unsafe.Add(e.page, va&pageMask)
}

func (c *CPU) writable(va, last uint64) unsafe.Pointer {
	e := &c.tlb.cur[va>>mem.PageShift%tlbSize]
	if e.write != tag((va+last)&^pageMask) {
		return nil
	}
	return unsafe.Add(e.page, va&pageMask)
}

// The loads and stores below raise what the access raises and then return false. Hosts are little endian, as all Go
// ports that tacit supports are.

func (c *CPU) load8(va uint64) (uint8, bool) {
	if p := c.readable(va, 0); p != nil {
		return *(*uint8)(p), true
	}
	v, ok := c.slowLoad(va, 1)
	return uint8(v), ok
}

func (c *CPU) load16(va uint64) (uint16, bool) {
	if p := c.readable(va, 1); p != nil {
		return *(*uint16)(p), true
	}
	v, ok := c.slowLoad(va, 2)
	return uint16(v), ok
}

func (c *CPU) load32(va uint64) (uint32, bool) {
	if p := c.readable(va, 3); p != nil {
		return *(*uint32)(p), true
	}
	v, ok := c.slowLoad(va, 4)
	return uint32(v), ok
}

func (c *CPU) load64(va uint64) (uint64, bool) {
	if p := c.readable(va, 7); p != nil {
		return *(*uint64)(p), true
	}
	return c.slowLoad(va, 8)
}

func (c *CPU) store8(va uint64, v uint8) bool {
	if p := c.writable(va, 0); p != nil {
		*(*uint8)(p) = v
		return true
	}
	return c.slowStore(va, 1, uint64(v))
}

func (c *CPU) store16(va uint64, v uint16) bool {
	if p := c.writable(va, 1); p != nil {
		*(*uint16)(p) = v
		return true
	}
	return c.slowStore(va, 2, uint64(v))
}

func (c *CPU) store32(va uint64, v uint32) bool {
	if p := c.writable(va, 3); p != nil {
		*(*uint32)(p) = v
		return true
	}
	return c.slowStore(va, 4, uint64(v))
}

func (c *CPU) store64(va uint64, v uint64) bool {
	if p := c.writable(va, 7); p != nil {
		*(*uint64)(p) = v
		return true
	}
	return c.slowStore(va, 8, v)
}

// A place is where one page of an access leads.
type place struct {
	page  unsafe.Pointer // nil for MMIO
	frame mem.Frame
	gpa   uint64 // of the page, for MMIO
}

// reach translates the page of va for a data access and fills the TLB.
func (c *CPU) reach(va uint64, kind AccessKind) (place, bool) {
	e := &c.tlb.cur[va>>mem.PageShift%tlbSize]
	page := va &^ pageMask
	if kind == Read && e.read.page() == page || kind == Write && e.write.page() == page {
		return place{page: e.page, frame: e.frame()}, true
	}
	if !c.canonical(va) {
		c.raiseNonCanonical()
		return place{}, false
	}
	m, ok := c.walk(va, kind, c.cpl == 3, c.rest&FlagAC != 0)
	if !ok {
		return place{}, false
	}
	t, r := c.platform.Resolve(c, m.gpa, Access{Kind: kind, GVA: va, User: c.cpl == 3})
	if c.Refused(r) {
		return place{}, false
	}
	if t.MMIO {
		return place{gpa: t.GPA}, true
	}
	if c.aligning() {
		return place{page: t.Host, frame: t.Frame}, true
	}
	// The platform may have changed the TLB underneath; e is still the place for this page.
	*e = tlbEntry{read: noTag, write: noTag, page: t.Host, where: t.Frame}
	if m.global {
		e.where |= globalBit
	}
	c.tlb.noteData(va, e)
	if m.read {
		e.read = tag(page)
	}
	if m.write && !t.ReadOnly {
		e.write = c.writeTag(page, t.Frame)
	}
	if c.watching(page, t.Frame.GPA()) {
		e.read, e.write = e.read.with(slowTag), e.write.with(slowTag)
	}
	if m.large != 0 {
		c.tlb.large.add(va, m.large)
	}
	return place{page: t.Host, frame: t.Frame}, true
}

// writeTag returns the tag of a page for stores, as its frame is now, not watched.
func (c *CPU) writeTag(page uint64, f mem.Frame) tag {
	t := tag(page)
	if !c.mem.Backed(f) {
		t = t.with(unbackedTag)
	}
	if c.mem.HasCode(f) {
		t = t.with(slowTag)
	}
	return t
}

func (l *largeRange) add(va, size uint64) {
	l.lo = min(l.lo, va&^(size-1))
	l.hi = max(l.hi, va|(size-1))
}

// natural raises #AC where alignment is checked and an operand of n bytes does not lie on a multiple of n, which is a
// power of two. It comes before page faults.
func (c *CPU) natural(va uint64, n int) bool {
	switch {
	case !c.aligning() || va&uint64(n-1) == 0:
		return true
	case !c.canonical(va):
		c.raiseNonCanonical()
		return false
	}
	return c.raise(uop.VectorAC, 0)
}

// slowLoad is a load that the TLB does not serve: a miss, MMIO, or two pages.
func (c *CPU) slowLoad(va uint64, n int) (uint64, bool) {
	if !c.natural(va, n) {
		return 0, false
	}
	if first := mem.PageSize - va&pageMask; first < uint64(n) {
		var b [8]byte
		ok := c.readBytes(va, b[:n])
		return binary.LittleEndian.Uint64(b[:]), ok
	}
	p, ok := c.reach(va, Read)
	if !ok {
		return 0, false
	}
	c.use(Read, va, p, n)
	if p.page == nil {
		c.stopBehind() // a device may have something to say
		c.busUses++
		return c.readBus(p.gpa|va&pageMask, n), true
	}
	h := unsafe.Add(p.page, va&pageMask)
	switch n {
	case 1:
		return uint64(*(*uint8)(h)), true
	case 2:
		return uint64(*(*uint16)(h)), true
	case 4:
		return uint64(*(*uint32)(h)), true
	}
	return *(*uint64)(h), true
}

// slowStore is a store that the TLB does not serve: also one to a frame that is not backed, or that holds code.
func (c *CPU) slowStore(va uint64, n int, v uint64) bool {
	if !c.natural(va, n) {
		return false
	}
	if first := mem.PageSize - va&pageMask; first < uint64(n) {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], v)
		return c.writeBytes(va, b[:n])
	}
	p, ok := c.reach(va, Write)
	if !ok {
		return false
	}
	c.use(Write, va, p, n)
	if p.page == nil {
		c.writeBus(p.gpa|va&pageMask, n, v)
		c.stopBehind()
		return true
	}
	if !c.prepareStore(va, p, n, v<<(64-8*n) == 0) {
		return true
	}
	h := unsafe.Add(p.page, va&pageMask)
	switch n {
	case 1:
		*(*uint8)(h) = uint8(v)
	case 2:
		*(*uint16)(h) = uint16(v)
	case 4:
		*(*uint32)(h) = uint32(v)
	default:
		*(*uint64)(h) = v
	}
	return true
}

// zerosOverZeros says whether a store of n zeros is one that changes nothing: within a page without backing, where there
// are only zeros. Guests clear memory that they have just been given.
func (c *CPU) zerosOverZeros(va uint64, n int) bool {
	e := &c.tlb.cur[va>>mem.PageShift%tlbSize]
	if e.write != tag((va+uint64(n-1))&^pageMask).with(unbackedTag) {
		return false
	}
	p := unsafe.Add(e.page, va&pageMask)
	switch n { // the frame may have been backed since
	case 1:
		return *(*uint8)(p) == 0
	case 2:
		return *(*uint16)(p) == 0
	case 4:
		return *(*uint32)(p) == 0
	}
	return *(*uint64)(p) == 0
}

// prepareStore backs the frame and drops decoded code that the store changes. It returns false where nothing has to be
// stored: zeros, where nothing but zeros is.
func (c *CPU) prepareStore(va uint64, p place, n int, zero bool) bool {
	if !c.mem.Backed(p.frame) {
		if zero {
			return false
		}
		c.mem.Back(p.frame)
	}
	if c.mem.HasCode(p.frame) {
		c.mem.CodeWritten(p.frame, int(va&pageMask), n)
		return true
	}
	if e := &c.tlb.cur[va>>mem.PageShift%tlbSize]; e.write.page() == va&^pageMask && !c.watching(va&^pageMask, p.frame.GPA()) {
		e.write = e.write.without(allMarks)
	}
	return true
}

// readBytes reads up to a page's worth of bytes, which may lie in two pages, all or nothing.
func (c *CPU) readBytes(va uint64, b []byte) bool {
	first := min(uint64(len(b)), mem.PageSize-va&pageMask)
	if !c.bothCanonical(va, va+uint64(len(b))-1) {
		return false
	}
	p, ok := c.reach(va, Read)
	if !ok {
		return false
	}
	if first == uint64(len(b)) {
		c.readPlace(p, va, b)
		return true
	}
	q, ok := c.reach(va+first, Read)
	if !ok {
		return false
	}
	c.readPlace(p, va, b[:first])
	c.readPlace(q, va+first, b[first:])
	return true
}

// writeBytes writes up to a page's worth of bytes, which may lie in two pages; both are known to be writable before the
// first byte is stored.
func (c *CPU) writeBytes(va uint64, b []byte) bool {
	first := min(uint64(len(b)), mem.PageSize-va&pageMask)
	if !c.bothCanonical(va, va+uint64(len(b))-1) {
		return false
	}
	p, ok := c.reach(va, Write)
	if !ok {
		return false
	}
	if first == uint64(len(b)) {
		c.writePlace(p, va, b)
		return true
	}
	q, ok := c.reach(va+first, Write)
	if !ok {
		return false
	}
	c.writePlace(p, va, b[:first])
	c.writePlace(q, va+first, b[first:])
	return true
}

func (c *CPU) readPlace(p place, va uint64, b []byte) {
	c.use(Read, va, p, len(b))
	if p.page != nil {
		copy(b, unsafe.Slice((*byte)(unsafe.Add(p.page, va&pageMask)), len(b)))
		return
	}
	for i := range b {
		c.busUses++
		b[i] = byte(c.readBus(p.gpa|va&pageMask+uint64(i), 1))
	}
	c.stopBehind()
}

func (c *CPU) writePlace(p place, va uint64, b []byte) {
	c.use(Write, va, p, len(b))
	if p.page == nil {
		for i := range b {
			c.writeBus(p.gpa|va&pageMask+uint64(i), 1, uint64(b[i]))
		}
		c.stopBehind()
		return
	}
	if c.prepareStore(va, p, len(b), allZero(b)) {
		copy(unsafe.Slice((*byte)(unsafe.Add(p.page, va&pageMask)), len(b)), b)
	}
}

func allZero(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}

// claim makes sure that n bytes at va, at most a page's worth, can be stored: what comes next in the instruction cannot
// fault.
func (c *CPU) claim(va uint64, n int) bool {
	last := va + uint64(n) - 1
	if !c.bothCanonical(va, last) {
		return false
	}
	if _, ok := c.reach(va, Write); !ok {
		return false
	}
	if last&^pageMask != va&^pageMask {
		_, ok := c.reach(last&^pageMask, Write)
		return ok
	}
	return true
}

// bothCanonical raises what an access to two pages raises where one of them is in the hole between the halves: before
// any page fault.
func (c *CPU) bothCanonical(a, b uint64) bool {
	if c.canonical(a) && c.canonical(b) {
		return true
	}
	c.raiseNonCanonical()
	return false
}
