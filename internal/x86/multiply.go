package x86

import (
	"math/bits"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Multiplication and division.

func multiply16(c *CPU, u *uop.Uop) bool {
	b := int64(int16(c.R[u.Dst%uop.Slots]))
	if u.Aux != 0 {
		b = u.Imm
	}
	r := int64(int16(c.R[u.Src%uop.Slots])) * int64(int16(b))
	c.flags.product(int64(int16(r)), r != int64(int16(r)))
	put(c, u.Dst, uint16(r))
	return true
}

// multiplyWide is MUL (Dst 0) and IMUL (Dst 1) with the accumulator.
func multiplyWide(c *CPU, u *uop.Uop) bool {
	a, b, sign := c.R[uop.RAX], c.R[u.Src%uop.Slots], u.Dst == 1
	switch u.Aux {
	case 1:
		r := uint16(uint8(a)) * uint16(uint8(b))
		wide := r>>8 != 0
		if sign {
			r = uint16(int16(int8(a)) * int16(int8(b)))
			wide = int16(r) != int16(int8(r))
		}
		c.flags.product(int64(int8(r)), wide)
		put(c, uop.RAX, r)
	case 2:
		r := uint32(uint16(a)) * uint32(uint16(b))
		wide := r>>16 != 0
		if sign {
			r = uint32(int32(int16(a)) * int32(int16(b)))
			wide = int32(r) != int32(int16(r))
		}
		c.flags.product(int64(int16(r)), wide)
		put(c, uop.RAX, uint16(r))
		put(c, uop.RDX, uint16(r>>16))
	case 4:
		r := uint64(uint32(a)) * uint64(uint32(b))
		wide := r>>32 != 0
		if sign {
			r = uint64(int64(int32(a)) * int64(int32(b)))
			wide = int64(r) != int64(int32(r))
		}
		c.flags.product(int64(int32(r)), wide)
		c.R[uop.RAX], c.R[uop.RDX] = uint64(uint32(r)), r>>32
	default: // MUL of 64 bits is in the switch
		hi, lo := bits.Mul64(a, b)
		hi -= uint64(int64(a)>>63)&b + uint64(int64(b)>>63)&a
		c.flags.product(int64(lo), int64(hi) != int64(lo)>>63)
		c.R[uop.RAX], c.R[uop.RDX] = lo, hi
	}
	return true
}

// product sets the flags of a multiplication: CF and OF say whether the upper half is needed. The others are undefined;
// they are given as silicon gives them, SF from the lower half, so that records agree with it.
func (f *lazyFlags) product(lo int64, wide bool) {
	f.res, f.aux = lo, 0
	f.setCarryOverflow(wide, wide)
}

func (f *lazyFlags) imul64(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	hi -= uint64(int64(a)>>63)&b + uint64(int64(b)>>63)&a // from unsigned to signed
	f.product(int64(lo), int64(hi) != int64(lo)>>63)
	return lo
}

func (f *lazyFlags) imul32(a, b uint64) uint64 {
	r := int64(int32(a)) * int64(int32(b))
	f.product(int64(int32(r)), r != int64(int32(r)))
	return uint64(uint32(r))
}

// divide is DIV (Dst 0) and IDIV (Dst 1). Its flags are undefined; they stay.
func divide(c *CPU, u *uop.Uop) bool {
	b, sign := c.R[u.Src%uop.Slots], u.Dst == 1
	switch u.Aux {
	case 1:
		a := uint64(uint16(c.R[uop.RAX]))
		q, r, ok := quotient(sign, a, b, 8)
		if !ok {
			return c.raiseNoCode(uop.VectorDE)
		}
		put(c, uop.RAX, uint16(uint8(q))|uint16(uint8(r))<<8)
	case 2:
		a := uint64(uint16(c.R[uop.RAX])) | uint64(uint16(c.R[uop.RDX]))<<16
		q, r, ok := quotient(sign, a, b, 16)
		if !ok {
			return c.raiseNoCode(uop.VectorDE)
		}
		put(c, uop.RAX, uint16(q))
		put(c, uop.RDX, uint16(r))
	case 4:
		a := uint64(uint32(c.R[uop.RAX])) | c.R[uop.RDX]<<32
		q, r, ok := quotient(sign, a, b, 32)
		if !ok {
			return c.raiseNoCode(uop.VectorDE)
		}
		c.R[uop.RAX], c.R[uop.RDX] = uint64(uint32(q)), uint64(uint32(r))
	default:
		q, r, ok := quotient128(sign, c.R[uop.RDX], c.R[uop.RAX], b)
		if !ok {
			return c.raiseNoCode(uop.VectorDE)
		}
		c.R[uop.RAX], c.R[uop.RDX] = q, r
	}
	return true
}

// quotient divides a dividend of 2w bits by a divisor of w bits; ok is false where the quotient does not fit, or the
// divisor is 0.
func quotient(sign bool, a, b uint64, w uint) (q, r uint64, ok bool) {
	s := 64 - w
	if !sign {
		if b = b << s >> s; b == 0 {
			return 0, 0, false
		}
		q, r = a/b, a%b
		return q, r, q>>w == 0
	}
	d := int64(b<<s) >> s
	n := int64(a<<(64-2*w)) >> (64 - 2*w)
	if d == 0 || w == 32 && d == -1 && n == -1<<63 {
		return 0, 0, false
	}
	sq := n / d
	return uint64(sq), uint64(n % d), sq == sq<<s>>s
}

func quotient128(sign bool, hi, lo, b uint64) (q, r uint64, ok bool) {
	if b == 0 {
		return 0, 0, false
	}
	if !sign {
		if hi >= b {
			return 0, 0, false
		}
		q, r = bits.Div64(hi, lo, b)
		return q, r, true
	}
	negative, negativeB := int64(hi) < 0, int64(b) < 0
	if negative {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	if negativeB {
		b = -b
	}
	if hi >= b {
		return 0, 0, false
	}
	q, r = bits.Div64(hi, lo, b)
	if negative {
		r = -r
	}
	if negative != negativeB {
		return -q, r, q <= 1<<63
	}
	return q, r, q < 1<<63
}
