package x86

import (
	"math/bits"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Moves between registers.
var xmmMoveHandlers = map[uop.Op]handler{
	uop.MovX:        movX,
	uop.MOVQ:        func(c *CPU, u *uop.Uop) bool { d, s := c.xmm(u); *d = XMM{s[0]}; return true },
	uop.MOVSSLow:    func(c *CPU, u *uop.Uop) bool { d, s := c.xmm(u); d.setDword(0, s.dword(0)); return true },
	uop.MOVSDLow:    func(c *CPU, u *uop.Uop) bool { d, s := c.xmm(u); d[0] = s[0]; return true },
	uop.MOVHLPS:     func(c *CPU, u *uop.Uop) bool { d, s := c.xmm(u); d[0] = s[1]; return true },
	uop.MOVLHPS:     func(c *CPU, u *uop.Uop) bool { d, s := c.xmm(u); d[1] = s[0]; return true },
	uop.MOVSLDUP:    whole(func(_, s XMM) XMM { return XMM{low32(s[0]) * pair32, low32(s[1]) * pair32} }),
	uop.MOVSHDUP:    whole(func(_, s XMM) XMM { return XMM{s[0] >> 32 * pair32, s[1] >> 32 * pair32} }),
	uop.MOVDDUP:     whole(func(_, s XMM) XMM { return XMM{s[0], s[0]} }),
	uop.MovXFromR32: func(c *CPU, u *uop.Uop) bool { c.X[u.Dst&uop.XMMMask] = XMM{low32(c.R[u.Src%uop.Slots])}; return true },
	uop.MovXFromR64: func(c *CPU, u *uop.Uop) bool { c.X[u.Dst&uop.XMMMask] = XMM{c.R[u.Src%uop.Slots]}; return true },

	uop.MovRFromX32: toGPR(func(s *XMM, _ int) uint64 { return low32(s[0]) }),
	uop.MovRFromX64: toGPR(func(s *XMM, _ int) uint64 { return s[0] }),
	uop.MOVMSKPS:    toGPR(func(s *XMM, _ int) uint64 { return s[0]>>31&1 | s[0]>>62&2 | s[1]>>29&4 | s[1]>>60&8 }),
	uop.MOVMSKPD:    toGPR(func(s *XMM, _ int) uint64 { return s[0]>>63 | s[1]>>62&2 }),
	uop.PMOVMSKB:    pmovmskb,
	uop.PEXTRB:      toGPR(func(s *XMM, i int) uint64 { return uint64(s.byte(i & 15)) }),
	uop.PEXTRW:      toGPR(func(s *XMM, i int) uint64 { return uint64(s.word(i & 7)) }),
	uop.PEXTRD:      toGPR(func(s *XMM, i int) uint64 { return uint64(s.dword(i & 3)) }),
	uop.PEXTRQ:      toGPR(func(s *XMM, i int) uint64 { return s[i&1] }),

	uop.PINSRB:   fromGPR(func(d *XMM, v uint64, i int) { d.setByte(i&15, uint8(v)) }),
	uop.PINSRW:   fromGPR(func(d *XMM, v uint64, i int) { d.setWord(i&7, uint16(v)) }),
	uop.PINSRD:   fromGPR(func(d *XMM, v uint64, i int) { d.setDword(i&3, uint32(v)) }),
	uop.PINSRQ:   fromGPR(func(d *XMM, v uint64, i int) { d[i&1] = v }),
	uop.INSERTPS: insertps,
}

// pair32, multiplied by a 32-bit value, has it in both halves.
const pair32 = 1<<32 | 1

func low32(v uint64) uint64 { return v & 0xFFFFFFFF }

// toGPR makes a handler for a general-purpose register Dst from an XMM register Src and Imm.
func toGPR(f func(s *XMM, imm int) uint64) handler {
	return func(c *CPU, u *uop.Uop) bool {
		c.R[u.Dst%uop.Slots] = f(&c.X[u.Src&uop.XMMMask], int(u.Imm))
		return true
	}
}

// fromGPR makes a handler for an XMM register Dst from a general-purpose register Src and Imm.
func fromGPR(f func(d *XMM, v uint64, imm int)) handler {
	return func(c *CPU, u *uop.Uop) bool {
		f(&c.X[u.Dst&uop.XMMMask], c.R[u.Src%uop.Slots], int(u.Imm))
		return true
	}
}

func movX(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	*d = *s
	return true
}

func pmovmskb(c *CPU, u *uop.Uop) bool {
	c.R[u.Dst%uop.Slots] = c.X[u.Src&uop.XMMMask].signBits()
	return true
}

// signBits returns the top bit of each byte.
func (x *XMM) signBits() uint64 { return byteSigns(x[0]) | byteSigns(x[1])<<8 }

// byteSigns gathers the top bits of eight bytes: the multiplication moves bit 8i+7 to bit 56+i, and no two products
// meet on the way.
func byteSigns(v uint64) uint64 { return v & signs8 >> 7 * 0x0102040810204080 >> 56 }

// insertps takes doubleword imm[7:6] of the source to doubleword imm[5:4] and clears those of imm[3:0]. Where the
// source was memory the decoder has cleared imm[7:6].
func insertps(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	d.setDword(int(u.Imm>>4&3), s.dword(int(u.Imm>>6&3)))
	for z := uint8(u.Imm & 15); z != 0; z &= z - 1 {
		d.setDword(bits.TrailingZeros8(z), 0)
	}
	return true
}
