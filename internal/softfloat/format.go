package softfloat

// The three encodings (SDM vol. 1, 4.2.2 and 4.8): float32 and float64 as bit patterns in uint32 and uint64, and
// float80.

// Unpack32 returns the number that a float32 encodes.
func Unpack32(v uint32) Number {
	return unpackBinary(v>>31 != 0, int(v>>23&0xFF), 0xFF, -127, uint64(v)<<40)
}

// Unpack64 returns the number that a float64 encodes.
func Unpack64(v uint64) Number {
	return unpackBinary(v>>63 != 0, int(v>>52&0x7FF), 0x7FF, -1023, v<<11)
}

// unpackBinary takes the fields of an encoding with a hidden bit; m has the fraction below bit 63, and junk in bit 63.
func unpackBinary(neg bool, exp, maxExp, bias int, m uint64) Number {
	const hidden = 1 << 63
	m &^= hidden
	switch {
	case exp == maxExp && m == 0:
		return Number{Kind: Infinite, Neg: neg}
	case exp == maxExp:
		return nanOf(neg, m|hidden)
	case exp != 0:
		return Number{Kind: Finite, Neg: neg, Exp: exp + bias, M: m | hidden}
	}
	n := normalized(neg, bias+1, m)
	n.Denormal = m != 0
	return n
}

func nanOf(neg bool, m uint64) Number {
	if m>>62&1 != 0 {
		return Number{Kind: QuietNaN, Neg: neg, M: m}
	}
	return Number{Kind: SignalingNaN, Neg: neg, M: m}
}

// A Float80 is a number in the x87 double extended-precision format (SDM vol. 1, 4.2.2): sign and 15 bits of exponent
// in SE, and a significand M whose integer bit is explicit.
type Float80 struct {
	M  uint64
	SE uint16
}

// MaxExp80 is the exponent field of infinities and NaNs in a [Float80].
const MaxExp80 = 0x7FFF

// Unpack80 returns the number that a float80 encodes.
func Unpack80(v Float80) Number {
	neg, exp, integer := v.SE>>15 != 0, int(v.SE&MaxExp80), v.M>>63 != 0
	switch {
	case exp == 0:
		// A pseudo-denormal, with its integer bit set, counts as a denormal and has the smallest normal exponent, as
		// denormals do.
		n := normalized(neg, Extended.MinExp, v.M)
		n.Denormal = v.M != 0
		return n
	case !integer:
		return Number{Kind: Unsupported, Neg: neg}
	case exp != MaxExp80:
		return Number{Kind: Finite, Neg: neg, Exp: exp - Extended.MaxExp, M: v.M}
	case v.M<<1 == 0:
		return Number{Kind: Infinite, Neg: neg}
	}
	return nanOf(neg, v.M)
}

// Pack32 encodes a number that a float32 can hold: one that was rounded to [Single], or of any other kind than finite.
func Pack32(n Number) uint32 {
	neg, exp, m := packBinary(n, &Single, 0xFF)
	return neg<<31 | exp<<23 | uint32(m>>40)&(1<<23-1)
}

// Pack64 encodes a number that a float64 can hold.
func Pack64(n Number) uint64 {
	neg, exp, m := packBinary(n, &Double, 0x7FF)
	return uint64(neg)<<63 | uint64(exp)<<52 | m>>11&(1<<52-1)
}

// packBinary returns the fields of a number that the format can hold. NaNs lose the low bits of their significand.
func packBinary(n Number, f *Format, maxExp uint32) (neg, exp uint32, m uint64) {
	if n.Neg {
		neg = 1
	}
	switch {
	case n.Kind == Infinite:
		return neg, maxExp, 0
	case n.Kind != Finite && n.Kind != Zero:
		return neg, maxExp, n.M
	case n.Kind == Finite && n.Exp < f.MinExp:
		return neg, 0, n.M >> (f.MinExp - n.Exp)
	case n.Kind == Finite:
		return neg, uint32(n.Exp + f.MaxExp), n.M
	}
	return neg, 0, 0
}

// Pack80 encodes a number.
func Pack80(n Number) Float80 {
	var v Float80
	if n.Neg {
		v.SE = 1 << 15
	}
	switch {
	case n.Kind == Infinite:
		return Float80{1 << 63, v.SE | MaxExp80}
	case n.Kind != Finite && n.Kind != Zero:
		return Float80{n.M, v.SE | MaxExp80}
	case n.Kind == Finite && n.Exp < Extended.MinExp:
		v.M = n.M >> (Extended.MinExp - n.Exp)
	case n.Kind == Finite:
		v.M, v.SE = n.M, v.SE|uint16(n.Exp+Extended.MaxExp)
	}
	return v
}

// FromInt returns v as a number, which is exact.
func FromInt(v int64) Number {
	neg, m := v < 0, uint64(v)
	if neg {
		m = -m
	}
	return normalized(neg, 63, m)
}
