package oracle

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
)

// A dice draws values that lie where instructions go wrong: zero, one, all ones, sign edges, carries, NaNs, denormals,
// infinities, halves.
type dice struct{ *rand.Rand }

// newDice returns the dice of a case: equal seeds and numbers give equal draws, whatever was drawn for other cases.
func newDice(seed, number uint64) dice { return dice{rand.New(rand.NewPCG(seed, number))} }

// chance is true in percent of a hundred draws.
func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

// integer draws a value of some width in bits, zero-extended.
func (d dice) integer(bits int) uint64 {
	mask := ^uint64(0) >> (64 - bits)
	sign := uint64(1) << (bits - 1)
	switch d.IntN(14) {
	case 0:
		return 0
	case 1:
		return 1
	case 2:
		return mask
	case 3:
		return sign
	case 4:
		return sign - 1
	case 5:
		return d.Uint64N(256) & mask
	case 6:
		return -d.Uint64N(256) & mask
	case 7:
		return 1 << d.IntN(bits)
	case 8:
		return 1<<d.IntN(bits) - 1
	case 9:
		return d.Uint64N(256) * 0x0101_0101_0101_0101 & mask
	case 10:
		return (sign + uint64(d.IntN(5)) - 2) & mask
	default:
		return d.Uint64() & mask
	}
}

// general draws the contents of a general-purpose register.
func (d dice) general() uint64 {
	switch d.IntN(8) {
	case 0:
		return d.integer(8) | d.Uint64()<<8
	case 1:
		return d.integer(16) | d.Uint64()<<16
	case 2:
		return d.integer(32) | d.Uint64()<<32
	case 3:
		return d.integer(32)
	default:
		return d.integer(64)
	}
}

// double draws a 64-bit floating-point number.
func (d dice) double() uint64 {
	sign := d.Uint64() & (1 << 63)
	fraction := d.fraction(52)
	switch d.IntN(16) {
	case 0:
		return sign
	case 1:
		return sign | 0x7FF<<52
	case 2:
		return sign | 0x7FF<<52 | 1<<51 | fraction // quiet NaN
	case 3:
		return sign | 0x7FF<<52 | max(fraction&^(1<<51), 1) // signaling NaN
	case 4:
		return sign | fraction // denormal
	case 5:
		return sign | 1<<52 | fraction&3
	case 6:
		return sign | 0x7FE<<52 | (1<<52 - 1)
	case 7:
		return sign | math.Float64bits(float64(d.IntN(16)))
	case 8:
		return sign | math.Float64bits(float64(d.IntN(1000))+0.5)
	case 9:
		return sign | (1023+uint64(d.IntN(70)))<<52 | fraction // around the ranges of integers
	case 10:
		return sign | (1023-128+uint64(d.IntN(4))-2)<<52 | fraction // around the range of single precision
	case 11:
		return sign | (1023+127+uint64(d.IntN(4))-2)<<52 | fraction
	case 12:
		return sign | (1023-150+uint64(d.IntN(30)))<<52 | fraction // single-precision denormals
	case 13:
		return d.Uint64()
	default:
		return sign | (1023+uint64(d.IntN(9))-4)<<52 | fraction
	}
}

// single draws a 32-bit floating-point number.
func (d dice) single() uint32 {
	sign := d.Uint32() & (1 << 31)
	fraction := uint32(d.fraction(23))
	switch d.IntN(14) {
	case 0:
		return sign
	case 1:
		return sign | 0xFF<<23
	case 2:
		return sign | 0xFF<<23 | 1<<22 | fraction
	case 3:
		return sign | 0xFF<<23 | max(fraction&^(1<<22), 1)
	case 4:
		return sign | fraction
	case 5:
		return sign | 1<<23 | fraction&3
	case 6:
		return sign | 0xFE<<23 | (1<<23 - 1)
	case 7:
		return sign | math.Float32bits(float32(d.IntN(16)))
	case 8:
		return sign | math.Float32bits(float32(d.IntN(1000))+0.5)
	case 9:
		return sign | (127+uint32(d.IntN(70)))<<23 | fraction
	case 10:
		return d.Uint32()
	default:
		return sign | (127+uint32(d.IntN(9))-4)<<23 | fraction
	}
}

// fraction draws the fraction of a number: full, or with few bits, so that sums are exact or half way.
func (d dice) fraction(bits int) uint64 {
	mask := uint64(1)<<bits - 1
	switch d.IntN(4) {
	case 0:
		return 0
	case 1:
		return mask &^ (1<<d.IntN(bits) - 1)
	case 2:
		return 1 << d.IntN(bits)
	default:
		return d.Uint64() & mask
	}
}

// extended draws an 80-bit floating-point number, among them encodings that no instruction makes: pseudo-denormals,
// unnormals, pseudo-infinities.
func (d dice) extended() Float80 {
	sign := uint16(d.Uint32()) & 0x8000
	const integer = 1 << 63
	fraction := d.fraction(63)
	switch d.IntN(18) {
	case 0:
		return Float80{0, sign}
	case 1:
		return Float80{integer, sign | 0x7FFF}
	case 2:
		return Float80{integer | 1<<62 | fraction, sign | 0x7FFF}
	case 3:
		return Float80{integer | max(fraction&^(1<<62), 1), sign | 0x7FFF}
	case 4:
		return Float80{fraction, sign}
	case 5:
		return Float80{integer | fraction, sign}
	case 6:
		return Float80{fraction, sign | uint16(1+d.IntN(0x7FFF))}
	case 7:
		return Float80{integer | fraction, sign | 1}
	case 8:
		return Float80{^uint64(0), sign | 0x7FFE}
	case 9:
		n := uint64(1 + d.IntN(64))
		shift := uint16(0)
		for n&integer == 0 {
			n <<= 1
			shift++
		}
		return Float80{n, sign | (16383 + 63 - shift)}
	case 10:
		return Float80{integer | fraction, sign | uint16(16383+d.IntN(70))}
	case 11:
		return Float80{integer | fraction, sign | uint16(16383-1024+d.IntN(8)-4)}
	case 12:
		return Float80{integer | fraction, sign | uint16(16383-1074+d.IntN(60))}
	case 13:
		return Float80{integer | fraction, sign | uint16(16383+1023+d.IntN(4)-2)}
	case 14:
		return Float80{integer | fraction, sign | uint16(1+d.IntN(0x7FFE))}
	default:
		return Float80{integer | fraction, sign | uint16(16383+d.IntN(9)-4)}
	}
}

// A kind says what the bits of an operand mean.
type kind uint8

const (
	integers kind = iota
	singles
	doubles
	extendeds
	decimals // 18 packed decimal digits
)

// fill draws the contents of memory or of a wide register.
func (d dice) fill(b []byte, k kind) {
	le := binary.LittleEndian
	if d.chance(10) { // anything at all
		k = kind(d.IntN(3))
	}
	switch k {
	case extendeds:
		for ; len(b) >= 10; b = b[10:] {
			v := d.extended()
			le.PutUint64(b, v.Significand)
			le.PutUint16(b[8:], v.SignExp)
		}
		k = integers
	case decimals:
		for ; len(b) >= 10; b = b[10:] {
			for i := range 9 {
				b[i] = byte(d.IntN(10)<<4 | d.IntN(10))
			}
			b[9] = byte(d.IntN(2) << 7)
		}
		k = integers
	}
	lane := 8 << d.IntN(4)
	for ; len(b) >= 8; b = b[8:] {
		switch {
		case k == singles:
			le.PutUint32(b, d.single())
			le.PutUint32(b[4:], d.single())
		case k == doubles:
			le.PutUint64(b, d.double())
		default:
			for i := 0; i < 8; i += lane / 8 {
				v := d.integer(lane)
				for j := range lane / 8 {
					b[i+j] = byte(v >> (8 * j))
				}
			}
		}
	}
	for i := range b {
		b[i] = byte(d.integer(8))
	}
}

// xmm draws the contents of an XMM register.
func (d dice) xmm(k kind) [2]uint64 {
	var b [16]byte
	d.fill(b[:], k)
	return [2]uint64{binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])}
}

// x87 draws a state of the floating-point unit. Exceptions are mostly masked; one that is not and is flagged is
// pending.
func (d dice) x87() X87 {
	x := X87{FCW: 0x37F, FTW: uint8(d.Uint32())}
	if d.chance(50) {
		x.FTW = 0xFF
	}
	precision := [...]uint16{0, 2, 3, 3}
	x.FCW = 0x7F | precision[d.IntN(4)]<<8 | uint16(d.IntN(4))<<10
	if d.chance(12) {
		x.FCW &^= uint16(d.IntN(64))
	}
	x.FSW = uint16(d.IntN(8)) << 11 // TOP
	if d.chance(30) {
		x.FSW |= uint16(d.Uint32()) & 0x477F
	}
	if x.FSW&^x.FCW&0x3F != 0 {
		if d.chance(80) {
			x.FSW &^= 0x3F
		} else {
			x.FSW |= 0x8080
		}
	}
	for i := range x.ST {
		x.ST[i] = d.extended()
	}
	return x
}

// mxcsr draws MXCSR (SDM vol. 1, 10.2.3). Exceptions are mostly masked.
func (d dice) mxcsr() uint32 {
	v := uint32(0x1F80)
	if d.chance(15) {
		v &^= uint32(d.IntN(64)) << 7
	}
	if d.chance(40) {
		v |= uint32(d.IntN(4)) << 13 // rounding
	}
	if d.chance(20) {
		v |= 1 << 6 // denormals are zeros
	}
	if d.chance(20) {
		v |= 1 << 15 // flush to zero
	}
	if d.chance(30) {
		v |= uint32(d.IntN(64))
	}
	return v
}
