package x86

import (
	"github.com/tacit-vm/tacit/internal/x86/decode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Segmentation outside 64-bit mode: from an offset in a segment to a linear address, which has 32 bits.

// wide says whether the processor is in 64-bit mode.
func (c *CPU) wide() bool { return c.mode&decode.ModeLegacy == 0 }

// longMode says whether 64-bit or compatibility mode is active: IA32_EFER.LMA.
func (c *CPU) longMode() bool { return c.efer&EFERLMA != 0 }

// realMode says whether protection is off.
func (c *CPU) realMode() bool { return c.cr0&CR0PE == 0 }

// paragraphs says whether segment registers have no descriptors behind them, but 16 times their value for a base: in real and
// in virtual-8086 mode.
func (c *CPU) paragraphs() bool { return c.realMode() || c.virtual8086() }

const low = 1<<32 - 1

// allows says whether a segment may be accessed that way; in real mode each may (SDM vol. 3, 21.1.2).
func (s *Segment) allows(write bool) bool {
	switch {
	case s.Attr&segPresent == 0:
		return false // null
	case s.Attr&segCode == 0:
		return !write || s.Attr&segWritable != 0
	}
	return !write && s.Attr&segWritable != 0
}

// holds says whether n bytes at offset are within the segment's limit (SDM vol. 3, 6.3).
func (s *Segment) holds(offset, n uint64) bool {
	last := offset + n - 1
	if s.Attr&(segCode|segExpandDown) == segExpandDown {
		return offset > uint64(s.Limit) && last <= s.top()
	}
	return last <= uint64(s.Limit)
}

// top is the last offset of an expand-down segment, and what a stack pointer in a stack segment can hold.
func (s *Segment) top() uint64 {
	if s.Attr&segBig != 0 {
		return low
	}
	return 0xFFFF
}

// segment returns a segment register as an access sees it.
func (c *CPU) segment(n int) *Segment {
	s := &c.seg[n]
	switch n {
	case uop.SegFS:
		s.Base = c.R[uop.FSBase]
	case uop.SegGS:
		s.Base = c.R[uop.GSBase]
	}
	return s
}

// within says whether an access to n bytes at offset of s is in order.
func (c *CPU) within(s *Segment, offset, n uint64, write bool) bool {
	if c.realMode() {
		return offset+n-1 <= uint64(s.Limit)
	}
	return s.allows(write) && s.holds(offset, n)
}

// linear returns the linear address of n bytes at offset of a segment, or raises what the access raises.
func (c *CPU) linear(seg int, offset, n uint64, write bool) (uint64, bool) {
	s := c.segment(seg)
	if !c.within(s, offset, n, write) {
		c.stackRef = seg == uop.SegSS
		c.raiseNonCanonical()
		return 0, false
	}
	return (s.Base + offset) & low, true
}

// stackMask is how much of RSP is the stack pointer.
func (c *CPU) stackMask() uint64 {
	if c.wide() {
		return ^uint64(0)
	}
	return c.seg[uop.SegSS].top()
}

// setSP sets the stack pointer; with 16-bit stacks the rest of ESP stays.
func (c *CPU) setSP(sp uint64) { c.putSP(c.stackMask(), sp) }

func (c *CPU) putSP(mask, sp uint64) {
	if mask == 0xFFFF {
		put(c, uop.RSP, uint16(sp))
		return
	}
	c.R[uop.RSP] = sp & mask
}

// stackAddress returns the linear address of size bytes of the stack.
func (c *CPU) stackAddress(sp, size uint64, write bool) (uint64, bool) {
	c.stackRef = true
	if c.wide() {
		return sp, true
	}
	return c.linear(uop.SegSS, sp&c.stackMask(), size, write)
}

// codeBase is what RIP is counted from.
func (c *CPU) codeBase() uint64 {
	if c.wide() {
		return 0
	}
	return c.seg[uop.SegCS].Base
}

// offset returns an address of code as programs see it: RIP in 64-bit mode, else EIP.
func (c *CPU) offset(rip uint64) uint64 {
	if c.wide() {
		return rip
	}
	return (rip - c.seg[uop.SegCS].Base) & low
}

// ip and nextIP are RIP or EIP of the instruction under way and of the one after it.
func (c *CPU) ip() uint64     { return c.offset(c.RIP()) }
func (c *CPU) nextIP() uint64 { return c.offset(c.nextRIP()) }

// startOf returns the linear address of an offset in a code segment. fits says whether execution may go on there: that it is
// canonical, or within the limit.
func (c *CPU) startOf(code *Segment, ip uint64) (rip uint64, fits bool) {
	if c.longMode() && code.Attr&segLong != 0 {
		return ip, c.canonical(ip)
	}
	ip &= low
	return (code.Base + ip) & low, ip <= uint64(code.Limit)
}

// setCode loads CS with its hidden part. What follows is decoded as the segment says.
func (c *CPU) setCode(s Segment) {
	c.seg[uop.SegCS] = s
	if !c.wide() || !c.longMode() || s.Attr&segLong == 0 {
		c.mode = c.codeMode()
	}
}

// segmentMode is what segments say about how code is decoded.
func (c *CPU) segmentMode() decode.Mode {
	code := &c.seg[uop.SegCS]
	switch {
	case c.longMode() && code.Attr&segLong != 0:
		return 0
	case c.virtual8086(), c.realMode() && code.Attr&segBig == 0:
		return decode.Mode16 | decode.ModeReal
	case c.realMode():
		return decode.Mode32 | decode.ModeReal
	case code.Attr&segBig == 0:
		return decode.Mode16
	case code.Base != 0 || code.Limit != low:
		return decode.Mode32
	}
	for _, n := range [...]int{uop.SegDS, uop.SegES, uop.SegSS} {
		s := &c.seg[n]
		const rights = segPresent | segCode | segWritable | segExpandDown
		if s.Base != 0 || s.Limit != low || s.Attr&rights != segPresent|segWritable || n == uop.SegSS && s.Attr&segBig == 0 {
			return decode.Mode32
		}
	}
	return decode.Mode32 | decode.ModeFlat
}

var linearHandlers = map[uop.Op]handler{
	uop.Lea16: func(c *CPU, u *uop.Uop) bool {
		c.R[u.Dst%uop.Slots] = uint64(uint16(c.ea(u)))
		return true
	},
	uop.Linear: func(c *CPU, u *uop.Uop) bool {
		va, ok := c.linear(int(u.Aux&7), c.R[u.Src%uop.Slots], uint64(u.Aux>>8), u.Imm != 0)
		c.R[u.Dst%uop.Slots] = va
		return ok
	},
	uop.LinearAddress: func(c *CPU, u *uop.Uop) bool {
		c.R[u.Dst%uop.Slots] = (c.segment(int(u.Aux&7)).Base + c.R[u.Src%uop.Slots]) & low
		return true
	},
	uop.Fetch: func(c *CPU, u *uop.Uop) bool {
		return c.ip()+uint64(u.Len)-1 <= uint64(c.seg[uop.SegCS].Limit) || c.raise(uop.VectorGP, 0)
	},
	uop.Protected: func(c *CPU, _ *uop.Uop) bool { return c.raiseNoCode(uop.VectorUD) },
}

// operandOffset returns where the memory operand of u is in its segment; decoding leaves that in Tmp3 outside 64-bit mode.
func (c *CPU) operandOffset(u *uop.Uop) uint64 {
	if c.wide() {
		return c.ea(u)
	}
	return c.R[uop.Tmp3]
}
