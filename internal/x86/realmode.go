package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Real mode: far transfers without descriptors, and interrupts through the vector table (SDM vol. 3, chapter 21).

// realCode returns CS for a selector, or raises #GP where ip is beyond its limit.
func (c *CPU) realCode(selector uint16, ip uint64) (code Segment, rip uint64, ok bool) {
	code = c.seg[uop.SegCS]
	code.Selector, code.Base = selector, uint64(selector)<<4
	rip, fits := c.startOf(&code, ip)
	if !fits {
		return code, rip, c.raise(uop.VectorGP, 0)
	}
	return code, rip, true
}

func (c *CPU) realJump(selector uint16, ip, size uint64, push bool) bool {
	code, rip, ok := c.realCode(selector, ip)
	if !ok || push && !c.pushReturn(size) {
		return false
	}
	c.setCode(code)
	c.setNext(rip)
	return true
}

func (c *CPU) realRET(size, extra uint64) bool {
	sp := c.R[uop.RSP]
	ip, ok := c.loadStack(sp, size)
	if !ok {
		return false
	}
	cs, ok := c.loadStack(sp+size, size)
	if !ok {
		return false
	}
	code, rip, ok := c.realCode(uint16(cs), ip)
	if !ok {
		return false
	}
	c.setCode(code)
	c.setSP(sp + 2*size + extra)
	c.setNext(rip)
	return true
}

func (c *CPU) realIRET(size uint64) bool {
	flags, ok := c.loadStack(c.R[uop.RSP]+2*size, size)
	if !ok || !c.realRET(size, size) {
		return false
	}
	mask := uint64(FlagTF | FlagIF | FlagDF | iopl | FlagNT)
	if size == 4 {
		mask |= FlagAC | FlagID
	}
	c.flags.set(flags)
	c.setRest(c.rest&^mask | flags&mask)
	c.resume(flags, size)
	c.nesting.leave()
	c.stopBehind()
	return true
}

// interruptReal delivers e through the vector table: four bytes a vector, no error code.
func (c *CPU) interruptReal(e Exception) bool {
	entry := uint64(e.Vector) * 4
	if entry+3 > uint64(c.idtr.limit) {
		return c.raise(uop.VectorGP, uint32(e.Vector)<<3|2) // the code is for whoever reads of a triple fault; real mode pushes none
	}
	v, ok := c.load32((c.idtr.base + entry) & low)
	if !ok {
		return false
	}
	code, rip, ok := c.realCode(uint16(v>>16), uint64(uint16(v)))
	if !ok {
		return false
	}
	sp := c.R[uop.RSP]
	for i, w := range [...]uint64{c.Flags(), uint64(c.seg[uop.SegCS].Selector), c.ip()} {
		if !c.storeStack(sp-uint64(i+1)*2, 2, w) {
			return false
		}
	}
	c.setSP(sp - 6)
	c.setRest(c.rest &^ (FlagTF | FlagIF | FlagAC))
	c.entered(code, rip)
	return true
}
