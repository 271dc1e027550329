package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Gate types of a 64-bit IDT (SDM vol. 3, table 3-2).
const (
	gateInterrupt = 14
	gateTrap      = 15
)

// implicit runs f with supervisor privilege: the processor's own accesses to descriptor tables and to the new stack are
// not the program's, and SMAP applies to them whatever AC is (SDM vol. 3, 4.6.1).
func (c *CPU) implicit(f func() bool) bool {
	if c.cpl == 0 && c.rest&FlagAC == 0 {
		c.stackRef = false
		return f()
	}
	cpl, ac := c.cpl, c.rest&FlagAC
	c.cpl = 0
	c.rest &^= FlagAC
	c.stackRef = false
	c.selectTLB()
	ok := f()
	c.cpl = cpl
	c.rest |= ac
	c.selectTLB()
	return ok
}

// interrupt delivers e through its gate, in long mode of 64 bits (SDM vol. 3, 6.14). It returns false where delivery raised
// another exception or ended the run; nothing but memory below the new stack pointer has changed then.
func (c *CPU) interrupt(e Exception) bool {
	switch {
	case c.realMode():
		return c.interruptReal(e)
	case !c.longMode():
		return c.interruptProtected(e)
	}
	ext := uint32(1)
	if e.soft {
		ext = 0
	}
	idtCode := uint32(e.Vector)<<3 | 2 | ext
	offset := uint64(e.Vector) * 16
	if offset+15 > uint64(c.idtr.limit) {
		return c.raise(uop.VectorGP, idtCode)
	}
	var lo, hi uint64
	if !c.implicit(func() (ok bool) {
		if lo, ok = c.load64(c.idtr.base + offset); ok {
			hi, ok = c.load64(c.idtr.base + offset + 8)
		}
		return ok
	}) {
		return false
	}
	kind := lo >> 40 & 0x1F
	if kind != gateInterrupt && kind != gateTrap {
		return c.raise(uop.VectorGP, idtCode)
	}
	if e.soft && lo>>45&3 < uint64(c.cpl) {
		return c.raise(uop.VectorGP, idtCode)
	}
	if lo>>47&1 == 0 {
		return c.raise(uop.VectorNP, idtCode)
	}
	target := lo&0xFFFF | lo>>32&0xFFFF_0000 | hi<<32
	selector := uint16(lo >> 16)
	code, ok := c.interruptCode(selector, ext)
	if !ok {
		return false
	}
	dpl := uint8(code.Attr >> 5 & 3)
	if code.Attr&segConforming != 0 {
		dpl = c.cpl
	}
	if !c.canonical(target) {
		return c.raise(uop.VectorGP, ext)
	}

	var sp uint64
	switch ist := lo >> 32 & 7; {
	case ist != 0:
		if sp, ok = c.tssPointer(0x24+(ist-1)*8, ext); !ok {
			return false
		}
	case dpl < c.cpl:
		if sp, ok = c.tssPointer(4+uint64(dpl)*8, ext); !ok {
			return false
		}
	default:
		sp = c.R[uop.RSP]
	}
	sp &^= 15
	frame := [6]uint64{c.ip(), uint64(c.seg[uop.SegCS].Selector), c.frameFlags(e), c.R[uop.RSP], uint64(c.seg[uop.SegSS].Selector)}
	n := 5
	if e.HasCode {
		frame = [6]uint64{uint64(e.Code), frame[0], frame[1], frame[2], frame[3], frame[4]}
		n = 6
	}
	if !c.pushFrame(sp-uint64(n)*8, frame[:n], dpl, ext) {
		return false
	}
	if dpl != c.cpl {
		c.seg[uop.SegSS] = nullStack(dpl)
	}
	code.Selector = selector&^3 | uint16(dpl)
	c.cpl = dpl
	c.R[uop.RSP] = sp - uint64(n)*8
	rest := c.rest &^ (FlagTF | FlagNT)
	if kind == gateInterrupt {
		rest &^= FlagIF
	}
	c.setRest(rest)
	c.entered(code, target)
	return true
}

// frameFlags is RFLAGS as the delivery of e pushes it.
func (c *CPU) frameFlags(e Exception) uint64 {
	flags := c.Flags()
	if !e.trap && !e.breakpoint && e.Vector != uop.VectorDF || c.repeating == c.Instructions() || c.resuming == c.Instructions() {
		flags |= FlagRF // the instruction will be met again (SDM vol. 3, 17.3.1.1)
	}
	return flags
}

// pushFrame stores words at va with the privilege of the handler, from the last to the first as they are pushed: that
// decides which one faults.
func (c *CPU) pushFrame(va uint64, words []uint64, dpl uint8, ext uint32) bool {
	store := func() bool {
		for i := len(words) - 1; i >= 0; i-- {
			at := va + uint64(i)*8
			if !c.canonical(at) {
				return c.raise(uop.VectorSS, ext)
			}
			if !c.store64(at, words[i]) {
				return false
			}
		}
		return true
	}
	if dpl == 3 {
		return store()
	}
	return c.implicit(store)
}

// interruptCode reads and checks the descriptor of a gate's code segment.
func (c *CPU) interruptCode(selector uint16, ext uint32) (Segment, bool) {
	if selector&^3 == 0 {
		return Segment{}, c.raise(uop.VectorGP, ext)
	}
	s, ok := c.descriptor(selector, ext)
	if !ok {
		return s, false
	}
	code := uint32(selector)&^3 | ext
	dpl := uint8(s.Attr >> 5 & 3)
	switch {
	case s.Attr&(segS|segCode) != segS|segCode, dpl > c.cpl, c.longMode() && s.Attr&(segLong|segBig) != segLong:
		return s, c.raise(uop.VectorGP, code)
	case s.Attr&segPresent == 0:
		return s, c.raise(uop.VectorNP, code)
	}
	return s, true
}

// tssPointer reads a stack pointer from the task-state segment (SDM vol. 3, figure 8-11).
func (c *CPU) tssPointer(offset uint64, ext uint32) (sp uint64, ok bool) {
	if offset+7 > uint64(c.tr.Limit) {
		return 0, c.raise(uop.VectorTS, uint32(c.tr.Selector)&^3|ext)
	}
	ok = c.implicit(func() (ok bool) {
		sp, ok = c.load64(c.tr.Base + offset)
		return ok
	})
	if ok && !c.canonical(sp) {
		return 0, c.raise(uop.VectorSS, ext)
	}
	return sp, ok
}
