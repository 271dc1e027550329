package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// intercept gives an instruction to the platform: Aux is its kind, and in bits 31:8 the operation that does it
// natively.
func intercept(c *CPU, u *uop.Uop) bool {
	in := Instruction{Kind: uop.InstructionKind(u.Aux), Length: int(u.Len)}
	switch in.Kind {
	case uop.InsnIO:
		in.Size = int(u.Dst)
		in.In = u.Scale&uop.IOIn != 0
		in.Imm = u.Scale&uop.IOImm != 0
		in.String = u.Scale&uop.IOString != 0
		in.Rep = u.Scale&uop.IORep != 0
		in.Port = uint16(u.Imm)
		if !in.Imm {
			in.Port = uint16(c.R[uop.RDX])
		}
		if !c.mayUsePorts(in.Port, in.Size) {
			return false
		}
		if in.String {
			c.setNext(c.nextRIP())
		}
	case uop.InsnDR:
		in.Register = int(u.Imm)
		in.Write = uop.Op(u.Aux>>8) == uop.MovToDR
		in.GPR = int(u.Dst)
		if in.Write {
			in.GPR = int(u.Src)
		}
	}
	switch c.platform.Intercept(c, &in) {
	case Native:
		return handlers[u.Aux>>8](c, u)
	case Done:
		return true
	}
	return false
}

// mayUsePorts looks whether IOPL or the I/O permission bitmap of the TSS allows access to size ports (SDM vol. 1,
// 19.5.2), and raises #GP where neither does; an 8086 program's IOPL does not count. The bitmap is read two bytes at a time, which is why it ends with a byte
// of ones.
func (c *CPU) mayUsePorts(port uint16, size int) bool {
	if c.mayInterrupt() && !c.virtual8086() {
		return true
	}
	base, ok := c.portMap()
	if !ok {
		return false
	}
	offset := base + uint64(port/8)
	if offset+1 > uint64(c.tr.Limit) {
		return c.raise(uop.VectorGP, 0)
	}
	bits, ok := c.taskWord(offset)
	if !ok {
		return false
	}
	if bits>>(port%8)&(1<<size-1) != 0 {
		return c.raise(uop.VectorGP, 0)
	}
	return true
}

// portMap returns where the I/O permission bitmap begins in the TSS, and raises #GP where there is none.
func (c *CPU) portMap() (base uint64, ok bool) {
	const mapBase = 0x66 // in a TSS of 32 and of 64 bits (SDM vol. 3, figures 8-2 and 8-11)
	if c.tr.Limit < mapBase+1 || c.tr.Attr&descriptorTypes != typeTSSBusy {
		return 0, c.raise(uop.VectorGP, 0)
	}
	v, ok := c.taskWord(mapBase)
	return uint64(v), ok
}

// taskWord reads two bytes of the TSS.
func (c *CPU) taskWord(offset uint64) (v uint16, ok bool) {
	ok = c.implicit(func() (ok bool) {
		v, ok = c.load16(c.tr.Base + offset)
		return ok
	})
	return v, ok
}

var ioHandlers = map[uop.Op]handler{uop.IO: portIO}

// portIO is IN, OUT, INS and OUTS to the bus. Of a repeated one, each element is an instruction in the count of
// instructions.
func portIO(c *CPU, u *uop.Uop) bool {
	port := uint16(u.Imm)
	if u.Scale&uop.IOImm == 0 {
		port = uint16(c.R[uop.RDX])
	}
	if !c.mayUsePorts(port, int(u.Dst)) {
		return false
	}
	c.portBreaks(port, int(u.Dst))
	if u.Scale&uop.IOString != 0 {
		return c.stringIO(u)
	}
	if u.Scale&uop.IOIn != 0 {
		c.putSize(uop.RAX, uint32(u.Dst), uint64(c.bus.In(port, int(u.Dst))))
	} else {
		c.bus.Out(port, int(u.Dst), uint32(c.R[uop.RAX]))
	}
	c.stopBehind()
	return true
}

func (c *CPU) stringIO(u *uop.Uop) bool {
	s := stringState{c: c, n: uint64(u.Dst), step: uint64(u.Dst), mask: ^uint64(0), segBase: c.R[u.Seg%uop.Slots]}
	if c.rest&FlagDF != 0 {
		s.step = -s.step
	}
	switch {
	case u.Scale&uop.IOAddr32 != 0:
		s.mask = low
	case u.Scale&uop.IOAddr16 != 0:
		s.mask = 0xFFFF
	}
	s.legacy, s.seg = u.Scale&uop.IOLegacy != 0, int(u.Index)
	rep := u.Scale&uop.IORep != 0
	count := c.R[uop.RCX] & s.mask
	c.setNext(c.nextRIP())
	if rep && count == 0 {
		return true
	}
	port := uint16(c.R[uop.RDX])
	if u.Scale&uop.IOIn != 0 {
		va, ok := c.R[uop.RDI]&s.mask, true
		if s.legacy {
			va, ok = s.destination(true)
		}
		if !ok || !c.claim(va, int(s.n)) || !s.store(va, uint64(c.bus.In(port, int(s.n)))) {
			return false
		}
		s.advance(uop.RDI)
	} else {
		va, ok := c.R[uop.RSI]&s.mask+s.segBase, true
		if s.legacy {
			va, ok = c.linear(s.seg, c.R[uop.RSI]&s.mask, s.n, false)
		}
		if !ok {
			return false
		}
		v, ok := s.load(va)
		if !ok {
			return false
		}
		c.bus.Out(port, int(s.n), uint32(v))
		s.advance(uop.RSI)
	}
	c.stopBehind()
	if rep {
		c.putMasked(uop.RCX, s.mask, count-1)
		if count > 1 {
			c.setNext(c.RIP())
			c.repeating = c.Instructions() + 1
		}
	}
	return true
}

// A randomSource is what RDRAND and RDSEED give: a sequence from the seed (SplitMix64, Steele et al., OOPSLA 2014).
type randomSource struct {
	state uint64
	dry   bool // it gives nothing
}

func (r *randomSource) next() uint64 {
	r.state += 0x9E3779B97F4A7C15
	z := r.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

var msrHandlers = map[uop.Op]handler{uop.Rdmsr: readMSR, uop.Wrmsr: writeMSR}
