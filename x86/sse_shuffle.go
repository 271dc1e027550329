package x86

// Rearranging lanes: unpacking, packing, shuffling, blending.
var shuffleHandlers = map[Op]handler{
	opPUNPCKLBW:  whole(func(a, b XMM) XMM { return XMM{interleaveBytes(a[0], b[0]), interleaveBytes(a[0]>>32, b[0]>>32)} }),
	opPUNPCKHBW:  whole(func(a, b XMM) XMM { return XMM{interleaveBytes(a[1], b[1]), interleaveBytes(a[1]>>32, b[1]>>32)} }),
	opPUNPCKLWD:  whole(func(a, b XMM) XMM { return XMM{interleaveWords(a[0], b[0]), interleaveWords(a[0]>>32, b[0]>>32)} }),
	opPUNPCKHWD:  whole(func(a, b XMM) XMM { return XMM{interleaveWords(a[1], b[1]), interleaveWords(a[1]>>32, b[1]>>32)} }),
	opPUNPCKLDQ:  whole(func(a, b XMM) XMM { return XMM{low32(a[0]) | b[0]<<32, a[0]>>32 | b[0]>>32<<32} }),
	opPUNPCKHDQ:  whole(func(a, b XMM) XMM { return XMM{low32(a[1]) | b[1]<<32, a[1]>>32 | b[1]>>32<<32} }),
	opPUNPCKLQDQ: whole(func(a, b XMM) XMM { return XMM{a[0], b[0]} }),
	opPUNPCKHQDQ: whole(func(a, b XMM) XMM { return XMM{a[1], b[1]} }),

	opPACKSSWB: whole(func(a, b XMM) XMM { return pack(a, b, func(v int16) uint8 { return uint8(saturate8(int32(v))) }) }),
	opPACKUSWB: whole(func(a, b XMM) XMM { return pack(a, b, func(v int16) uint8 { return uint8(max(0, min(v, 1<<8-1))) }) }),
	opPACKSSDW: whole(func(a, b XMM) XMM { return pack(a, b, func(v int32) uint16 { return uint16(saturate16(v)) }) }),
	opPACKUSDW: whole(func(a, b XMM) XMM { return pack(a, b, func(v int32) uint16 { return uint16(max(0, min(v, 1<<16-1))) }) }),

	opPSHUFB:  pshufb,
	opPSHUFD:  pshufd,
	opPSHUFHW: wholeImm(func(_, s XMM, imm uint8) XMM { return XMM{s[0], shuffleWords(s[1], imm)} }),
	opPSHUFLW: wholeImm(func(_, s XMM, imm uint8) XMM { return XMM{shuffleWords(s[0], imm), s[1]} }),
	opPALIGNR: wholeImm(palignr),
	opSHUFPS: wholeImm(func(a, b XMM, imm uint8) XMM {
		return XMM{uint64(a.dword(int(imm&3))) | uint64(a.dword(int(imm>>2&3)))<<32,
			uint64(b.dword(int(imm>>4&3))) | uint64(b.dword(int(imm>>6&3)))<<32}
	}),
	opSHUFPD: wholeImm(func(a, b XMM, imm uint8) XMM { return XMM{a[imm&1], b[imm>>1&1]} }),

	// Blends take from the source the lanes that a mask names: an immediate, or the top bits of XMM0's lanes.
	opPBLENDVB: blendByMask(func(m uint64) uint64 { return m & signs8 >> 7 * 0xFF }),
	opBLENDVPS: blendByMask(func(m uint64) uint64 { return m & signs32 >> 31 * 0xFFFFFFFF }),
	opBLENDVPD: blendByMask(func(m uint64) uint64 { return uint64(int64(m) >> 63) }),
	opPBLENDW:  wholeImm(func(a, b XMM, imm uint8) XMM { return blend(a, b, spread(imm&15, 16), spread(imm>>4, 16)) }),
	opBLENDPS:  wholeImm(func(a, b XMM, imm uint8) XMM { return blend(a, b, spread(imm&3, 32), spread(imm>>2&3, 32)) }),
	opBLENDPD:  wholeImm(func(a, b XMM, imm uint8) XMM { return blend(a, b, spread(imm&1, 64), spread(imm>>1&1, 64)) }),
}

// interleaveBytes takes the low four bytes of a and b: a0 b0 a1 b1 …
func interleaveBytes(a, b uint64) uint64 { return spaceBytes(a) | spaceBytes(b)<<8 }

// interleaveWords takes the low two words of a and b: a0 b0 a1 b1.
func interleaveWords(a, b uint64) uint64 { return spaceWords(a) | spaceWords(b)<<16 }

func spaceWords(v uint64) uint64 { return v&0xFFFF | v&0xFFFF0000<<16 }

func spaceBytes(v uint64) uint64 {
	v = spaceWords(v)
	return (v | v<<8) & 0x00FF00FF00FF00FF
}

// pack narrows the lanes of a, which give the low half of the result, and of b.
func pack[W int16 | int32, N uint8 | uint16](a, b XMM, f func(W) N) XMM {
	w, n := laneBits[W](), laneBits[N]()
	half := func(x XMM) (r uint64) {
		for i := range 128 / w {
			r |= uint64(f(W(x[i*w>>6]>>(i*w&63)))) << (i * n)
		}
		return r
	}
	return XMM{half(a), half(b)}
}

// pshufb looks up each byte of the source in the destination; an index with its top bit set gives 0.
func pshufb(c *CPU, u *Uop) bool {
	d, s := c.xmm(u)
	b := d.bytes()
	index := s.bytes()
	var r [16]byte
	for i, x := range index {
		r[i] = b[x&15] &^ byte(int8(x)>>7)
	}
	*d = xmmOf(&r)
	return true
}

func pshufd(c *CPU, u *Uop) bool {
	d, s := c.xmm(u)
	imm, x := uint(u.Imm), *s
	lane := func(n uint) uint64 { return low32(x[n>>1&1] >> (n & 1 * 32)) }
	d[0] = lane(imm) | lane(imm>>2)<<32
	d[1] = lane(imm>>4) | lane(imm>>6)<<32
	return true
}

func shuffleWords(v uint64, imm uint8) (r uint64) {
	for i := range 4 {
		r |= v >> (imm >> (2 * i) & 3 * 16) & 0xFFFF << (16 * i)
	}
	return r
}

// palignr shifts the 32 bytes b, a (b is the low half) right by imm bytes and returns the low 16.
func palignr(a, b XMM, imm uint8) XMM {
	if imm >= 16 {
		return a.shiftRightBytes(imm - 16)
	}
	high, low := a.shiftLeftBytes(16-imm), b.shiftRightBytes(imm)
	return XMM{high[0] | low[0], high[1] | low[1]}
}

func blend(a, b XMM, low, high uint64) XMM {
	return XMM{a[0]&^low | b[0]&low, a[1]&^high | b[1]&high}
}

func blendByMask(widen func(uint64) uint64) handler {
	return func(c *CPU, u *Uop) bool {
		d, s := c.xmm(u)
		m := &c.X[0]
		*d = blend(*d, *s, widen(m[0]), widen(m[1]))
		return true
	}
}

// spread makes each bit of m a lane of n bits.
func spread(m uint8, n int) (r uint64) {
	for i := 0; i < 64; i += n {
		if m&1 != 0 {
			r |= ^uint64(0) >> (64 - n) << i
		}
		m >>= 1
	}
	return r
}
