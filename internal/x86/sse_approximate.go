package x86

import (
	"math"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// RCPPS and RSQRTPS. The manual bounds their error only (SDM vol. 2: relative error at most 1.5 × 2^-12); Intel's
// processors look the result up by the leading bits of the operand, and give 1/x or 1/√x of the middle of the interval
// that these bits leave, to 13 bits. They raise no exceptions and heed neither rounding control nor DAZ and FTZ:
// denormal operands count as zeros, and tiny results are zeros.
var floatApproximateHandlers = map[uop.Op]handler{
	uop.RCPPS:   func(c *CPU, u *uop.Uop) bool { d, s := c.xmm(u); *d = each32(*s, reciprocal); return true },
	uop.RSQRTPS: func(c *CPU, u *uop.Uop) bool { d, s := c.xmm(u); *d = each32(*s, reciprocalRoot); return true },
	uop.RCPSS:   func(c *CPU, u *uop.Uop) bool { d, s := c.xmm(u); d.setDword(0, reciprocal(s.dword(0))); return true },
	uop.RSQRTSS: func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		d.setDword(0, reciprocalRoot(s.dword(0)))
		return true
	},
}

func each32(x XMM, f func(uint32) uint32) (r XMM) {
	for i := range 4 {
		r.setDword(i, f(x.dword(i)))
	}
	return r
}

const (
	sign32     = 1 << 31
	infinity32 = 0xFF << 23
	quiet32    = 1 << 22
	nan32      = 0xFFC00000 // the indefinite NaN
)

func reciprocal(v uint32) uint32 {
	sign, exp := v&sign32, int(v>>23&0xFF)
	switch {
	case exp == 0:
		return sign | infinity32
	case v&^sign32 == infinity32:
		return sign
	case exp == 0xFF:
		return v | quiet32
	}
	middle := 4097 + 2*(v>>12&0x7FF) // × 2^(exp-127-12)
	r := (1<<26 + middle) / (2 * middle)
	return sign | approximation(253-exp, r)
}

func reciprocalRoot(v uint32) uint32 {
	sign, exp := v&sign32, int(v>>23&0xFF)
	switch {
	case exp == 0:
		return sign | infinity32
	case v == infinity32:
		return 0
	case exp == 0xFF && v&^sign32 != infinity32:
		return v | quiet32
	case sign != 0:
		return nan32
	}
	// An even exponent is left to the root, so that the root of the rest is in one binade: (1/2, 1] or (1, √2].
	middle := float64(2049 + 2*(v>>13&0x3FF)) // × 2^(exp-127-11)
	if exp&1 != 0 {
		return approximation((379-exp)/2, uint32(math.Sqrt((1<<37)/middle)+0.5))
	}
	return approximation((380-exp)/2, uint32(math.Sqrt((1<<36)/middle)+0.5))
}

// approximation encodes r × 2^-12, in [1, 2), times 2^(exp-127).
func approximation(exp int, r uint32) uint32 {
	if exp <= 0 {
		return 0
	}
	return uint32(exp)<<23 | r<<11&(1<<23-1)
}
