package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Far JMP and CALL to what is not a code segment: call gates of 16, 32 and 64 bits (SDM vol. 3, 6.8.3 to 6.8.5; vol. 2,
// CALL). What would switch tasks ends the run.

// A gate is a call gate, or an interrupt or trap gate.
type gate struct {
	selector uint16
	offset   uint64
	size     uint64 // of the words that are pushed: 2, 4 or 8 bytes
	params   uint64 // words that a call gate copies
}

// jumpSystem is jumpFar where selector names a system descriptor.
func (c *CPU) jumpSystem(selector uint16, s *Segment, push bool) bool {
	code := uint32(selector) &^ 3
	dpl := uint8(s.Attr >> 5 & 3)
	kind := s.Attr & 15
	legacy := !c.longMode()
	switch {
	case kind == typeCallGate, legacy && kind == typeCallGate16, legacy && (kind == typeTaskGate || kind&^8 == typeTSS16):
		if dpl < c.cpl || dpl < uint8(selector&3) {
			return c.raise(uop.VectorGP, code)
		}
	default:
		return c.raise(uop.VectorGP, code)
	}
	switch {
	case s.Attr&segPresent == 0:
		return c.raise(uop.VectorNP, code)
	case kind == typeTaskGate:
		return c.taskSwitch("through a task gate")
	case kind&^8 == typeTSS16:
		return c.taskSwitch("to a TSS")
	}
	g, ok := c.callGate(selector, kind)
	if !ok {
		return false
	}
	return c.throughGate(&g, push)
}

// callGate reads a call gate.
func (c *CPU) callGate(selector, kind uint16) (g gate, ok bool) {
	n := uint64(8)
	if c.longMode() {
		n = 16
	}
	va, ok := c.descriptorAddress(selector, n, 0)
	if !ok {
		return g, false
	}
	var lo, hi uint64
	if !c.implicit(func() (ok bool) {
		if lo, ok = c.load64(va); ok && n == 16 {
			hi, ok = c.load64(va + 8)
		}
		return ok
	}) {
		return g, false
	}
	g = gate{selector: uint16(lo >> 16), offset: lo&0xFFFF | lo>>32&0xFFFF_0000, size: 4, params: lo >> 32 & 31}
	switch {
	case n == 16 && hi>>40&descriptorTypes != 0:
		return g, c.raise(uop.VectorGP, uint32(selector)&^3)
	case n == 16:
		g.offset, g.size, g.params = g.offset|hi<<32, 8, 0
	case kind == typeCallGate16:
		g.offset, g.size = g.offset&0xFFFF, 2
	}
	return g, true
}

// throughGate goes through a call gate; push says that it is CALL.
func (c *CPU) throughGate(g *gate, push bool) bool {
	if g.selector&^3 == 0 {
		return c.raise(uop.VectorGP, 0)
	}
	s, ok := c.descriptor(g.selector, 0)
	if !ok {
		return false
	}
	code := uint32(g.selector) &^ 3
	dpl, conforming := uint8(s.Attr>>5&3), s.Attr&segConforming != 0
	switch {
	case s.Attr&(segS|segCode) != segS|segCode, dpl > c.cpl, !push && !conforming && dpl != c.cpl,
		c.longMode() && s.Attr&(segLong|segBig) != segLong:
		return c.raise(uop.VectorGP, code)
	case s.Attr&segPresent == 0:
		return c.raise(uop.VectorNP, code)
	}
	to, fits := c.startOf(&s, g.offset)
	if conforming || dpl == c.cpl {
		dpl = c.cpl
		if !fits {
			return c.raise(uop.VectorGP, 0)
		}
		s.Selector = g.selector&^3 | uint16(dpl)
		if !c.setAccessed(&s) || push && !c.pushReturn(g.size) {
			return false
		}
		c.setCode(s)
		c.setNext(to)
		return true
	}
	return c.callInner(g, s, to, fits, dpl)
}

// callInner is CALL through a gate to more privilege: with a stack of its own, to which parameters are copied.
func (c *CPU) callInner(g *gate, code Segment, to uint64, fits bool, dpl uint8) bool {
	ss, sp, ok := c.innerStack(dpl, 0)
	if !ok {
		return false
	}
	words := []uint64{uint64(c.seg[uop.SegSS].Selector), c.R[uop.RSP] & c.addresses()}
	for i := g.params; i > 0; i-- {
		v, ok := c.loadStack(c.R[uop.RSP]+(i-1)*g.size, g.size)
		if !ok {
			return false
		}
		words = append(words, v)
	}
	words = append(words, uint64(c.seg[uop.SegCS].Selector), c.nextIP())
	if !fits {
		return c.raise(uop.VectorGP, 0)
	}
	code.Selector = g.selector&^3 | uint16(dpl)
	if !c.setAccessed(&code) || !c.pushInner(&ss, sp, g.size, words, dpl, 0) {
		return false
	}
	c.seg[uop.SegSS] = ss
	c.cpl = dpl
	c.setCode(code)
	c.setSP(sp - uint64(len(words))*g.size)
	c.setNext(to)
	c.selectTLB()
	return true
}
