package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Delivery of interrupts and exceptions in protected mode without long mode, through gates of 16 and 32 bits (SDM vol. 3,
// 7.11 and 7.12; vol. 2, INT n). Virtual-8086 mode has the same gates, to privilege 0 alone, and pushes all segment
// registers (SDM vol. 3, 21.3.1).

const gate32 = 8 // in the types of gates: 32 bits

func (c *CPU) interruptProtected(e Exception) bool {
	ext := uint32(1)
	if e.soft {
		ext = 0
	}
	idtCode := uint32(e.Vector)<<3 | 2 | ext
	entry := uint64(e.Vector) * 8
	if entry+7 > uint64(c.idtr.limit) {
		return c.raise(uop.VectorGP, idtCode)
	}
	var d uint64
	if !c.implicit(func() (ok bool) {
		d, ok = c.load64(c.idtr.base + entry)
		return ok
	}) {
		return false
	}
	kind := d >> 40 & descriptorTypes
	switch {
	case kind != typeTaskGate && kind|gate32 != gateInterrupt && kind|gate32 != gateTrap,
		e.soft && d>>45&3 < uint64(c.cpl):
		return c.raise(uop.VectorGP, idtCode)
	case d>>47&1 == 0:
		return c.raise(uop.VectorNP, idtCode)
	case kind == typeTaskGate:
		return c.taskSwitch("an interrupt through a task gate")
	}
	g := gate{selector: uint16(d >> 16), offset: d & 0xFFFF, size: 2}
	if kind&gate32 != 0 {
		g.offset, g.size = g.offset|d>>32&0xFFFF_0000, 4
	}
	code, ok := c.interruptCode(g.selector, ext)
	if !ok {
		return false
	}
	dpl := uint8(code.Attr >> 5 & 3)
	if code.Attr&segConforming != 0 {
		dpl = c.cpl
	}
	virtual := c.virtual8086()
	if virtual && dpl != 0 { // conforming code among it, which would run at privilege 3
		return c.raise(uop.VectorGP, uint32(g.selector)&^3|ext)
	}
	ss, sp := c.seg[uop.SegSS], c.R[uop.RSP]&low
	var words []uint64
	if virtual {
		for _, n := range [...]int{uop.SegGS, uop.SegFS, uop.SegDS, uop.SegES} {
			words = append(words, uint64(c.seg[n].Selector))
		}
	}
	if dpl < c.cpl {
		if ss, sp, ok = c.innerStack(dpl, ext); !ok {
			return false
		}
		words = append(words, uint64(c.seg[uop.SegSS].Selector), c.R[uop.RSP]&low)
	}
	words = append(words, c.frameFlags(e), uint64(c.seg[uop.SegCS].Selector), c.ip())
	if e.HasCode {
		words = append(words, uint64(e.Code))
	}
	to, fits := c.startOf(&code, g.offset)
	if !fits {
		return c.raise(uop.VectorGP, ext)
	}
	if !c.pushInner(&ss, sp, g.size, words, dpl, ext) {
		return false
	}
	code.Selector = g.selector&^3 | uint16(dpl)
	if virtual {
		c.leave8086()
	}
	c.seg[uop.SegSS] = ss
	c.cpl = dpl
	rest := c.rest &^ (FlagTF | FlagNT)
	if kind|gate32 == gateInterrupt {
		rest &^= FlagIF
	}
	c.entered(code, to)
	c.setSP(sp - uint64(len(words))*g.size)
	c.setRest(rest)
	return true
}

// entered begins a handler at a linear address.
func (c *CPU) entered(code Segment, rip uint64) {
	c.setCode(code)
	c.SetRIP(rip)
	c.halted, c.shadow, c.repeating, c.resuming = false, nowhere, nowhere, nowhere
	c.nesting.depth++
}
