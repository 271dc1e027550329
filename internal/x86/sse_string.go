package x86

import (
	"math/bits"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// The string comparisons of SSE4.2 (SDM vol. 1, 12.10.3 and vol. 2, 4.1).
var stringCompareHandlers = map[uop.Op]handler{
	uop.PCMPESTRM: pcmpstr,
	uop.PCMPESTRI: pcmpstr,
	uop.PCMPISTRM: pcmpstr,
	uop.PCMPISTRI: pcmpstr,
}

// Fields of the immediate.
const (
	strWords  = 1 << 0 // 8 words instead of 16 bytes
	strSigned = 1 << 1

	strEqualAny     = 0 // aggregation: imm[3:2]
	strRanges       = 1
	strEqualEach    = 2
	strEqualOrdered = 3

	strNegative = 1 << 4 // polarity
	strMasked   = 1 << 5
	strHighest  = 1 << 6 // the index of the highest bit
	strExpand   = 1 << 6 // a mask of elements instead of bits
)

// A packedString is an operand: elements, sign- or zero-extended, of which the first valid ones count.
type packedString struct {
	element [16]int32
	valid   int
}

// unpackString splits a register.
func unpackString(x *XMM, imm uint8) (s packedString, n int) {
	n = 16
	if imm&strWords != 0 {
		n = 8
	}
	for i := range n {
		switch imm & 3 {
		case 0:
			s.element[i] = int32(x.byte(i))
		case strWords:
			s.element[i] = int32(x.word(i))
		case strSigned:
			s.element[i] = int32(int8(x.byte(i)))
		default:
			s.element[i] = int32(int16(x.word(i)))
		}
	}
	return s, n
}

// untilZero is the length of a string with an implicit length.
func (s *packedString) untilZero(n int) int {
	for i, e := range s.element[:n] {
		if e == 0 {
			return i
		}
	}
	return n
}

// explicitLength is the absolute value of a register, at most n.
func explicitLength(v uint64, wide bool, n int) int {
	l := int64(int32(v))
	if wide {
		l = int64(v)
	}
	if l < 0 {
		l = -l
	}
	if l < 0 || l > int64(n) { // the most negative number has no absolute value
		return n
	}
	return int(l)
}

func pcmpstr(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	imm := uint8(u.Imm)
	a, n := unpackString(d, imm)
	b, _ := unpackString(s, imm)
	if u.Op == uop.PCMPISTRM || u.Op == uop.PCMPISTRI {
		a.valid, b.valid = a.untilZero(n), b.untilZero(n)
	} else {
		a.valid, b.valid = explicitLength(c.R[uop.RAX], u.Aux != 0, n), explicitLength(c.R[uop.RDX], u.Aux != 0, n)
	}
	r := aggregate(&a, &b, n, int(imm>>2&3))
	all := uint32(1)<<n - 1
	switch imm & (strNegative | strMasked) {
	case strNegative:
		r ^= all
	case strNegative | strMasked:
		r ^= 1<<b.valid - 1
	}

	switch {
	case u.Op == uop.PCMPESTRI || u.Op == uop.PCMPISTRI:
		index := n
		if r != 0 && imm&strHighest != 0 {
			index = bits.Len32(r) - 1
		} else if r != 0 {
			index = bits.TrailingZeros32(r)
		}
		c.R[uop.RCX] = uint64(index)
	case imm&strExpand == 0:
		c.X[0] = XMM{uint64(r)}
	case n == 16:
		c.X[0] = XMM{spread(uint8(r), 8), spread(uint8(r>>8), 8)}
	default:
		c.X[0] = XMM{spread(uint8(r&15), 16), spread(uint8(r>>4), 16)}
	}

	var f uint64
	if r != 0 {
		f |= FlagCF
	}
	if b.valid < n {
		f |= FlagZF
	}
	if a.valid < n {
		f |= FlagSF
	}
	if r&1 != 0 {
		f |= FlagOF
	}
	c.flags.set(f)
	return true
}

// aggregate compares and returns a bit for each element of b (IntRes1). Elements that are not valid follow table 4-7 of
// SDM vol. 2.
func aggregate(a, b *packedString, n, how int) (r uint32) {
	for j := range n {
		var v bool
		switch how {
		case strEqualAny:
			for i := 0; i < a.valid && j < b.valid; i++ {
				v = v || a.element[i] == b.element[j]
			}
		case strRanges:
			for i := 0; i+1 < a.valid && j < b.valid; i += 2 {
				v = v || a.element[i] <= b.element[j] && b.element[j] <= a.element[i+1]
			}
		case strEqualEach:
			v = j >= a.valid && j >= b.valid || j < a.valid && j < b.valid && a.element[j] == b.element[j]
		case strEqualOrdered:
			v = true
			for i := 0; i < a.valid && j+i < n; i++ {
				v = v && j+i < b.valid && a.element[i] == b.element[j+i]
			}
		}
		if v {
			r |= 1 << j
		}
	}
	return r
}
