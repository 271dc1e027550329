package x86

import (
	"unsafe"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Rearranging lanes: unpacking, packing, shuffling, blending.
var shuffleHandlers = map[uop.Op]handler{
	uop.PUNPCKLBW:  unpackLanes(0, interleaveBytes),
	uop.PUNPCKHBW:  unpackLanes(1, interleaveBytes),
	uop.PUNPCKLWD:  unpackLanes(0, interleaveWords),
	uop.PUNPCKHWD:  unpackLanes(1, interleaveWords),
	uop.PUNPCKLDQ:  unpackLanes(0, func(a, b uint64) uint64 { return low32(a) | b<<32 }),
	uop.PUNPCKHDQ:  unpackLanes(1, func(a, b uint64) uint64 { return low32(a) | b<<32 }),
	uop.PUNPCKLQDQ: func(c *CPU, u *uop.Uop) bool { d, s := c.xmm(u); d[1] = s[0]; return true },
	uop.PUNPCKHQDQ: func(c *CPU, u *uop.Uop) bool { d, s := c.xmm(u); d[0], d[1] = d[1], s[1]; return true },

	uop.PACKSSWB: whole(func(a, b XMM) XMM { return pack(a, b, func(v int16) uint8 { return uint8(saturate8(int32(v))) }) }),
	uop.PACKUSWB: whole(func(a, b XMM) XMM { return pack(a, b, func(v int16) uint8 { return uint8(max(0, min(v, 1<<8-1))) }) }),
	uop.PACKSSDW: whole(func(a, b XMM) XMM { return pack(a, b, func(v int32) uint16 { return uint16(saturate16(v)) }) }),
	uop.PACKUSDW: whole(func(a, b XMM) XMM { return pack(a, b, func(v int32) uint16 { return uint16(max(0, min(v, 1<<16-1))) }) }),

	uop.PSHUFB: pshufb,
	uop.PSHUFD: pshufd,
	uop.PSHUFHW: func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		d[0], d[1] = s[0], shuffleWords(s[1], uint8(u.Imm))
		return true
	},
	uop.PSHUFLW: func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		d[0], d[1] = shuffleWords(s[0], uint8(u.Imm)), s[1]
		return true
	},
	uop.PALIGNR: palignr,
	uop.SHUFPS: wholeImm(func(a, b XMM, imm uint8) XMM {
		return XMM{uint64(a.dword(int(imm&3))) | uint64(a.dword(int(imm>>2&3)))<<32,
			uint64(b.dword(int(imm>>4&3))) | uint64(b.dword(int(imm>>6&3)))<<32}
	}),
	uop.SHUFPD: wholeImm(func(a, b XMM, imm uint8) XMM { return XMM{a[imm&1], b[imm>>1&1]} }),

	// Blends take from the source the lanes that a mask names: an immediate, or the top bits of XMM0's lanes.
	uop.PBLENDVB: blendByMask(func(m uint64) uint64 { return m & signs8 >> 7 * 0xFF }),
	uop.BLENDVPS: blendByMask(func(m uint64) uint64 { return m & signs32 >> 31 * 0xFFFFFFFF }),
	uop.BLENDVPD: blendByMask(func(m uint64) uint64 { return uint64(int64(m) >> 63) }),
	uop.PBLENDW:  wholeImm(func(a, b XMM, imm uint8) XMM { return blend(a, b, spread(imm&15, 16), spread(imm>>4, 16)) }),
	uop.BLENDPS:  wholeImm(func(a, b XMM, imm uint8) XMM { return blend(a, b, spread(imm&3, 32), spread(imm>>2&3, 32)) }),
	uop.BLENDPD:  wholeImm(func(a, b XMM, imm uint8) XMM { return blend(a, b, spread(imm&1, 64), spread(imm>>1&1, 64)) }),
}

// unpackLanes interleaves quadword q of both operands: f does so with the low halves of two quadwords.
func unpackLanes(q int, f func(a, b uint64) uint64) handler {
	return func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		a, b := d[q], s[q]
		d[0], d[1] = f(a, b), f(a>>32, b>>32)
		return true
	}
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
func pshufb(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	b := (*[16]byte)(unsafe.Pointer(d))
	d[0], d[1] = pick(b, s[0]), pick(b, s[1])
	return true
}

func pick(b *[16]byte, index uint64) uint64 {
	return pickByte(b, index) | pickByte(b, index>>8)<<8 | pickByte(b, index>>16)<<16 | pickByte(b, index>>24)<<24 |
		pickByte(b, index>>32)<<32 | pickByte(b, index>>40)<<40 | pickByte(b, index>>48)<<48 | pickByte(b, index>>56)<<56
}

func pickByte(b *[16]byte, index uint64) uint64 {
	return uint64(b[index&15] &^ uint8(int8(index)>>7))
}

func pshufd(c *CPU, u *uop.Uop) bool {
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

// palignr shifts the 32 bytes dst, src (src is the low half) right by imm bytes and keeps the low 16.
func palignr(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	q := [6]uint64{s[0], s[1], d[0], d[1]} // and zeros
	n := uint8(u.Imm)
	if n >= 32 {
		*d = XMM{}
		return true
	}
	i, shift := n>>3&3, n&7*8
	d[0] = q[i]>>shift | q[i+1]<<(64-shift)
	d[1] = q[i+1]>>shift | q[i+2]<<(64-shift)
	return true
}

func blend(a, b XMM, low, high uint64) XMM {
	return XMM{a[0]&^low | b[0]&low, a[1]&^high | b[1]&high}
}

func blendByMask(widen func(uint64) uint64) handler {
	return func(c *CPU, u *uop.Uop) bool {
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
