package x86

import (
	"math/bits"

	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Floating-point arithmetic: scalar in the lowest lane, packed in all.
var floatArithHandlers = map[uop.Op]handler{
	uop.ADDPS: packed32(softfloat.OpAdd), uop.ADDPD: packed64(softfloat.OpAdd), uop.ADDSS: scalar32(softfloat.OpAdd), uop.ADDSD: scalar64(softfloat.OpAdd),
	uop.SUBPS: packed32(softfloat.OpSub), uop.SUBPD: packed64(softfloat.OpSub), uop.SUBSS: scalar32(softfloat.OpSub), uop.SUBSD: scalar64(softfloat.OpSub),
	uop.MULPS: packed32(softfloat.OpMul), uop.MULPD: packed64(softfloat.OpMul), uop.MULSS: scalar32(softfloat.OpMul), uop.MULSD: scalar64(softfloat.OpMul),
	uop.DIVPS: packed32(softfloat.OpDiv), uop.DIVPD: packed64(softfloat.OpDiv), uop.DIVSS: scalar32(softfloat.OpDiv), uop.DIVSD: scalar64(softfloat.OpDiv),
	uop.MINPS: packed32(softfloat.OpMin), uop.MINPD: packed64(softfloat.OpMin), uop.MINSS: scalar32(softfloat.OpMin), uop.MINSD: scalar64(softfloat.OpMin),
	uop.MAXPS: packed32(softfloat.OpMax), uop.MAXPD: packed64(softfloat.OpMax), uop.MAXSS: scalar32(softfloat.OpMax), uop.MAXSD: scalar64(softfloat.OpMax),
	uop.SQRTPS: packed32(softfloat.OpSqrt), uop.SQRTPD: packed64(softfloat.OpSqrt), uop.SQRTSS: scalar32(softfloat.OpSqrt), uop.SQRTSD: scalar64(softfloat.OpSqrt),

	uop.ADDSUBPS: func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		return c.lanes32(d, *d, *s, softfloat.OpSub, softfloat.OpAdd)
	},
	uop.ADDSUBPD: func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		return c.lanes64(d, *d, *s, softfloat.OpSub, softfloat.OpAdd)
	},
	uop.HADDPS: horizontal32(softfloat.OpAdd),
	uop.HADDPD: horizontal64(softfloat.OpAdd),
	uop.HSUBPS: horizontal32(softfloat.OpSub),
	uop.HSUBPD: horizontal64(softfloat.OpSub),
	uop.DPPS:   dpps,
	uop.DPPD:   dppd,
}

// hostFloat says that the host's arithmetic does what the guest's does: it rounds the same way, nothing can trap, and
// that results are inexact, the one thing that the host does not tell, is on record already.
func (c *CPU) hostFloat() bool {
	return c.mxcsr&(mxcsrRC|mxcsrMasks|softfloat.PE) == mxcsrMasks|softfloat.PE
}

func scalar32(op softfloat.Op) handler {
	return func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		if c.hostFloat() {
			if r, ok := softfloat.Host32(op, uint32(d[0]), uint32(s[0])); ok {
				d.setDword(0, r)
				return true
			}
		}
		e := c.sseEnv()
		r := e.Arith32(op, d.dword(0), s.dword(0))
		if !c.settle(&e) {
			return false
		}
		d.setDword(0, r)
		return true
	}
}

func scalar64(op softfloat.Op) handler {
	return func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		if c.hostFloat() {
			if r, ok := softfloat.Host64(op, d[0], s[0]); ok {
				d[0] = r
				return true
			}
		}
		e := c.sseEnv()
		r := e.Arith64(op, d[0], s[0])
		if !c.settle(&e) {
			return false
		}
		d[0] = r
		return true
	}
}

func packed32(op softfloat.Op) handler {
	return func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		return c.lanes32(d, *d, *s, op, op)
	}
}

func packed64(op softfloat.Op) handler {
	return func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		return c.lanes64(d, *d, *s, op, op)
	}
}

// lanes32 and lanes64 put the result of a and b into dst, with one operation for even lanes and one for odd lanes.
func (c *CPU) lanes32(dst *XMM, a, b XMM, even, odd softfloat.Op) bool {
	e := c.sseEnv()
	var r XMM
	for q := range r {
		r[q] = uint64(e.Arith32(even, uint32(a[q]), uint32(b[q]))) |
			uint64(e.Arith32(odd, uint32(a[q]>>32), uint32(b[q]>>32)))<<32
	}
	if !c.settle(&e) {
		return false
	}
	*dst = r
	return true
}

func (c *CPU) lanes64(dst *XMM, a, b XMM, even, odd softfloat.Op) bool {
	e := c.sseEnv()
	r := XMM{e.Arith64(even, a[0], b[0]), e.Arith64(odd, a[1], b[1])}
	if !c.settle(&e) {
		return false
	}
	*dst = r
	return true
}

// horizontal32 and horizontal64 operate on neighbours: those of the destination give the low half of the result.
func horizontal32(op softfloat.Op) handler {
	return func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		even, odd := unzip32(*d, *s)
		return c.lanes32(d, even, odd, op, op)
	}
}

func horizontal64(op softfloat.Op) handler {
	return func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		return c.lanes64(d, XMM{d[0], s[0]}, XMM{d[1], s[1]}, op, op)
	}
}

// unzip32 separates the even doublewords of a and b from the odd ones.
func unzip32(a, b XMM) (even, odd XMM) {
	return XMM{low32(a[0]) | a[1]<<32, low32(b[0]) | b[1]<<32},
		XMM{a[0]>>32 | a[1]>>32<<32, b[0]>>32 | b[1]>>32<<32}
}

// dpps multiplies the lanes that imm[7:4] names, adds the products in pairs and then the sums, and puts the result into
// the lanes that imm[3:0] names. The other products and lanes are zero. The manual leaves open which operand of an
// addition is the first, which decides between NaNs: silicon adds each lane's neighbour and the lane, then the lane and
// the one two places away.
func dpps(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	imm := uint8(u.Imm)
	a := blend(XMM{}, *d, spread(imm>>4&3, 32), spread(imm>>6, 32))
	b := blend(XMM{}, *s, spread(imm>>4&3, 32), spread(imm>>6, 32))
	var t XMM
	if !c.lanes32(&t, a, b, softfloat.OpMul, softfloat.OpMul) {
		return false
	}
	neighbours := XMM{bits.RotateLeft64(t[0], 32), bits.RotateLeft64(t[1], 32)}
	if !c.lanes32(&t, neighbours, t, softfloat.OpAdd, softfloat.OpAdd) || !c.lanes32(&t, t, XMM{t[1], t[0]}, softfloat.OpAdd, softfloat.OpAdd) {
		return false
	}
	*d = blend(XMM{}, t, spread(imm&3, 32), spread(imm>>2&3, 32))
	return true
}

func dppd(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	imm := uint8(u.Imm)
	a := blend(XMM{}, *d, spread(imm>>4&1, 64), spread(imm>>5&1, 64))
	b := blend(XMM{}, *s, spread(imm>>4&1, 64), spread(imm>>5&1, 64))
	var t XMM
	if !c.lanes64(&t, a, b, softfloat.OpMul, softfloat.OpMul) || !c.lanes64(&t, t, XMM{t[1], t[0]}, softfloat.OpAdd, softfloat.OpAdd) {
		return false
	}
	*d = blend(XMM{}, t, spread(imm&1, 64), spread(imm>>1&1, 64))
	return true
}
