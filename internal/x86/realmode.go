package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Real mode: far transfers without descriptors, and interrupts through the vector table (SDM vol. 3, chapter 21). The former are
// those of virtual-8086 mode, too.

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
	if !c.mayUseFlags(size) {
		return false
	}
	flags, ok := c.loadStack(c.R[uop.RSP]+2*size, size)
	if !ok {
		return false
	}
	rest, ok := c.flagsFrom(flags, size)
	if !ok || !c.realRET(size, size) {
		return false
	}
	c.flags.set(flags)
	c.setRest(rest)
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
	code, rip, ok := c.throughVector((c.idtr.base+entry)&low, c.Flags(), c.ip())
	if !ok {
		return false
	}
	c.setRest(c.rest &^ (FlagTF | FlagIF | FlagAC))
	c.entered(code, rip)
	return true
}

// throughVector reads where the vector at a linear address leads to, and pushes flags, CS and IP. The program does not need the
// right to read there.
func (c *CPU) throughVector(va, flags, ip uint64) (code Segment, rip uint64, ok bool) {
	var v uint32
	if !c.implicit(func() (ok bool) {
		v, ok = c.load32(va)
		return ok
	}) {
		return code, 0, false
	}
	if code, rip, ok = c.realCode(uint16(v>>16), uint64(uint16(v))); !ok {
		return code, 0, false
	}
	sp := c.R[uop.RSP]
	for i, w := range [...]uint64{flags, uint64(c.seg[uop.SegCS].Selector), ip} {
		if !c.storeStack(sp-uint64(i+1)*2, 2, w) {
			return code, 0, false
		}
	}
	c.setSP(sp - 6)
	return code, rip, true
}
