package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Packed shifts. A count beyond the lane clears it, or fills it with its sign; all 64 bits of the source's low quadword
// are the count.
var packedShiftHandlers = map[uop.Op]handler{
	uop.PSRLW: packedShift(bySource, func(a, n uint64) uint64 { return shiftRight(a, n, 16) }),
	uop.PSRLD: packedShift(bySource, func(a, n uint64) uint64 { return shiftRight(a, n, 32) }),
	uop.PSRLQ: packedShift(bySource, func(a, n uint64) uint64 { return a >> n }),
	uop.PSRAW: packedShift(bySource, func(a, n uint64) uint64 { return lanes(a, 0, func(a, _ int16) int16 { return a >> n }) }),
	uop.PSRAD: packedShift(bySource, func(a, n uint64) uint64 { return lanes(a, 0, func(a, _ int32) int32 { return a >> n }) }),
	uop.PSLLW: packedShift(bySource, func(a, n uint64) uint64 { return shiftLeft(a, n, 16) }),
	uop.PSLLD: packedShift(bySource, func(a, n uint64) uint64 { return shiftLeft(a, n, 32) }),
	uop.PSLLQ: packedShift(bySource, func(a, n uint64) uint64 { return a << n }),

	uop.PSRLWImm: packedShift(byImm, func(a, n uint64) uint64 { return shiftRight(a, n, 16) }),
	uop.PSRLDImm: packedShift(byImm, func(a, n uint64) uint64 { return shiftRight(a, n, 32) }),
	uop.PSRLQImm: packedShift(byImm, func(a, n uint64) uint64 { return a >> n }),
	uop.PSRAWImm: packedShift(byImm, func(a, n uint64) uint64 { return lanes(a, 0, func(a, _ int16) int16 { return a >> n }) }),
	uop.PSRADImm: packedShift(byImm, func(a, n uint64) uint64 { return lanes(a, 0, func(a, _ int32) int32 { return a >> n }) }),
	uop.PSLLWImm: packedShift(byImm, func(a, n uint64) uint64 { return shiftLeft(a, n, 16) }),
	uop.PSLLDImm: packedShift(byImm, func(a, n uint64) uint64 { return shiftLeft(a, n, 32) }),
	uop.PSLLQImm: packedShift(byImm, func(a, n uint64) uint64 { return a << n }),

	uop.PSRLDQ: psrldq,
	uop.PSLLDQ: pslldq,
}

func bySource(c *CPU, u *uop.Uop) uint64 { return c.X[u.Src&uop.XMMMask][0] }
func byImm(_ *CPU, u *uop.Uop) uint64    { return uint64(u.Imm) }

func packedShift(count func(c *CPU, u *uop.Uop) uint64, f func(a, n uint64) uint64) handler {
	return func(c *CPU, u *uop.Uop) bool {
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
func psrldq(c *CPU, u *uop.Uop) bool {
	d, _ := c.xmm(u)
	switch n := uint64(u.Imm) * 8; {
	case n < 64:
		d[0], d[1] = d[0]>>n|d[1]<<(64-n), d[1]>>n
	default:
		d[0], d[1] = d[1]>>(n-64), 0
	}
	return true
}

func pslldq(c *CPU, u *uop.Uop) bool {
	d, _ := c.xmm(u)
	switch n := uint64(u.Imm) * 8; {
	case n < 64:
		d[0], d[1] = d[0]<<n, d[1]<<n|d[0]>>(64-n)
	default:
		d[0], d[1] = 0, d[0]<<(n-64)
	}
	return true
}
