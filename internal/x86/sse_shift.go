package x86

// Packed shifts. A count beyond the lane clears it, or fills it with its sign; all 64 bits of the source's low quadword
// are the count.
var packedShiftHandlers = map[Op]handler{
	opPSRLW: packedShift(bySource, func(a, n uint64) uint64 { return shiftRight(a, n, 16) }),
	opPSRLD: packedShift(bySource, func(a, n uint64) uint64 { return shiftRight(a, n, 32) }),
	opPSRLQ: packedShift(bySource, func(a, n uint64) uint64 { return a >> n }),
	opPSRAW: packedShift(bySource, func(a, n uint64) uint64 { return lanes(a, 0, func(a, _ int16) int16 { return a >> n }) }),
	opPSRAD: packedShift(bySource, func(a, n uint64) uint64 { return lanes(a, 0, func(a, _ int32) int32 { return a >> n }) }),
	opPSLLW: packedShift(bySource, func(a, n uint64) uint64 { return shiftLeft(a, n, 16) }),
	opPSLLD: packedShift(bySource, func(a, n uint64) uint64 { return shiftLeft(a, n, 32) }),
	opPSLLQ: packedShift(bySource, func(a, n uint64) uint64 { return a << n }),

	opPSRLWImm: packedShift(byImm, func(a, n uint64) uint64 { return shiftRight(a, n, 16) }),
	opPSRLDImm: packedShift(byImm, func(a, n uint64) uint64 { return shiftRight(a, n, 32) }),
	opPSRLQImm: packedShift(byImm, func(a, n uint64) uint64 { return a >> n }),
	opPSRAWImm: packedShift(byImm, func(a, n uint64) uint64 { return lanes(a, 0, func(a, _ int16) int16 { return a >> n }) }),
	opPSRADImm: packedShift(byImm, func(a, n uint64) uint64 { return lanes(a, 0, func(a, _ int32) int32 { return a >> n }) }),
	opPSLLWImm: packedShift(byImm, func(a, n uint64) uint64 { return shiftLeft(a, n, 16) }),
	opPSLLDImm: packedShift(byImm, func(a, n uint64) uint64 { return shiftLeft(a, n, 32) }),
	opPSLLQImm: packedShift(byImm, func(a, n uint64) uint64 { return a << n }),

	opPSRLDQ: psrldq,
	opPSLLDQ: pslldq,
}

func bySource(c *CPU, u *Uop) uint64 { return c.X[u.Src&xmmMask][0] }
func byImm(_ *CPU, u *Uop) uint64    { return uint64(u.Imm) }

func packedShift(count func(c *CPU, u *Uop) uint64, f func(a, n uint64) uint64) handler {
	return func(c *CPU, u *Uop) bool {
		n := count(c, u)
		d, _ := c.xmm(u)
		d[0], d[1] = f(d[0], n), f(d[1], n)
		return true
	}
}

// shiftRight and shiftLeft shift all lanes of the given width at once and clear the bits that came from a neighbour.
func shiftRight(a, n, width uint64) uint64 {
	if n >= width {
		return 0
	}
	lane := uint64(1)<<width - 1
	return a >> n & (lane >> n * (^uint64(0) / lane))
}

func shiftLeft(a, n, width uint64) uint64 {
	if n >= width {
		return 0
	}
	lane := uint64(1)<<width - 1
	return a << n & (lane << n & lane * (^uint64(0) / lane))
}

// psrldq and pslldq shift the whole register by bytes; more than 15 clear it.
func psrldq(c *CPU, u *Uop) bool {
	d, _ := c.xmm(u)
	switch n := uint64(u.Imm) * 8; {
	case n < 64:
		d[0], d[1] = d[0]>>n|d[1]<<(64-n), d[1]>>n
	default:
		d[0], d[1] = d[1]>>(n-64), 0
	}
	return true
}

func pslldq(c *CPU, u *Uop) bool {
	d, _ := c.xmm(u)
	switch n := uint64(u.Imm) * 8; {
	case n < 64:
		d[0], d[1] = d[0]<<n, d[1]<<n|d[0]>>(64-n)
	default:
		d[0], d[1] = 0, d[0]<<(n-64)
	}
	return true
}
