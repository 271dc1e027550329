package x86

// The three encodings (SDM vol. 1, 4.2.2 and 4.8): float32 and float64 as bit patterns in uint32 and uint64, and
// float80.

func unpack32(v uint32) number {
	return unpackBinary(v>>31 != 0, int(v>>23&0xFF), 0xFF, -127, uint64(v)<<40)
}

func unpack64(v uint64) number {
	return unpackBinary(v>>63 != 0, int(v>>52&0x7FF), 0x7FF, -1023, v<<11)
}

// unpackBinary takes the fields of an encoding with a hidden bit; m has the fraction below bit 63, and junk in bit 63.
func unpackBinary(neg bool, exp, maxExp, bias int, m uint64) number {
	const hidden = 1 << 63
	m &^= hidden
	switch {
	case exp == maxExp && m == 0:
		return number{kind: infinite, neg: neg}
	case exp == maxExp:
		return nanOf(neg, m|hidden)
	case exp != 0:
		return number{kind: finite, neg: neg, exp: exp + bias, m: m | hidden}
	}
	n := normalized(neg, bias+1, m)
	n.denormal = m != 0
	return n
}

func nanOf(neg bool, m uint64) number {
	if m>>62&1 != 0 {
		return number{kind: quietNaN, neg: neg, m: m}
	}
	return number{kind: signalingNaN, neg: neg, m: m}
}

const maxExp80 = 0x7FFF // the exponent field of infinities and NaNs

func unpack80(v float80) number {
	neg, exp, integer := v.se>>15 != 0, int(v.se&maxExp80), v.m>>63 != 0
	switch {
	case exp == 0:
		// A pseudo-denormal, with its integer bit set, counts as a denormal and has the smallest normal exponent, as
		// denormals do.
		n := normalized(neg, extended.minExp, v.m)
		n.denormal = v.m != 0
		return n
	case !integer:
		return number{kind: unsupported, neg: neg}
	case exp != maxExp80:
		return number{kind: finite, neg: neg, exp: exp - extended.maxExp, m: v.m}
	case v.m<<1 == 0:
		return number{kind: infinite, neg: neg}
	}
	return nanOf(neg, v.m)
}

func pack32(n number) uint32 {
	neg, exp, m := packBinary(n, &single, 0xFF)
	return neg<<31 | exp<<23 | uint32(m>>40)&(1<<23-1)
}

func pack64(n number) uint64 {
	neg, exp, m := packBinary(n, &double, 0x7FF)
	return uint64(neg)<<63 | uint64(exp)<<52 | m>>11&(1<<52-1)
}

// packBinary returns the fields of a number that the format can hold. NaNs lose the low bits of their significand.
func packBinary(n number, f *floatFormat, maxExp uint32) (neg, exp uint32, m uint64) {
	if n.neg {
		neg = 1
	}
	switch {
	case n.kind == infinite:
		return neg, maxExp, 0
	case n.kind != finite && n.kind != zero:
		return neg, maxExp, n.m
	case n.kind == finite && n.exp < f.minExp:
		return neg, 0, n.m >> (f.minExp - n.exp)
	case n.kind == finite:
		return neg, uint32(n.exp + f.maxExp), n.m
	}
	return neg, 0, 0
}

func pack80(n number) float80 {
	var v float80
	if n.neg {
		v.se = 1 << 15
	}
	switch {
	case n.kind == infinite:
		return float80{1 << 63, v.se | maxExp80}
	case n.kind != finite && n.kind != zero:
		return float80{n.m, v.se | maxExp80}
	case n.kind == finite && n.exp < extended.minExp:
		v.m = n.m >> (extended.minExp - n.exp)
	case n.kind == finite:
		v.m, v.se = n.m, v.se|uint16(n.exp+extended.maxExp)
	}
	return v
}

// integerNumber returns v as a number.
func integerNumber(v int64) number {
	neg, m := v < 0, uint64(v)
	if neg {
		m = -m
	}
	return normalized(neg, 63, m)
}
