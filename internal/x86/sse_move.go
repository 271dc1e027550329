package x86

import "math/bits"

// Moves between registers.
var xmmMoveHandlers = map[Op]handler{
	opMovX:        movX,
	opMOVQ:        func(c *CPU, u *Uop) bool { d, s := c.xmm(u); *d = XMM{s[0]}; return true },
	opMOVSSLow:    func(c *CPU, u *Uop) bool { d, s := c.xmm(u); d.setDword(0, s.dword(0)); return true },
	opMOVSDLow:    func(c *CPU, u *Uop) bool { d, s := c.xmm(u); d[0] = s[0]; return true },
	opMOVHLPS:     func(c *CPU, u *Uop) bool { d, s := c.xmm(u); d[0] = s[1]; return true },
	opMOVLHPS:     func(c *CPU, u *Uop) bool { d, s := c.xmm(u); d[1] = s[0]; return true },
	opMOVSLDUP:    whole(func(_, s XMM) XMM { return XMM{low32(s[0]) * pair32, low32(s[1]) * pair32} }),
	opMOVSHDUP:    whole(func(_, s XMM) XMM { return XMM{s[0] >> 32 * pair32, s[1] >> 32 * pair32} }),
	opMOVDDUP:     whole(func(_, s XMM) XMM { return XMM{s[0], s[0]} }),
	opMovXFromR32: func(c *CPU, u *Uop) bool { c.X[u.Dst&xmmMask] = XMM{low32(c.R[u.Src%slots])}; return true },
	opMovXFromR64: func(c *CPU, u *Uop) bool { c.X[u.Dst&xmmMask] = XMM{c.R[u.Src%slots]}; return true },

	opMovRFromX32: toGPR(func(s *XMM, _ int) uint64 { return low32(s[0]) }),
	opMovRFromX64: toGPR(func(s *XMM, _ int) uint64 { return s[0] }),
	opMOVMSKPS:    toGPR(func(s *XMM, _ int) uint64 { return s[0]>>31&1 | s[0]>>62&2 | s[1]>>29&4 | s[1]>>60&8 }),
	opMOVMSKPD:    toGPR(func(s *XMM, _ int) uint64 { return s[0]>>63 | s[1]>>62&2 }),
	opPMOVMSKB:    pmovmskb,
	opPEXTRB:      toGPR(func(s *XMM, i int) uint64 { return uint64(s.byte(i & 15)) }),
	opPEXTRW:      toGPR(func(s *XMM, i int) uint64 { return uint64(s.word(i & 7)) }),
	opPEXTRD:      toGPR(func(s *XMM, i int) uint64 { return uint64(s.dword(i & 3)) }),
	opPEXTRQ:      toGPR(func(s *XMM, i int) uint64 { return s[i&1] }),

	opPINSRB:   fromGPR(func(d *XMM, v uint64, i int) { d.setByte(i&15, uint8(v)) }),
	opPINSRW:   fromGPR(func(d *XMM, v uint64, i int) { d.setWord(i&7, uint16(v)) }),
	opPINSRD:   fromGPR(func(d *XMM, v uint64, i int) { d.setDword(i&3, uint32(v)) }),
	opPINSRQ:   fromGPR(func(d *XMM, v uint64, i int) { d[i&1] = v }),
	opINSERTPS: insertps,
}

// pair32, multiplied by a 32-bit value, has it in both halves.
const pair32 = 1<<32 | 1

func low32(v uint64) uint64 { return v & 0xFFFFFFFF }

// toGPR makes a handler for a general-purpose register Dst from an XMM register Src and Imm.
func toGPR(f func(s *XMM, imm int) uint64) handler {
	return func(c *CPU, u *Uop) bool {
		c.R[u.Dst%slots] = f(&c.X[u.Src&xmmMask], int(u.Imm))
		return true
	}
}

// fromGPR makes a handler for an XMM register Dst from a general-purpose register Src and Imm.
func fromGPR(f func(d *XMM, v uint64, imm int)) handler {
	return func(c *CPU, u *Uop) bool {
		f(&c.X[u.Dst&xmmMask], c.R[u.Src%slots], int(u.Imm))
		return true
	}
}

func movX(c *CPU, u *Uop) bool {
	d, s := c.xmm(u)
	*d = *s
	return true
}

func pmovmskb(c *CPU, u *Uop) bool {
	c.R[u.Dst%slots] = c.X[u.Src&xmmMask].signBits()
	return true
}

// signBits returns the top bit of each byte.
func (x *XMM) signBits() uint64 { return byteSigns(x[0]) | byteSigns(x[1])<<8 }

// byteSigns gathers the top bits of eight bytes: the multiplication moves bit 8i+7 to bit 56+i, and no two products
// meet on the way.
func byteSigns(v uint64) uint64 { return v & signs8 >> 7 * 0x0102040810204080 >> 56 }

// insertps takes doubleword imm[7:6] of the source to doubleword imm[5:4] and clears those of imm[3:0]. Where the
// source was memory the decoder has cleared imm[7:6].
func insertps(c *CPU, u *Uop) bool {
	d, s := c.xmm(u)
	d.setDword(int(u.Imm>>4&3), s.dword(int(u.Imm>>6&3)))
	for z := uint8(u.Imm & 15); z != 0; z &= z - 1 {
		d.setDword(bits.TrailingZeros8(z), 0)
	}
	return true
}
