package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Bits of Segment.Attr: bits 55:40 of a descriptor (SDM vol. 3, figure 3-8).
const (
	segAccessed   = 1 << 0
	segWritable   = 1 << 1 // readable for code
	segConforming = 1 << 2
	segExpandDown = 1 << 2 // for data
	segCode       = 1 << 3
	segS          = 1 << 4
	segPresent    = 1 << 7
	segLong       = 1 << 13
	segBig        = 1 << 14
	segGranular   = 1 << 15

	segData = segS | segWritable | segAccessed

	typeTSS16       = 1
	typeLDT         = 2
	typeCallGate16  = 4
	typeTaskGate    = 5
	typeTSSAvail    = 9
	typeTSSBusy     = 11
	typeCallGate    = 12
	descriptorTypes = 0x1F
)

// unpack turns a descriptor into a segment's hidden part.
func unpack(selector uint16, d uint64) Segment {
	s := Segment{
		Selector: selector,
		Attr:     uint16(d >> 40 & 0xF0FF),
		Limit:    uint32(d&0xFFFF | d>>32&0xF_0000),
		Base:     d>>16&0xFF_FFFF | d>>32&0xFF00_0000,
	}
	if s.Attr&segGranular != 0 {
		s.Limit = s.Limit<<12 | 0xFFF
	}
	return s
}

// descriptorAddress returns where a selector's descriptor of n bytes lies.
func (c *CPU) descriptorAddress(selector uint16, n uint64, ext uint32) (uint64, bool) {
	base, limit := c.gdtr.base, uint64(c.gdtr.limit)
	if selector&4 != 0 {
		base, limit = c.ldtr.Base, uint64(c.ldtr.Limit)
		if c.ldtr.Selector&^3 == 0 {
			return 0, c.raise(uop.VectorGP, uint32(selector)&^3|ext)
		}
	}
	if uint64(selector&^7)+n-1 > limit {
		return 0, c.raise(uop.VectorGP, uint32(selector)&^3|ext)
	}
	return base + uint64(selector&^7), true
}

// descriptor reads a segment descriptor.
func (c *CPU) descriptor(selector uint16, ext uint32) (Segment, bool) {
	va, ok := c.descriptorAddress(selector, 8, ext)
	if !ok {
		return Segment{}, false
	}
	var d uint64
	ok = c.implicit(func() (ok bool) {
		d, ok = c.load64(va)
		return ok
	})
	return unpack(selector, d), ok
}

// setAccessed sets the accessed bit of the descriptor that s was read from.
func (c *CPU) setAccessed(s *Segment) bool {
	if s.Attr&segAccessed != 0 {
		return true
	}
	va, ok := c.descriptorAddress(s.Selector, 8, 0)
	if !ok {
		return false
	}
	s.Attr |= segAccessed
	return c.implicit(func() bool { return c.store8(va+5, uint8(s.Attr)) })
}

// loadSegment is MOV to a segment register other than CS.
func (c *CPU) loadSegment(n int, selector uint16) bool {
	rpl := uint8(selector & 3)
	switch {
	case c.virtual8086():
		c.setSegment(n, segment8086(selector))
		return true
	case c.realMode():
		c.setSegment(n, realSegment(c.seg[n], selector))
		return true
	}
	if selector&^3 == 0 {
		if n == uop.SegSS && (!c.wide() || c.cpl == 3 || rpl != c.cpl) {
			return c.raise(uop.VectorGP, 0)
		}
		c.setSegment(n, Segment{Selector: selector})
		return true
	}
	s, ok := c.descriptor(selector, 0)
	if !ok {
		return false
	}
	code := uint32(selector) &^ 3
	dpl := uint8(s.Attr >> 5 & 3)
	isCode := s.Attr&segCode != 0
	if n == uop.SegSS {
		if rpl != c.cpl || dpl != c.cpl || s.Attr&segS == 0 || isCode || s.Attr&segWritable == 0 {
			return c.raise(uop.VectorGP, code)
		}
		if s.Attr&segPresent == 0 {
			return c.raise(uop.VectorSS, code)
		}
	} else {
		conforming := isCode && s.Attr&segConforming != 0
		if s.Attr&segS == 0 || isCode && s.Attr&segWritable == 0 || !conforming && (rpl > dpl || c.cpl > dpl) {
			return c.raise(uop.VectorGP, code)
		}
		if s.Attr&segPresent == 0 {
			return c.raise(uop.VectorNP, code)
		}
	}
	if !c.setAccessed(&s) {
		return false
	}
	c.setSegment(n, s)
	return true
}

// setSegment loads a segment register with its hidden part. Of the bases only those of FS and GS count in 64-bit mode,
// and they live in R.
func (c *CPU) setSegment(n int, s Segment) {
	c.seg[n] = s
	switch n {
	case uop.SegFS:
		c.R[uop.FSBase] = s.Base
	case uop.SegGS:
		c.R[uop.GSBase] = s.Base
	}
	if !c.wide() {
		c.mode = c.codeMode()
	}
}

// realSegment is what real mode makes of a segment register: the selector gives the base; limit and size stay what they
// were, so that a limit from protected mode stays in force (SDM vol. 3, 10.9.2).
func realSegment(s Segment, selector uint16) Segment {
	s.Selector, s.Base = selector, uint64(selector)<<4
	s.Attr = s.Attr&^0xFF | segPresent | segData
	return s
}

// loadSystem reads a system descriptor for LLDT and LTR, which has 16 bytes in long mode.
func (c *CPU) loadSystem(selector uint16) (s Segment, va uint64, ok bool) {
	if !c.longMode() {
		va, ok = c.descriptorAddress(selector, 8, 0)
		if ok {
			s, ok = c.descriptor(selector, 0)
		}
		return s, va, ok
	}
	va, ok = c.descriptorAddress(selector, 16, 0)
	if !ok {
		return s, va, false
	}
	var lo, hi uint64
	ok = c.implicit(func() (ok bool) {
		if lo, ok = c.load64(va); ok {
			hi, ok = c.load64(va + 8)
		}
		return ok
	})
	s = unpack(selector, lo)
	s.Base |= hi << 32
	if ok && (hi>>40&descriptorTypes != 0 || !c.CanonicalBase(s.Base)) {
		ok = c.raise(uop.VectorGP, uint32(selector)&^3)
	}
	return s, va, ok
}

// loadLDT is LLDT.
func (c *CPU) loadLDT(selector uint16) bool {
	if selector&^3 == 0 {
		c.ldtr = Segment{Selector: selector}
		return true
	}
	if selector&4 != 0 {
		return c.raise(uop.VectorGP, uint32(selector)&^3)
	}
	s, _, ok := c.loadSystem(selector)
	switch {
	case !ok:
		return false
	case s.Attr&descriptorTypes != typeLDT:
		return c.raise(uop.VectorGP, uint32(selector)&^3)
	case s.Attr&segPresent == 0:
		return c.raise(uop.VectorNP, uint32(selector)&^3)
	}
	c.ldtr = s
	return true
}

// loadTask is LTR.
func (c *CPU) loadTask(selector uint16) bool {
	if selector&^3 == 0 {
		return c.raise(uop.VectorGP, 0)
	}
	if selector&4 != 0 {
		return c.raise(uop.VectorGP, uint32(selector)&^3)
	}
	s, va, ok := c.loadSystem(selector)
	switch {
	case !ok:
		return false
	case s.Attr&descriptorTypes != typeTSSAvail && (c.longMode() || s.Attr&descriptorTypes != typeTSS16):
		return c.raise(uop.VectorGP, uint32(selector)&^3)
	case s.Attr&segPresent == 0:
		return c.raise(uop.VectorNP, uint32(selector)&^3)
	}
	s.Attr |= 2 // busy
	if !c.implicit(func() bool { return c.store8(va+5, uint8(s.Attr)) }) {
		return false
	}
	c.tr = s
	return true
}
